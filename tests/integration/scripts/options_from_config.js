// No load in the script: it stands in a file for --config.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = { tags: { from: 'script' } };

export default function () {
  http.get(`${__ENV.TARGET}/config`);
  sleep(0.02);
}
