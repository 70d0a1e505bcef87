/**
 * The HTTPS server over certificate files: opens when they hold a certificate, and serves a new one
 * when they change. Main thread. The files are read every few seconds, because links, mounted
 * folders and half-written files make notifications of the system unreliable.
 */
import type { Logger } from 'pino'
import type { CertificateFiles, HttpServer } from '../http/server.ts'
import { type Certificate, CertificateError, readCertificate } from './certificate.ts'

const LOOK_EVERY_MS = 2_000

export interface TlsDoorOptions {
  readonly files: CertificateFiles
  /** Makes the server; called once, when the files hold a certificate. */
  readonly createServer: () => HttpServer
  readonly log: Logger
  readonly lookEveryMs?: number
}

export class TlsDoor {
  readonly #options: TlsDoorOptions
  #server: HttpServer | null = null
  #place: { readonly address: string; readonly port: number } | null = null
  /** Fingerprint of the certificate that new connections get. */
  #served = ''
  /** Why the last look ended in nothing, and for how many looks in a row. */
  #refusal = ''
  #refusals = 0
  #looking: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(options: TlsDoorOptions) {
    this.#options = options
  }

  /** Where it listens; null before there is a certificate. */
  get port(): number | null {
    return this.#place?.port ?? null
  }

  get server(): HttpServer | null {
    return this.#server
  }

  /** @throws {CertificateError | StartError} if there is no certificate, or no place to listen */
  async open(): Promise<void> {
    await this.#serve(await readCertificate(this.#options.files))
  }

  /** Looks at the files from now on. */
  watch(): void {
    const every = this.#options.lookEveryMs ?? LOOK_EVERY_MS
    this.#timer = setInterval(() => void this.look(), every)
    this.#timer.unref()
  }

  /** Serves what is in the files now, if that is new and can be used. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  /** Takes no new connection and no new certificate. */
  async stopAccepting(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#looking
    await this.#server?.stopAccepting()
  }

  async #look(): Promise<void> {
    try {
      const certificate = await readCertificate(this.#options.files)
      if (certificate.fingerprint !== this.#served) await this.#serve(certificate)
      this.#refusal = ''
    } catch (error) {
      this.#tell(error)
    }
  }

  async #serve({ fingerprint, notAfter }: Certificate): Promise<void> {
    const { createServer, files, log } = this.#options
    const server = this.#server ?? createServer()
    if (this.#server === null) {
      this.#place = await server.listen()
      this.#server = server
    } else {
      await server.renewCertificate()
    }
    // Files that changed in between are looked at again.
    const { fingerprint: now } = await readCertificate(files)
    if (now === fingerprint) this.#served = fingerprint
    log.info({ address: this.#place?.address, until: new Date(notAfter) }, 'HTTPS is served')
  }

  /** Two files cannot change in one moment, so only a refusal that stays is worth a line. */
  #tell(error: unknown): void {
    const refusal = String(error)
    this.#refusals = refusal === this.#refusal ? this.#refusals + 1 : 1
    this.#refusal = refusal
    if (this.#refusals !== 2) return
    if (error instanceof CertificateError && this.#server === null) return
    this.#options.log.error({ err: error }, 'The certificate in the files cannot be served')
  }
}
