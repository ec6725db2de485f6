// A default function that is not async, with VUs and a duration.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = { vus: 2, duration: '1s' };

export default function () {
  http.get(`${__ENV.TARGET}/sync`);
  sleep(0.03);
}
