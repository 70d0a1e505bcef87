/**
 * What GET /version says. The first number is Gotify's: clients read it to know which API they
 * talk to.
 */
import type { VersionInfo } from './manage/deps.ts'

export const VERSION: VersionInfo = {
  version: '3.0.0',
  commit: 'bellwire-0.1.0',
  buildDate: '2026-11-22T00:00:00Z',
}
