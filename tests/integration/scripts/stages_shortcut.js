// options.stages, short for one scenario of ramping VUs.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  stages: [
    { duration: '300ms', target: 4 },
    { duration: '400ms', target: 1 },
  ],
};

export default function () {
  http.get(`${__ENV.TARGET}/stages`);
  sleep(0.02);
}
