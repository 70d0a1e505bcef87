/**
 * Reads a certificate with its key and finds out whether they can be used, in words, because
 * uWebSockets.js only says that it failed. Main thread; before an app is made with the files.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { CertificateFiles } from '../http/server.ts'
import { StartError } from '../http/start-error.ts'

export interface Certificate {
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** Changes with any byte of the files. */
  readonly fingerprint: string
}

/** The files hold no certificate that can be served. */
export class CertificateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CertificateError'
  }
}

/** @throws {CertificateError} with the path of the file that is wrong and why */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const { certFile, keyFile } = files
  const [chain, key] = [await read(certFile), await read(keyFile)]
  const certificate = parse(certFile, () => new X509Certificate(chain))
  const privateKey = parse(keyFile, () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new CertificateError(`${keyFile}: the key is not that of the certificate`)
  }
  return {
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    fingerprint: createHash('sha256').update(chain).update('\0').update(key).digest('hex'),
  }
}

/** Puts a {@link CertificateError} into the words of a start that failed; another error stays as it is. */
export function cannotServe(error: unknown): unknown {
  if (!(error instanceof CertificateError)) return error
  const settings = 'GOTIFY_SERVER_SSL_CERTFILE, GOTIFY_SERVER_SSL_CERTKEY'
  return new StartError(`Cannot serve HTTPS (${settings}): ${error.message}`, { cause: error })
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new CertificateError(`${file}: ${reason(error)}`, { cause: error })
  }
}

function parse<T>(file: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new CertificateError(`${file}: ${reason(error)}`, { cause: error })
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!('code' in error)) return error.message
  switch (error.code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
      return 'this user may not read it'
    case 'ERR_OSSL_PEM_NO_START_LINE':
    case 'ERR_OSSL_UNSUPPORTED':
      return 'it holds nothing in PEM form that can be read'
    default:
      return error.message
  }
}
