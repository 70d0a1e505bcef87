/** Finds a port below the ephemeral range: above it, our own outgoing sockets could take the port first. */
import { once } from 'node:events'
import net from 'node:net'

export async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    const server = net.createServer()
    const listening = new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!(await listening)) continue
    server.close()
    await once(server, 'close')
    return port
  }
}
