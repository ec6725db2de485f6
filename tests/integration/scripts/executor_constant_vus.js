// The executor constant-vus.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    only: {
      executor: 'constant-vus',
      vus: 2,
      duration: '1s',
    },
  },
};

export default function () {
  http.get(`${__ENV.TARGET}/constant-vus`);
  sleep(0.02);
}
