// handleSummary() prints a summary of its own in place of k6's.
import http from 'k6/http';

export const options = { vus: 2, iterations: 12 };

export default function () {
  http.get(`${__ENV.TARGET}/counted`);
}

export function handleSummary(data) {
  return { stdout: `HANDLED ${data.metrics.http_reqs.values.count}\n` };
}
