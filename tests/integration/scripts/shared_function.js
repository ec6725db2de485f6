// Two scenarios that run one function, which asks k6 in which of them it is.
import exec from 'k6/execution';
import http from 'k6/http';
import { sleep } from 'k6';

const scenario = { executor: 'constant-vus', exec: 'visit', duration: '1s', gracefulStop: '1s' };

export const options = {
  scenarios: {
    morning: { ...scenario, vus: 1 },
    evening: { ...scenario, vus: 3 },
  },
};

export function visit() {
  http.get(`${__ENV.TARGET}/${exec.scenario.name}`);
  sleep(0.03);
}
