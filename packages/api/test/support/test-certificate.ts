/** Certificates for tests, signed by themselves, by the library that acme-client makes its requests with. */
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

export interface TestCertificate {
  readonly certificate: string
  readonly key: string
  /** As tls.TLSSocket.getPeerCertificate() tells it. */
  readonly serialNumber: string
}

const DAY_MS = 24 * 60 * 60 * 1000
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

let serials = 0

/** For 127.0.0.1 and localhost. */
export async function createTestCertificate(days = 30): Promise<TestCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const serialNumber = `0${++serials}`
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: 'CN=localhost',
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`
  return { certificate: `${certificate.toString('pem')}\n`, key, serialNumber }
}
