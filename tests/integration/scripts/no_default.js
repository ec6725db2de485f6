// No default function, and no scenario that names another one.
import http from 'k6/http';

export const options = { vus: 1, iterations: 1 };

export function other() {
  http.get(`${__ENV.TARGET}/never`);
}
