/** What the browser routes of the sign-in answer: pages and plain text, as Gotify does. Main thread. */
import { PushError } from '@bellwire/common'
import { toPushError } from '@bellwire/common/db'
import type { HttpResponse, PublicRoute } from '../http/types.ts'
import { ExchangeError } from './provider.ts'

const TEXT: NonNullable<HttpResponse['headers']> = [
  ['content-type', 'text/plain; charset=utf-8'],
  ['x-content-type-options', 'nosniff'],
]
/** Gotify's web app opens the sign-in in a window of its own and looks again when that closes. */
const ELEVATED_PAGE = `<!DOCTYPE html>
<html lang="en">
<head>
  <title>Session elevation</title>
  <meta charset="UTF-8" />
  <meta name="viewport" content="width=device-width,initial-scale=1" />
</head>
<body>
  <h1 style="text-align:center">The session is elevated. Close this tab to continue.</h1>
  <script>window.close();</script>
</body>
</html>
`

export const elevatedPage: HttpResponse = {
  status: 200,
  headers: [['content-type', 'text/html; charset=utf-8']],
  body: ELEVATED_PAGE,
}

export function plainText(status: number, text: string): HttpResponse {
  return { status, headers: TEXT, body: `${text}\n` }
}

/** Turns what the handler throws into plain text; a person reads it. */
export function withTextErrors(handle: PublicRoute['handle']): PublicRoute['handle'] {
  return async (context) => {
    try {
      return await handle(context)
    } catch (error) {
      if (error instanceof ExchangeError) return plainText(401, `sign-in failed: ${error.message}`)
      const known = toPushError(error)
      if (known instanceof PushError) return plainText(known.httpStatus, known.message)
      throw error
    }
  }
}
