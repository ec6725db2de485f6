// Good syntax, but the script throws when it is loaded.
import http from 'k6/http';

export const options = { vus: 1, iterations: 1 };

throw new Error('no good from the start');

export default function () {
  http.get(`${__ENV.TARGET}/never`);
}
