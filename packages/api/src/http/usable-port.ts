/**
 * Finds a port for a person who chose none: the default is Gotify's port 80, which most systems
 * give to root alone. Main thread; before anything listens.
 */
import type { Config } from '@bellwire/common/config'
import { createServer } from 'node:net'

const FALLBACK_PORT = 8080

/** Returns the settings with port 8080 where nobody chose a port and the default may not be opened. */
export async function withUsablePort(config: Config): Promise<Config> {
  const { server } = config
  if (server.portIsExplicit || server.listenAddr.startsWith('unix:')) return config
  if (await mayOpen(server.listenAddr, server.port)) return config
  return { ...config, server: { ...server, port: FALLBACK_PORT } }
}

/** False only for a lack of permission: a port that is taken is told as such when it is opened. */
function mayOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EACCES'))
    probe.listen({ port, exclusive: true, ...(host !== '' && { host }) }, () => {
      probe.close(() => resolve(true))
    })
  })
}
