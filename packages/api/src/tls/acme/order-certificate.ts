/**
 * One order at a certificate authority by ACME (RFC 8555), from the account to the stored
 * certificate, by the library acme-client. Main thread; renewal.ts says when. The library takes a
 * quarter of a second and 20 MB to load, so only who orders loads it.
 */
import type { CertificateCache } from './certificate-cache.ts'
import type { Challenges } from './challenges.ts'

export interface OrderOptions {
  readonly directoryUrl: string
  /** All of them go into one certificate. */
  readonly hosts: readonly string[]
  readonly cache: CertificateCache
  readonly challenges: Challenges
}

export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'

/** The operator has accepted the terms of service: without GOTIFY_SERVER_SSL_LETSENCRYPT_ACCEPTTOS nothing starts. */
export async function orderCertificate(options: OrderOptions): Promise<void> {
  const { cache, challenges, directoryUrl, hosts } = options
  const { default: acme } = await import('acme-client')
  const accountKey = await cache.accountKey(() => acme.crypto.createPrivateEcdsaKey())
  const client = new acme.Client({ directoryUrl, accountKey })
  const [key, csr] = await acme.crypto.createCsr(
    { altNames: [...hosts] },
    await acme.crypto.createPrivateEcdsaKey(),
  )
  const chain = await client.auto({
    csr,
    termsOfServiceAgreed: true,
    challengePriority: ['http-01'],
    // From inside, the public name often leads nowhere; the authority is the one to look.
    skipChallengeVerification: true,
    challengeCreateFn: (_authorization, challenge, answer) =>
      challenges.put(challenge.token, answer),
    challengeRemoveFn: (_authorization, challenge) => challenges.remove(challenge.token),
  })
  await cache.store(key, chain)
}
