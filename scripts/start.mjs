// `npm start`: brings the clone up to date, then becomes the server.
// The server runs in this very process, so signals, exit code and memory are its own.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bootstrap, root } from './bootstrap.mjs'

const main = join(root, 'packages/api/dist/src/main.js')

try {
  await bootstrap(['packages/api'])
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}

// As if started by `node packages/api/dist/src/main.js`: a cluster starts this file again per process.
process.argv[1] = main
await import(pathToFileURL(main).href)
