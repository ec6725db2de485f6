// A secret is sent as a header; needs --secret-source.
import http from 'k6/http';
import secrets from 'k6/secrets';
import { check, sleep } from 'k6';

export const options = { vus: 2, duration: '1s', thresholds: { checks: ['rate==1'] } };

export default async function () {
  const headers = { 'X-Api-Key': await secrets.get('api-key') };
  const answer = http.get(`${__ENV.TARGET}/header/x-api-key`, { headers });
  check(answer, { 'the key arrived': (a) => a.body.length === 25 && a.body.endsWith('secret') });
  sleep(0.03);
}
