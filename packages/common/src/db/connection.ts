/**
 * Where a PostgreSQL server is and how to log in. Plain data, so that it can travel to worker
 * threads by `workerData`. Made by the configuration (external server) or by the embedded server.
 */
export interface DatabaseConnection {
  /** Host name, address, or the absolute path of a folder that holds a unix socket. */
  readonly host: string
  /** TCP port, or the number in the name of the socket file. */
  readonly port: number
  readonly user: string
  /** '' where the server asks for none. */
  readonly password: string
  readonly database: string
  readonly ssl: false | DatabaseTls
}

/** PEM texts, not paths. */
export interface DatabaseTls {
  /** False accepts any certificate (libpq's sslmode=require). */
  readonly rejectUnauthorized: boolean
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}
