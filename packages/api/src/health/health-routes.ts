/**
 * GET /health/live and /health/ready, for orchestrators; Gotify's own /health is in
 * manage/info-routes.ts. Main thread; no credentials needed. Live: the process answers. Ready: every
 * shard thread has lately proved that a message would come through, and nobody has said stop.
 */
import type { HttpResponse, Route } from '../http/types.ts'
import { CANARY_BOUND_MS, type Canaries } from './canaries.ts'

const JSON_TYPE = ['content-type', 'application/json; charset=utf-8'] as const

export function healthRoutes(canaries: Canaries, isDraining: () => boolean): Route[] {
  const live = (): HttpResponse => answer(200, { live: true })

  function ready(): HttpResponse {
    if (isDraining()) return answer(503, { ready: false, reason: 'the server is shutting down' })
    if (canaries.fresh) return answer(200, { ready: true })
    const bound = CANARY_BOUND_MS / 1_000
    const late = canaries.ages().findIndex((age) => age > CANARY_BOUND_MS)
    const reason = `shard thread ${late} has committed and answered nothing for ${bound} s`
    return answer(503, { ready: false, reason })
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
