/** The settings of one process, as the rest of Bellwire sees them: parsed, checked, frozen. Units are in the names. */
export interface Config {
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** GOTIFY_DATADIR: folder of the embedded database and the images. */
  readonly dataDir: string
  readonly server: ServerConfig
  readonly database: { readonly dialect: 'embedded' | 'postgres'; readonly connection: string }
  readonly defaultUser: { readonly name: string; readonly pass: string }
  /** bcrypt cost. */
  readonly passStrength: number
  readonly uploadedImagesDir: string
  /** Of messages, for applications without a rule of their own; 0: keep. */
  readonly retention: { readonly days: number; readonly count: number }
  readonly registration: boolean
  readonly oidc: OidcConfig
}

export interface ServerConfig {
  readonly keepAlivePeriodSeconds: number
  /** Address, '' for all, or `unix:/path`. */
  readonly listenAddr: string
  readonly port: number
  /** True when somebody chose the port; false when it is the default. */
  readonly portIsExplicit: boolean
  readonly maxBodyBytes: number
  readonly ssl: SslConfig
  readonly responseHeaders: Readonly<Record<string, string>>
  readonly stream: StreamConfig
  readonly cors: {
    readonly allowOrigins: readonly RegExp[]
    readonly allowMethods: readonly string[]
    readonly allowHeaders: readonly string[]
  }
  readonly trustedProxies: readonly string[]
  readonly secureCookie: boolean
  /** Folder of a built web app served at /; '' for the built-in start page. */
  readonly uiDir: string
  /** New tokens have the 15 characters of Gotify 2 unless a request says otherwise. */
  readonly legacyTokens: boolean
  readonly cluster: { readonly processes: number; readonly hints: string }
}

export interface StreamConfig {
  readonly pingPeriodSeconds: number
  readonly allowedOrigins: readonly RegExp[]
  readonly shardCount: number
  /** Worker threads; never 0 here (0 in the setting is resolved to cores - 1, at least 1). */
  readonly shardThreads: number
  readonly readBufferSize: number
  readonly writeBufferSize: number
  readonly channelBufferSize: number
  /** Time over which connections are closed on a stop. */
  readonly drainSeconds: number
  /** Connections opened in a second; 0 for no limit. */
  readonly connectsPerSecond: number
}

export interface SslConfig {
  readonly enabled: boolean
  readonly redirectToHttps: boolean
  readonly listenAddr: string
  readonly port: number
  readonly certFile: string
  readonly certKey: string
  readonly letsEncrypt: {
    readonly enabled: boolean
    readonly acceptTos: boolean
    readonly cache: string
    readonly directoryUrl: string
    readonly hosts: readonly string[]
  }
}

export interface OidcConfig {
  readonly enabled: boolean
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUrl: string
  readonly usernameClaim: string
  readonly autoRegister: boolean
  readonly linkByUsername: boolean
  readonly scopes: readonly string[]
}
