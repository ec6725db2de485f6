// The load on the built-in server: a visit is a page or two of a small shop, mostly CPU.
//
//   k6 run -e TARGET=http://127.0.0.1:8080 -e DURATION=30s script.js
//
// Two routes have a narrow latency of their own, /sleep and /fsync. They are so rare that they lie
// beyond the 99th percentile: below it the latencies are spread smoothly.

import { check, group, sleep } from 'k6';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';

const TARGET = __ENV.TARGET || 'http://127.0.0.1:8080';
const PAUSE_S = 0.004;
const SLOW_RATIO = 0.003; // of all visits, for each of /sleep and /fsync

export const options = {
  vus: 8,
  duration: __ENV.DURATION || '10m',
  thresholds: {
    checks: ['rate>0.99'],
    http_req_failed: ['rate<0.01'],
    http_req_duration: ['p(95)<2000'],
  },
};

const checkoutTime = new Trend('checkout_time', true);
const blocksMined = new Counter('blocks_mined');

function get(path, name) {
  const response = http.get(`${TARGET}${path}`, { tags: { name } });
  check(response, { 'status is 200': (r) => r.status === 200 });
  return response;
}

function browse() {
  get('/', 'front page');
  const orders = get('/json', 'orders');
  check(orders, { 'has orders': (r) => typeof r.body === 'string' && r.body.includes('"orders"') });
}

function buy() {
  const paid = get('/lock', 'pay');
  const confirmed = get('/heavy', 'confirm');
  checkoutTime.add(paid.timings.duration + confirmed.timings.duration);
  if (confirmed.status === 200) {
    blocksMined.add(1);
  }
}

export default function () {
  const dice = Math.random();
  if (dice < SLOW_RATIO) {
    get('/sleep', 'wait for a partner');
  } else if (dice < 2 * SLOW_RATIO) {
    get('/fsync', 'archive');
  } else if (dice < 0.5) {
    group('browse', browse);
  } else {
    group('buy', buy);
  }
  sleep(PAUSE_S * (0.5 + Math.random()));
}
