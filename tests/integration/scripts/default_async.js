// An async default function that awaits its requests, one and then two at a time.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = { vus: 2, duration: '1s' };

export default async function () {
  await http.asyncRequest('GET', `${__ENV.TARGET}/async`);
  await Promise.all([
    http.asyncRequest('GET', `${__ENV.TARGET}/async/left`),
    http.asyncRequest('GET', `${__ENV.TARGET}/async/right`),
  ]);
  sleep(0.03);
}
