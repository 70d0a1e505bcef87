/**
 * GET /health/live and /health/ready, for orchestrators; Gotify's own /health is in
 * manage/info-routes.ts. Main thread; no credentials needed. Live: the process answers. Ready: every
 * shard thread has lately proved that a message would come through, and nobody has said stop.
 */
import type { HttpResponse, Route } from '../http/types.ts'
import type { HealthQuestion } from './health.ts'

const JSON_TYPE = ['content-type', 'application/json; charset=utf-8'] as const

export function healthRoutes(health: HealthQuestion, isDraining: () => boolean): Route[] {
  const live = (): HttpResponse => answer(200, { live: true })

  async function ready(): Promise<HttpResponse> {
    const { unready } = await health()
    const reason = isDraining() ? 'the server is shutting down' : unready
    return reason === null ? answer(200, { ready: true }) : answer(503, { ready: false, reason })
  }

  return [
    { method: 'GET', pattern: '/health/live', auth: 'none', handle: live },
    { method: 'GET', pattern: '/health/ready', auth: 'none', handle: ready },
  ]
}

function answer(status: number, body: object): HttpResponse {
  const retry = status === 503 ? ([['retry-after', '1']] as const) : []
  return { status, headers: [JSON_TYPE, ...retry], body: JSON.stringify(body) }
}
