/** Certificate files of a test's Bellwire, replaced as certbot and its like do it, and the settings that name them. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ADMIN } from '../support/api-client.ts'
import type { TestCertificate } from '../support/test-certificate.ts'
import type { TlsCall } from './tls-client.ts'

export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
  write(certificate: TestCertificate): Promise<void>
}

export async function certificateFiles(t: Test): Promise<CertificateFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'bellwire-tls-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  return {
    certFile,
    keyFile,
    async write({ certificate, key }) {
      await writeFile(`${keyFile}.new`, key)
      await writeFile(`${certFile}.new`, certificate)
      await rename(`${keyFile}.new`, keyFile)
      await rename(`${certFile}.new`, certFile)
    },
  }
}

/** @param port 0 lets the system choose */
export function tlsSettings(
  { certFile, keyFile }: CertificateFiles,
  port = 0,
): Readonly<Record<string, string>> {
  return {
    GOTIFY_SERVER_SSL_ENABLED: 'true',
    GOTIFY_SERVER_SSL_LISTENADDR: '127.0.0.1',
    GOTIFY_SERVER_SSL_PORT: String(port),
    GOTIFY_SERVER_SSL_CERTFILE: certFile,
    GOTIFY_SERVER_SSL_CERTKEY: keyFile,
  }
}

/** A POST of JSON by the administrator. */
export function adminPost(body: object): TlsCall {
  const authorization = `Basic ${Buffer.from(ADMIN).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/json' }
  return { method: 'POST', headers, body: JSON.stringify(body) }
}
