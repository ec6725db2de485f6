// setup() makes data that the default function and teardown() get; each of them asks the server.
import http from 'k6/http';
import { check, sleep } from 'k6';

export const options = {
  vus: 2,
  duration: '1s',
  thresholds: { checks: ['rate==1'] },
};

export function setup() {
  return { status: http.get(`${__ENV.TARGET}/setup`).status, items: ['tea', 'milk'] };
}

export default function (data) {
  check(data, { 'the data is that of setup': (d) => d.status === 200 && d.items.length === 2 });
  http.get(`${__ENV.TARGET}/buy/${data.items[__ITER % data.items.length]}`);
  sleep(0.03);
}

export function teardown(data) {
  check(data, { 'teardown has it too': (d) => d.items[1] === 'milk' });
  http.get(`${__ENV.TARGET}/teardown`);
}
