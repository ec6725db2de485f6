// A threshold on one of two scenarios that can't hold: all checks of the slow one fail.
import http from 'k6/http';
import { check, sleep } from 'k6';

export const options = {
  scenarios: {
    quick: { executor: 'constant-vus', exec: 'quick', vus: 1, duration: '1s' },
    slow: { executor: 'constant-vus', exec: 'slow', vus: 1, duration: '1s' },
  },
  thresholds: {
    'checks{scenario:quick}': ['rate>0.9'],
    'checks{scenario:slow}': ['rate>0.9'],
  },
};

export function quick() {
  check(http.get(`${__ENV.TARGET}/quick`), { 'is 200': (answer) => answer.status === 200 });
  sleep(0.03);
}

export function slow() {
  check(http.get(`${__ENV.TARGET}/status/500`), { 'is 200': (answer) => answer.status === 200 });
  sleep(0.03);
}
