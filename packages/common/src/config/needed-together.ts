/**
 * Settings that are right each for itself and useless without another: HTTPS without a certificate,
 * sign-in without a provider. Used by load-config.ts.
 */
import type { SettingValues } from './settings/index.ts'

/** A name that a certificate authority can look up: no address, no wildcard (HTTP-01 proves neither). */
const DNS_NAME =
  /^(?=.{1,253}$)(?!.*\.\d+$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i

/** One line for each setting that lacks another. */
export function findMissing(values: SettingValues): string[] {
  return [...tlsProblems(values), ...letsEncryptProblems(values), ...oidcProblems(values)]
}

function tlsProblems(values: SettingValues): string[] {
  if (!values.GOTIFY_SERVER_SSL_ENABLED || values.GOTIFY_SERVER_SSL_LETSENCRYPT_ENABLED) return []
  const files = ['GOTIFY_SERVER_SSL_CERTFILE', 'GOTIFY_SERVER_SSL_CERTKEY'] as const
  return files
    .filter((name) => values[name] === '')
    .map(
      (name) =>
        `${name}: must be the path of a PEM file when GOTIFY_SERVER_SSL_ENABLED is true and Let's Encrypt is not used`,
    )
}

function letsEncryptProblems(values: SettingValues): string[] {
  if (!values.GOTIFY_SERVER_SSL_LETSENCRYPT_ENABLED) return []
  const problems: string[] = []
  if (!values.GOTIFY_SERVER_SSL_ENABLED) {
    problems.push(
      'GOTIFY_SERVER_SSL_ENABLED: must be true when GOTIFY_SERVER_SSL_LETSENCRYPT_ENABLED is',
    )
  }
  if (!values.GOTIFY_SERVER_SSL_LETSENCRYPT_ACCEPTTOS) {
    problems.push(
      "GOTIFY_SERVER_SSL_LETSENCRYPT_ACCEPTTOS: must be true to use Let's Encrypt; its terms of service are at https://letsencrypt.org/repository/",
    )
  }
  const hosts = values.GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS
  const wrong = hosts.filter((host) => !DNS_NAME.test(host))
  if (hosts.length === 0) {
    problems.push(
      'GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS: must name at least one host, such as push.example.org',
    )
  } else if (wrong.length > 0) {
    problems.push(
      `GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS: must be host names without wildcards: value was ${JSON.stringify(wrong.join(','))}`,
    )
  }
  return problems
}

function oidcProblems(values: SettingValues): string[] {
  if (!values.GOTIFY_OIDC_ENABLED) return []
  const problems: string[] = []
  for (const name of ['GOTIFY_OIDC_ISSUER', 'GOTIFY_OIDC_REDIRECTURL'] as const) {
    if (isPlainHttpUrl(values[name])) continue
    problems.push(
      `${name}: must be an http(s) URL without query and fragment when GOTIFY_OIDC_ENABLED is true: value was ${JSON.stringify(values[name])}`,
    )
  }
  if (values.GOTIFY_OIDC_CLIENTID === '') {
    problems.push('GOTIFY_OIDC_CLIENTID: must be set when GOTIFY_OIDC_ENABLED is true')
  }
  if (values.GOTIFY_OIDC_USERNAMECLAIM === '') {
    problems.push('GOTIFY_OIDC_USERNAMECLAIM: must be set when GOTIFY_OIDC_ENABLED is true')
  }
  if (!values.GOTIFY_OIDC_SCOPES.includes('openid')) {
    problems.push('GOTIFY_OIDC_SCOPES: must hold openid when GOTIFY_OIDC_ENABLED is true')
  }
  return problems
}

function isPlainHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, search, hash } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && search === '' && hash === ''
}
