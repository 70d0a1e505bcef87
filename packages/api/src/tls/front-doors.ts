/**
 * Where a process takes connections: plain HTTP alone, or plain HTTP beside HTTPS, with certificates
 * from files or from an ACME authority. Main thread; the gateway opens and closes the doors.
 */
import { systemClock } from '@bellwire/common'
import type { SslConfig } from '@bellwire/common/config'
import type { Database } from '@bellwire/common/db'
import type { Kysely } from 'kysely'
import { ConnectionLimit } from '../http/connection-limit.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../http/server.ts'
import { CertificateCache } from './acme/certificate-cache.ts'
import { Challenges } from './acme/challenges.ts'
import { LETS_ENCRYPT, orderCertificate } from './acme/order-certificate.ts'
import { Renewal } from './acme/renewal.ts'
import { runAlone } from './acme/run-alone.ts'
import { cannotServe, type Certificate, CertificateError, readCertificate } from './certificate.ts'
import { redirectToHttps } from './https-redirect.ts'
import { TlsDoor } from './tls-door.ts'

export interface FrontDoorsOptions<Connection> extends HttpServerOptions<Connection> {
  readonly ssl: SslConfig
  /** Orders of certificates are made by one process at a time. */
  readonly db: Kysely<Database>
}

export interface FrontDoors {
  /**
   * Tells where plain HTTP is served; HTTPS says it in the log.
   * @throws {StartError} with one line that says why
   */
  listen(): Promise<{ readonly address: string; readonly port: number }>
  /** Takes no new connection. */
  stopAccepting(): Promise<void>
  /** Resolves when everything accepted is answered, and refuses what comes from now on. */
  finish(): Promise<void>
  /** Ends every connection. */
  close(): Promise<void>
}

export function createFrontDoors<Connection>(options: FrontDoorsOptions<Connection>): FrontDoors {
  return options.ssl.enabled ? new TlsFrontDoors(options) : createHttpServer(options)
}

class TlsFrontDoors<Connection> implements FrontDoors {
  readonly #plain: HttpServer
  readonly #door: TlsDoor
  readonly #renewal: Renewal | null

  constructor(options: FrontDoorsOptions<Connection>) {
    const { publish, stream, ...rest } = options
    const { ssl, log } = options
    const { letsEncrypt } = ssl
    const common = { ...rest, limit: new ConnectionLimit() }
    const whole = { ...common, ...(publish && { publish }), ...(stream && { stream }) }
    const challenges = new Challenges(letsEncrypt.cache)
    const directoryUrl = letsEncrypt.directoryUrl || LETS_ENCRYPT
    const cache = new CertificateCache(letsEncrypt.cache, letsEncrypt.hosts, directoryUrl)
    const { certificateFile } = cache
    const files = letsEncrypt.enabled
      ? { certFile: certificateFile, keyFile: certificateFile }
      : { certFile: ssl.certFile, keyFile: ssl.certKey }

    this.#door = new TlsDoor({
      files,
      log,
      createServer: () =>
        createHttpServer({ ...whole, address: ssl.listenAddr, port: ssl.port, tls: files }),
    })
    this.#renewal = letsEncrypt.enabled
      ? new Renewal({
          clock: options.clock ?? systemClock,
          log,
          current: () => usable(readCertificate(files)),
          order: () =>
            orderCertificate({ directoryUrl, hosts: letsEncrypt.hosts, cache, challenges }),
          alone: (work) => runAlone(options.db, work),
          renewed: () => this.#door.look(),
        })
      : null
    const challengeRoutes = letsEncrypt.enabled ? [challenges.route()] : []
    this.#plain = createHttpServer(
      ssl.redirectToHttps
        ? {
            ...common,
            routes: challengeRoutes,
            front: redirectToHttps(() => this.#door.port ?? ssl.port),
          }
        : { ...whole, routes: [...options.routes, ...challengeRoutes] },
    )
  }

  async listen(): Promise<{ address: string; port: number }> {
    const plain = await this.#plain.listen()
    try {
      await this.#door.open()
    } catch (error) {
      // An authority wants to see the plain door before it gives the first certificate.
      if (!(error instanceof CertificateError) || this.#renewal === null) {
        await this.#plain.close()
        throw cannotServe(error)
      }
    }
    this.#door.watch()
    this.#renewal?.start()
    return plain
  }

  async stopAccepting(): Promise<void> {
    this.#renewal?.stop()
    await Promise.all([this.#plain.stopAccepting(), this.#door.stopAccepting()])
  }

  async finish(): Promise<void> {
    await Promise.all([this.#plain.finish(), this.#door.server?.finish()])
  }

  async close(): Promise<void> {
    await this.stopAccepting()
    await Promise.all([this.#plain.close(), this.#door.server?.close()])
  }
}

async function usable(certificate: Promise<Certificate>): Promise<Certificate | null> {
  try {
    return await certificate
  } catch (error) {
    if (error instanceof CertificateError) return null
    throw error
  }
}
