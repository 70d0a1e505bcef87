/** GET /metrics: for Prometheus, without credentials as exporters are; it names no user. Main thread. */
import type { Route } from './http/types.ts'

export function metricsRoute(metrics: { text(): Promise<string> }): Route {
  return {
    method: 'GET',
    pattern: '/metrics',
    auth: 'none',
    handle: async () => ({
      status: 200,
      headers: [['content-type', 'text/plain; version=0.0.4; charset=utf-8']],
      body: await metrics.text(),
    }),
  }
}
