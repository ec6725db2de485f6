// The executor per-vu-iterations.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    only: {
      executor: 'per-vu-iterations',
      vus: 3,
      iterations: 7,
      maxDuration: '10s',
    },
  },
};

export default function () {
  http.get(`${__ENV.TARGET}/per-vu-iterations`);
  sleep(0.02);
}
