/**
 * Lays the parsed settings out as the Config that the rest of Bellwire reads: paths made absolute,
 * 0 resolved where it stands for a computed value. Pure; used by load-config.ts.
 */
import { join, resolve } from 'node:path'
import type { SettingName, SettingValues } from './settings/index.ts'
import type { Config, OidcConfig, ServerConfig, SslConfig, StreamConfig } from './types.ts'

export interface BuildContext {
  /** Relative paths start here. */
  readonly cwd: string
  /** Cores this process may use. */
  readonly cpuCount: number
  readonly isSet: (name: SettingName) => boolean
  readonly database: Config['database']
}

export function buildConfig(values: SettingValues, context: BuildContext): Config {
  const dataDir = resolve(context.cwd, values.GOTIFY_DATADIR)
  /** Gotify's default lies in data/, which is GOTIFY_DATADIR here, so an unset one moves along. */
  const inDataDir = (
    name: 'GOTIFY_UPLOADEDIMAGESDIR' | 'GOTIFY_SERVER_SSL_LETSENCRYPT_CACHE',
    folder: string,
  ): string => (context.isSet(name) ? resolve(context.cwd, values[name]) : join(dataDir, folder))

  return {
    logLevel: values.GOTIFY_LOGLEVEL,
    dataDir,
    server: serverConfig(
      values,
      context,
      inDataDir('GOTIFY_SERVER_SSL_LETSENCRYPT_CACHE', 'certs'),
    ),
    database: context.database,
    defaultUser: { name: values.GOTIFY_DEFAULTUSER_NAME, pass: values.GOTIFY_DEFAULTUSER_PASS },
    passStrength: values.GOTIFY_PASSSTRENGTH,
    uploadedImagesDir: inDataDir('GOTIFY_UPLOADEDIMAGESDIR', 'images'),
    retention: {
      days: values.GOTIFY_MESSAGES_RETENTIONDAYS,
      count: values.GOTIFY_MESSAGES_RETENTIONCOUNT,
    },
    registration: values.GOTIFY_REGISTRATION,
    oidc: oidcConfig(values),
  }
}

function serverConfig(
  values: SettingValues,
  context: BuildContext,
  certificates: string,
): ServerConfig {
  const processes = values.GOTIFY_SERVER_CLUSTER_PROCESSES || context.cpuCount
  return {
    keepAlivePeriodSeconds: values.GOTIFY_SERVER_KEEPALIVEPERIODSECONDS,
    listenAddr: absoluteSocket(values.GOTIFY_SERVER_LISTENADDR, context.cwd),
    port: values.GOTIFY_SERVER_PORT,
    portIsExplicit: context.isSet('GOTIFY_SERVER_PORT'),
    maxBodyBytes: values.GOTIFY_SERVER_MAXBODYBYTES,
    ssl: sslConfig(values, context.cwd, certificates),
    responseHeaders: values.GOTIFY_SERVER_RESPONSEHEADERS,
    stream: streamConfig(values, Math.floor(context.cpuCount / processes)),
    cors: {
      allowOrigins: values.GOTIFY_SERVER_CORS_ALLOWORIGINS,
      allowMethods: values.GOTIFY_SERVER_CORS_ALLOWMETHODS,
      allowHeaders: values.GOTIFY_SERVER_CORS_ALLOWHEADERS,
    },
    trustedProxies: values.GOTIFY_SERVER_TRUSTEDPROXIES,
    secureCookie: values.GOTIFY_SERVER_SECURECOOKIE,
    uiDir: absoluteUnlessEmpty(values.GOTIFY_SERVER_UIDIR, context.cwd),
    legacyTokens: values.GOTIFY_SERVER_LEGACYTOKENS,
    cluster: {
      processes,
      hints: values.GOTIFY_SERVER_CLUSTER_HINTS,
    },
  }
}

/** @param cpuCount cores that each process has for itself */
function streamConfig(values: SettingValues, cpuCount: number): StreamConfig {
  const shardCount = values.GOTIFY_SERVER_STREAM_SHARDCOUNT
  const threads = values.GOTIFY_SERVER_STREAM_SHARDTHREADS || Math.max(1, cpuCount - 1)
  return {
    pingPeriodSeconds: values.GOTIFY_SERVER_STREAM_PINGPERIODSECONDS,
    allowedOrigins: values.GOTIFY_SERVER_STREAM_ALLOWEDORIGINS,
    shardCount,
    // A thread beyond the shards would host none.
    shardThreads: Math.min(threads, 64, shardCount),
    readBufferSize: values.GOTIFY_SERVER_STREAM_READBUFFERSIZE,
    writeBufferSize: values.GOTIFY_SERVER_STREAM_WRITEBUFFERSIZE,
    channelBufferSize: values.GOTIFY_SERVER_STREAM_CHANNELBUFFERSIZE,
    drainSeconds: values.GOTIFY_SERVER_STREAM_DRAINSECONDS,
    connectsPerSecond: values.GOTIFY_SERVER_STREAM_CONNECTSPERSECOND,
  }
}

function sslConfig(values: SettingValues, cwd: string, certificates: string): SslConfig {
  return {
    enabled: values.GOTIFY_SERVER_SSL_ENABLED,
    redirectToHttps: values.GOTIFY_SERVER_SSL_REDIRECTTOHTTPS,
    listenAddr: absoluteSocket(values.GOTIFY_SERVER_SSL_LISTENADDR, cwd),
    port: values.GOTIFY_SERVER_SSL_PORT,
    certFile: absoluteUnlessEmpty(values.GOTIFY_SERVER_SSL_CERTFILE, cwd),
    certKey: absoluteUnlessEmpty(values.GOTIFY_SERVER_SSL_CERTKEY, cwd),
    letsEncrypt: {
      enabled: values.GOTIFY_SERVER_SSL_LETSENCRYPT_ENABLED,
      acceptTos: values.GOTIFY_SERVER_SSL_LETSENCRYPT_ACCEPTTOS,
      cache: certificates,
      directoryUrl: values.GOTIFY_SERVER_SSL_LETSENCRYPT_DIRECTORYURL,
      hosts: values.GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS,
    },
  }
}

function oidcConfig(values: SettingValues): OidcConfig {
  return {
    enabled: values.GOTIFY_OIDC_ENABLED,
    issuer: values.GOTIFY_OIDC_ISSUER,
    clientId: values.GOTIFY_OIDC_CLIENTID,
    clientSecret: values.GOTIFY_OIDC_CLIENTSECRET,
    redirectUrl: values.GOTIFY_OIDC_REDIRECTURL,
    usernameClaim: values.GOTIFY_OIDC_USERNAMECLAIM,
    autoRegister: values.GOTIFY_OIDC_AUTOREGISTER,
    linkByUsername: values.GOTIFY_OIDC_LINK_BY_USERNAME,
    scopes: values.GOTIFY_OIDC_SCOPES,
  }
}

function absoluteUnlessEmpty(path: string, cwd: string): string {
  return path === '' ? '' : resolve(cwd, path)
}

function absoluteSocket(address: string, cwd: string): string {
  return address.startsWith('unix:')
    ? `unix:${resolve(cwd, address.slice('unix:'.length))}`
    : address
}
