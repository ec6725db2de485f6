// The module that modules/main.js imports.
import { check } from 'k6';

export function assertAnswer(answer) {
  return check(answer, { 'is ok': (a) => a.status === 200 && a.body === 'ok\n' });
}
