// The executor ramping-vus.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    only: {
      executor: 'ramping-vus',
      startVUs: 0,
      stages: [
        { duration: '400ms', target: 4 },
        { duration: '300ms', target: 2 },
        { duration: '300ms', target: 0 },
      ],
      gracefulRampDown: '1s',
    },
  },
};

export default function () {
  http.get(`${__ENV.TARGET}/ramping-vus`);
  sleep(0.02);
}
