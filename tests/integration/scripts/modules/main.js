// Several files: a module and a data file, both found beside the script, and a SharedArray.
import http from 'k6/http';
import { SharedArray } from 'k6/data';
import { sleep } from 'k6';
import { assertAnswer } from './lib/answers.js';

const items = new SharedArray('items', () => JSON.parse(open('./data.json')).items);

export const options = { vus: 2, duration: '1s', thresholds: { checks: ['rate==1'] } };

export default function () {
  const item = items[__ITER % items.length];
  assertAnswer(http.get(`${__ENV.TARGET}/items/${item.name}`));
  sleep(0.03);
}
