// The executor shared-iterations.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    only: {
      executor: 'shared-iterations',
      vus: 3,
      iterations: 20,
      maxDuration: '10s',
    },
  },
};

export default function () {
  http.get(`${__ENV.TARGET}/shared-iterations`);
  sleep(0.02);
}
