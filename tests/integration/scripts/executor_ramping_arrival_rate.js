// The executor ramping-arrival-rate.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    only: {
      executor: 'ramping-arrival-rate',
      startRate: 10,
      timeUnit: '1s',
      stages: [
        { duration: '400ms', target: 40 },
        { duration: '400ms', target: 10 },
      ],
      preAllocatedVUs: 2,
      maxVUs: 6,
    },
  },
};

export default function () {
  http.get(`${__ENV.TARGET}/ramping-arrival-rate`);
  sleep(0.02);
}
