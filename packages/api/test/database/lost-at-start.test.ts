/** A database that is reached, and goes away before a start has come to its end. */
import { createLogger } from '@bellwire/common'
import { loadConfig } from '@bellwire/common/config'
import { DatabaseStartError } from '@bellwire/common/db'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { prepareDatabase } from '../../src/database/prepare-database.ts'

t.test('[STORE13] A database lost during the start is told in one line', async (t) => {
  const server = createServer((socket) => socket.once('data', () => socket.end()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { config } = loadConfig({ env: {}, cwd: '/', home: '', cpuCount: 1 })
  const connection = { host: '127.0.0.1', port, user: 'u', password: '', database: 'd' }
  const log = createLogger({ level: 'silent', name: 'test' })
  const failure: unknown = await prepareDatabase(config, { ...connection, ssl: false }, log).catch(
    (error: unknown) => error,
  )
  t.ok(failure instanceof DatabaseStartError)
  t.match(String(failure), /^DatabaseStartError: The database was lost during the start: .+$/)
})
