// `npm run prove [-- --minutes N --seed N]`: brings the clone up to date, then shows that nothing is lost
// (docs/reliability.md). The proof runs in this very process, so signals and exit code are its own.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bootstrap, root } from './bootstrap.mjs'

try {
  await bootstrap()
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}

await import(pathToFileURL(join(root, 'bench/dist/src/prove/main.js')).href)
