import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import t from 'tap'
import { createLogger, maskSecrets } from '../src/log.ts'

/** A logger and the lines it has written, parsed. */
function record(level = 'trace'): {
  log: ReturnType<typeof createLogger>
  text: () => string
  lines: () => Record<string, unknown>[]
} {
  let text = ''
  const destination = { write: (line: string): void => void (text += line) }
  return {
    log: createLogger({ level, name: 'gateway', destination }),
    text: () => text,
    lines: () =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

const TOKEN = `gtfyc.${'aB3-_'.repeat(9).slice(0, 43)}`

t.test('createLogger() writes a JSON line with level by name, time, name and pid', (t) => {
  const { log, lines } = record()
  log.warn({ count: 1 }, 'hello')
  t.match(lines(), [{ level: 'warn', name: 'gateway', pid: process.pid, count: 1, msg: 'hello' }])
  t.match(lines()[0]?.['time'], /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  t.end()
})

t.test('createLogger() writes nothing below its level', (t) => {
  const { log, text } = record('error')
  log.warn('no')
  log.child({ shard: 1 }).info('no')
  t.equal(text(), '')
  t.end()
})

t.test(
  '[AUTH15] createLogger() masks fields that hold a secret, down to the headers of a request',
  (t) => {
    const { log, text, lines } = record()
    const secret = 'hunter2'
    log.info({
      token: secret,
      password: secret,
      user: { name: 'a', pass: secret },
      oidc: { clientSecret: secret },
    })
    log.info({
      headers: {
        authorization: secret,
        cookie: secret,
        'set-cookie': [secret],
        'x-gotify-key': secret,
      },
    })
    log
      .child({ token: secret })
      .info({ req: { headers: { authorization: secret, 'x-gotify-key': secret, host: 'h' } } })
    t.notMatch(text(), /hunter2/)
    t.match(lines(), [
      { token: '***', user: { name: 'a' } },
      { headers: { cookie: '***' } },
      { token: '***', req: { headers: { host: 'h' } } },
    ])
    t.end()
  },
)

t.test('[AUTH15] createLogger() masks tokens wherever they stand in a line', (t) => {
  const { log, text, lines } = record()
  log.info(
    { url: `/stream?token=${TOKEN}&after=3`, list: [{ deep: [{ a: TOKEN }] }] },
    `seen ${TOKEN}`,
  )
  log.error(new Error(`GET /message?limit=1&token=A1b2C3d4E5f6G7h failed`))
  log.info('cannot reach postgres://gotify:hunter2@db:5432/gotify')
  t.notMatch(text(), /aB3-_aB|A1b2C3d4E5f6G7h|hunter2/)
  t.match(lines(), [
    {
      url: '/stream?token=***&after=3',
      list: [{ deep: [{ a: 'gtfyc.***' }] }],
      msg: 'seen gtfyc.***',
    },
    { err: { message: 'GET /message?limit=1&token=*** failed' } },
    { msg: 'cannot reach postgres://***@db:5432/gotify' },
  ])
  t.end()
})

t.test('maskSecrets() leaves everything else as it is', (t) => {
  for (const text of [
    '{"url":"/message?limit=1"}',
    'mail a@b.example',
    'http://a/b@c',
    'the token is missing',
    'gtfyc.',
  ]) {
    t.equal(maskSecrets(text), text)
  }
  t.equal(maskSecrets('{"url":"/stream?token=a b"}'), '{"url":"/stream?token=*** b"}')
  t.equal(maskSecrets('{"url":"/stream?token="}'), '{"url":"/stream?token="}')
  t.end()
})

t.test('createLogger() outlives an output that takes nothing', async (t) => {
  const full = await open('/dev/full', 'w')
  t.teardown(() => full.close())
  const program = `
    const { createLogger } = await import(process.argv[1])
    const log = createLogger({ level: 'info' })
    for (let line = 0; line < 3; line++) log.info('to nobody')
    log.fatal('to nobody')
    process.exit(7)`
  const log = new URL('../src/log.js', import.meta.url).href
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, log], {
    stdio: ['ignore', full.fd, 'inherit'],
    timeout: 10_000,
  })
  t.strictSame(await once(child, 'exit'), [7, null])
})
