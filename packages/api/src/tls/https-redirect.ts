/**
 * What plain HTTP answers where everything is to go over HTTPS; statuses and words are Gotify's.
 * Main thread; asked by the plain server before its routes.
 */
import type { FirstLook, Front } from '../http/front.ts'
import type { HttpResponse } from '../http/types.ts'
import { CHALLENGE_PATH } from './acme/challenges.ts'

const HTTPS_PORT = 443
const HOST = /^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?$/
const PLAIN_TEXT = ['content-type', 'text/plain; charset=utf-8'] as const

/**
 * Challenges of a certificate authority are let through: they come over plain HTTP.
 * @param port tells the port of HTTPS
 */
export function redirectToHttps(port: () => number): Front {
  return (request) => {
    if (request.target.startsWith(CHALLENGE_PATH)) return null
    return redirect(request, port())
  }
}

function redirect({ method, host, target }: FirstLook, port: number): HttpResponse {
  // A body has come in the clear already: sending it again would hide that.
  if (method !== 'GET' && method !== 'HEAD') return refuse('Use HTTPS')
  if (!HOST.test(host)) return refuse('The Host header is not valid')
  const name = host.replace(/:\d+$/, '')
  const authority = port === HTTPS_PORT ? name : `${name}:${port}`
  return { status: 302, headers: [['location', `https://${authority}${target}`]] }
}

function refuse(text: string): HttpResponse {
  return { status: 400, headers: [PLAIN_TEXT], body: text }
}
