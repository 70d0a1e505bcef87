/** HTTPS and the stream over TLS, as raw as the tests need them: each connection is a new one, and its certificate is told. */
import { once } from 'node:events'
import { request } from 'node:https'
import { connect, TLSSocket } from 'node:tls'

export interface TlsAnswer {
  readonly status: number
  readonly text: string
  /** Of the certificate that the server showed. */
  readonly serialNumber: string
}

export interface TlsCall {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const HOST = '127.0.0.1'

export function callTls(port: number, path: string, options: TlsCall = {}): Promise<TlsAnswer> {
  const { method = 'GET', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const call = request(
      { host: HOST, port, path, method, headers, agent: false, rejectUnauthorized: false },
      (response) => {
        const { socket } = response
        if (!(socket instanceof TLSSocket)) throw new TypeError('The connection is not encrypted')
        const { serialNumber } = socket.getPeerCertificate()
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, serialNumber }))
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

/** An open stream: everything that came in, frames and all. */
export interface TlsStream {
  readonly text: () => string
  readonly ended: () => boolean
  destroy(): void
}

export async function openTlsStream(port: number, token: string): Promise<TlsStream> {
  const socket = connect({ host: HOST, port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  let text = ''
  let ended = false
  socket.setEncoding('latin1').on('data', (part: string) => (text += part))
  socket.on('error', () => (ended = true)).on('close', () => (ended = true))
  socket.write(
    `GET /stream?token=${token} HTTP/1.1\r\nHost: ${HOST}:${port}\r\nUpgrade: websocket\r\n` +
      'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  await eventually(() => text.includes('\r\n\r\n'))
  if (!text.startsWith('HTTP/1.1 101')) throw new Error(`No stream: ${text}`)
  return { text: () => text, ended: () => ended, destroy: () => socket.destroy() }
}

/** Waits until it is true; the caller's test has the time limit. */
export async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20))
}
