// Three scenarios with a function, an executor, VUs, env and tags of their own, and thresholds.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    browse: {
      executor: 'constant-vus',
      exec: 'browse',
      vus: 3,
      duration: '1s',
      gracefulStop: '1s',
      env: { PLACE: '/browse' },
      tags: { area: 'shop' },
    },
    search: {
      executor: 'ramping-vus',
      exec: 'search',
      startVUs: 1,
      stages: [
        { duration: '400ms', target: 2 },
        { duration: '400ms', target: 1 },
      ],
      gracefulRampDown: '1s',
      gracefulStop: '1s',
      env: { PLACE: '/search' },
      tags: { area: 'index' },
    },
    buy: {
      executor: 'constant-arrival-rate',
      exec: 'buy',
      rate: 20,
      timeUnit: '1s',
      duration: '1s',
      preAllocatedVUs: 2,
      maxVUs: 4,
      gracefulStop: '1s',
      env: { PLACE: '/buy' },
      tags: { area: 'shop' },
    },
  },
  thresholds: {
    'http_reqs{scenario:buy}': ['count>2'],
    'http_req_failed{scenario:browse}': ['rate<0.5'],
    'iterations{area:index}': ['count>0'],
  },
};

function visit(pause_s) {
  http.get(`${__ENV.TARGET}${__ENV.PLACE}`);
  sleep(pause_s);
}

export function browse() {
  visit(0.05);
}

export function search() {
  visit(0.02);
}

export function buy() {
  visit(0.01);
}
