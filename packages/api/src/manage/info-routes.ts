/**
 * Endpoints about the server itself: health and version. Main thread; no credentials needed. Green
 * means that a publish would be stored now, not only that the database answers.
 */
import { databaseQuestion } from '../health/database-question.ts'
import type { HttpResponse, Route } from '../http/types.ts'
import { json } from './answers.ts'
import type { ManagementDeps } from './deps.ts'

export function infoRoutes({ config, db, version, takesMessages }: ManagementDeps): Route[] {
  const databaseAnswers = databaseQuestion(db)

  async function health(): Promise<HttpResponse> {
    const answers = await Promise.all([takesMessages?.() ?? true, databaseAnswers()])
    const healthy = answers.every((good) => good)
    return {
      status: healthy ? 200 : 500,
      headers: [['content-type', 'application/json; charset=utf-8']],
      body: healthy
        ? '{"health":"green","database":"green"}'
        : '{"health":"orange","database":"red"}',
    }
  }

  const info = {
    version: version.version,
    register: config.registration,
    oidc: config.oidc.enabled,
  }
  const probe = { pattern: '/health', auth: 'none', outsideApi: true, handle: health } as const
  return [
    { method: 'GET', ...probe },
    { method: 'HEAD', ...probe },
    { method: 'GET', pattern: '/version', auth: 'none', handle: () => json(version) },
    { method: 'GET', pattern: '/gotifyinfo', auth: 'none', handle: () => json(info) },
  ]
}
