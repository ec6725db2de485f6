// TypeScript: types, an interface, an enum, and imports of types only.
import http from 'k6/http';
import type { RefinedResponse, ResponseType } from 'k6/http';
import type { Options } from 'k6/options';
import { check, sleep } from 'k6';

enum Place {
  Home = '/home',
  Cart = '/cart',
}

interface Visit {
  readonly place: Place;
  expected?: number;
}

type Answer = RefinedResponse<ResponseType | undefined>;

export const options: Options = {
  vus: 2,
  duration: '1s',
  thresholds: { checks: ['rate==1'] },
};

function go({ place, expected = 200 }: Visit): boolean {
  const answer: Answer = http.get(`${__ENV.TARGET as string}${place}`);
  return check(answer, { 'as expected': (a: Answer) => a.status === expected });
}

export default function (): void {
  for (const place of Object.values(Place)) {
    go({ place });
  }
  sleep(0.03);
}
