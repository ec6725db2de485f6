// The executor constant-arrival-rate.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    only: {
      executor: 'constant-arrival-rate',
      rate: 30,
      timeUnit: '1s',
      duration: '1s',
      preAllocatedVUs: 2,
      maxVUs: 6,
    },
  },
};

export default function () {
  http.get(`${__ENV.TARGET}/constant-arrival-rate`);
  sleep(0.02);
}
