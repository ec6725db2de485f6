// options.iterations, short for one scenario of shared iterations.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = { vus: 3, iterations: 20 };

export default function () {
  http.get(`${__ENV.TARGET}/iterations`);
  sleep(0.02);
}
