// Every fifth iteration throws after its request.
import exec from 'k6/execution';
import http from 'k6/http';
import { sleep } from 'k6';

export const options = { vus: 2, iterations: 20 };

export default function () {
  http.get(`${__ENV.TARGET}/throws`);
  sleep(0.02);
  if (exec.scenario.iterationInTest % 5 === 4) {
    throw new Error('every fifth');
  }
}
