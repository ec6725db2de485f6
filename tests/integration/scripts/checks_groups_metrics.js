// Checks, groups within groups, and one metric of the script's own of every type.
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const cups = new Counter('cups');
const leaves_left = new Gauge('leaves_left');
const sweetened = new Rate('sweetened');
const steeped = new Trend('steeped', true);

export const options = {
  vus: 2,
  iterations: 10,
  thresholds: { cups: ['count==20'], sweetened: ['rate==0.5'], steeped: ['max<1000'] },
};

export default function () {
  group('kitchen', () => {
    const answer = http.get(`${__ENV.TARGET}/kettle`);
    check(answer, { 'is hot': (a) => a.status === 200, 'is cold': (a) => a.status === 404 });
    group('table', () => {
      steeped.add(http.get(`${__ENV.TARGET}/pot`, { tags: { name: 'pot' } }).timings.duration);
    });
  });
  cups.add(2);
  leaves_left.add(100 - __ITER);
  sweetened.add(true);
  sweetened.add(false);
  sleep(0.02);
}
