/**
 * The OpenID Connect provider as the sign-in sees it: where to send people, and who came back. Main
 * thread. The protocol is openid-client's; this file says what Bellwire asks of it.
 */
import { PushError } from '@bellwire/common'
import type { OidcConfig } from '@bellwire/common/config'
import * as client from 'openid-client'

/** Well below the time within which every request is answered. */
const TIMEOUT_SECONDS = 8

export interface Identity {
  readonly issuer: string
  readonly subject: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** The provider refused a code; the message is what the caller may know. */
export class ExchangeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ExchangeError'
  }
}

export class Provider {
  readonly #config: OidcConfig
  #discovered: Promise<client.Configuration> | null = null

  constructor(config: OidcConfig) {
    this.#config = config
  }

  /**
   * Returns the URL to send a person to.
   * @param redirectUri where the provider sends the person afterwards
   * @param challenge S256 of the verifier that ends the flow (PKCE)
   * @throws {PushError} OVERLOADED if the provider can't be reached
   */
  async authorizeUrl(redirectUri: string, state: string, challenge: string): Promise<string> {
    const url = client.buildAuthorizationUrl(await this.#discover(), {
      redirect_uri: redirectUri,
      scope: this.#config.scopes.join(' '),
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    })
    return url.href
  }

  /**
   * Exchanges a code for what the provider says about its person.
   * @param answer the redirect URI with the parameters that came with it
   * @throws {ExchangeError} for a wrong, used or late code
   * @throws {PushError} OVERLOADED if the provider can't be reached
   */
  async identify(answer: URL, state: string, verifier: string): Promise<Identity> {
    const provider = await this.#discover()
    try {
      const tokens = await client.authorizationCodeGrant(provider, answer, {
        expectedState: state,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      const { iss = '', sub = '' } = tokens.claims() ?? {}
      const claims = await client.fetchUserInfo(provider, tokens.access_token, sub)
      return { issuer: iss, subject: sub, claims }
    } catch (error) {
      throw explain(error)
    }
  }

  /** The issuer, for answers that reach us without naming theirs. */
  async issuer(): Promise<string> {
    return (await this.#discover()).serverMetadata().issuer
  }

  /** Asks once for all; a failure is forgotten, so the next sign-in asks again. */
  async #discover(): Promise<client.Configuration> {
    this.#discovered ??= discover(this.#config)
    try {
      return await this.#discovered
    } catch (error) {
      this.#discovered = null
      throw explain(error)
    }
  }
}

async function discover(config: OidcConfig): Promise<client.Configuration> {
  const issuer = new URL(config.issuer)
  // Gotify takes providers on plain HTTP too: those of a network at home.
  const plain = issuer.protocol === 'http:'
  const { clientId, clientSecret } = config
  const options = {
    execute: plain ? [client.allowInsecureRequests] : [],
    timeout: TIMEOUT_SECONDS,
  }
  const found = await client.discovery(issuer, clientId, undefined, client.None(), options)
  const metadata = found.serverMetadata()
  const authentication = authenticationFor(
    clientSecret,
    metadata.token_endpoint_auth_methods_supported,
  )
  const provider = new client.Configuration(metadata, clientId, undefined, authentication)
  provider.timeout = TIMEOUT_SECONDS
  if (plain) client.allowInsecureRequests(provider)
  return provider
}

/** RFC 8414: a provider that names no method takes client_secret_basic. */
function authenticationFor(
  secret: string,
  methods: readonly string[] = ['client_secret_basic'],
): client.ClientAuth {
  if (secret === '') return client.None()
  return methods.includes('client_secret_basic') || !methods.includes('client_secret_post')
    ? client.ClientSecretBasic(secret)
    : client.ClientSecretPost(secret)
}

function explain(error: unknown): unknown {
  if (
    error instanceof client.ResponseBodyError ||
    error instanceof client.AuthorizationResponseError
  ) {
    const { error: code, error_description: description } = error
    return new ExchangeError(description === undefined ? code : `${code}: ${description}`, {
      cause: error,
    })
  }
  if (!(error instanceof client.ClientError)) return unreachable(error)
  if (error.code === 'OAUTH_TIMEOUT' || error.code === 'OAUTH_RESPONSE_IS_NOT_CONFORM') {
    return unreachable(error)
  }
  return new ExchangeError(error.message, { cause: error })
}

function unreachable(cause: unknown): PushError {
  return new PushError('OVERLOADED', 'the identity provider cannot be reached, try again', {
    cause,
  })
}
