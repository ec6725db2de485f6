// The executor externally-controlled, which k6 2.0 has dropped.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    only: {
      executor: 'externally-controlled',
      vus: 2,
      maxVUs: 10,
      duration: '1s',
    },
  },
};

export default function () {
  http.get(`${__ENV.TARGET}/externally-controlled`);
  sleep(0.02);
}
