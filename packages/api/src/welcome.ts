/** What a person sees when the server listens: where it is, who may log in, what to try. Main thread. */
import type { Config } from '@bellwire/common/config'

const DEFAULT_PASSWORD = 'admin'

export function welcome(
  { defaultUser, server }: Config,
  { address, port, madeAdmin }: { address: string; port: number; madeAdmin: boolean },
): string {
  if (port === 0) return `\nBellwire listens on ${address}\n\n`
  const any =
    server.listenAddr === '' || server.listenAddr === '0.0.0.0' || server.listenAddr === '::'
  const host = any ? 'localhost' : address.slice(0, address.lastIndexOf(':'))
  const { ssl } = server
  const base = ssl.enabled
    ? `https://${host}${ssl.port === 443 ? '' : `:${ssl.port}`}`
    : `http://${host}${port === 80 ? '' : `:${port}`}`
  // One that was chosen may be a secret, and this text stays in the log of a container.
  const isDefault = madeAdmin && defaultUser.pass === DEFAULT_PASSWORD
  const chosen = 'the password you chose (GOTIFY_DEFAULTUSER_PASS)'
  const password = isDefault ? `the password "${DEFAULT_PASSWORD}" (change it soon)` : chosen
  const login = madeAdmin
    ? `  Log in as "${defaultUser.name}" with ${password}.`
    : '  Log in with the users you have.'
  return `
Bellwire listens on ${base}

${login}

  Make an application; its answer holds a token:
    curl -u '${defaultUser.name}:${isDefault ? DEFAULT_PASSWORD : 'PASSWORD'}' -F name=backup ${base}/application
  Send a message with it:
    curl -F title=Backup -F message="It is done" "${base}/message?token=TOKEN"

`
}
