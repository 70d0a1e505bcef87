/**
 * Moving in from Gotify as a person does it: `bellwire import gotify.db`, then the server, then the
 * same passwords, tokens and cursors as before.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ApiClient, idOf } from '../support/api-client.ts'
import { Bellwire } from '../support/bellwire.ts'
import { openStream } from '../support/ws-client.ts'
import { runBellwire } from './bellwire-command.ts'
import {
  addToGotify3,
  APPLICATION_TOKEN,
  CLIENT_TOKEN,
  EXTRAS,
  IMAGE,
  LAST_MESSAGE_ID,
  LEGACY_APPLICATION_TOKEN,
  LEGACY_CLIENT_TOKEN,
  PASSWORD,
  writeGotify2,
  writeGotify3,
} from './gotify-database.ts'

t.setTimeout(180_000)

const ROOT = `root:${PASSWORD}`
const PICTURE = Buffer.from('GIF89a, a picture for all that the import cares')

interface Setting {
  readonly bellwire: Bellwire
  readonly api: ApiClient
  /** Folder of a Gotify with gotify.db and images. */
  readonly gotify: string
}

async function setUp(t: Test, writeDatabase: (file: string) => void): Promise<Setting> {
  const gotify = await mkdtemp(join(tmpdir(), 'bellwire-test-gotify 100%?#'))
  t.teardown(() => rm(gotify, { recursive: true, force: true }))
  writeDatabase(join(gotify, 'gotify.db'))
  await mkdir(join(gotify, 'images'))
  await writeFile(join(gotify, 'images', IMAGE), PICTURE)
  const bellwire = new Bellwire(await mkdtemp(join(tmpdir(), 'bellwire-test-')), {})
  t.teardown(() => bellwire.remove())
  const api = new ApiClient(bellwire)
  t.teardown(async () => api.close())
  return { bellwire, api, gotify }
}

t.test('bellwire import takes over a Gotify 3', async (t) => {
  const { bellwire, api, gotify } = await setUp(t, writeGotify3)
  const file = join(gotify, 'gotify.db')
  const before = await readFile(file)
  const first = await runBellwire(['import', file], bellwire.dataDir)
  t.equal(first.stderr, '')
  t.equal(
    first.stdout,
    `Imported:
  users        2 new, 0 here already
  applications 4 new, 0 here already
  clients      2 new, 0 here already
  messages     4 new, 0 here already
  images       1 new, 0 here already
Left out:
  1 applications of users that are gone
  1 clients of users that are gone
  1 extras of messages that are no JSON object
  1 messages of applications that are gone
  1 settings of plugins (Bellwire runs none)
`,
  )
  t.equal(first.status, 0)
  t.ok(before.equals(await readFile(file)), 'the database of Gotify is as it was')

  await bellwire.start()
  t.equal((await api.call('GET /current/user', { basic: 'admin:admin' })).status, 401)
  t.match(JSON.parse((await api.call('GET /current/user', { basic: ROOT })).text), {
    ...{ id: 1, name: 'root', admin: true, createdAt: /^2022-01-02T03:04:05\.6/ },
  })
  const applications = await api.call('GET /application', { token: LEGACY_CLIENT_TOKEN })
  t.match(JSON.parse(applications.text), [
    { id: 8, name: 'new kind', sortKey: 'Zz', defaultPriority: 4 },
    { id: 5, name: 'second', sortKey: 'a8', internal: false },
    { id: 2, name: 'backup', sortKey: 'a9', image: `image/${IMAGE}`, description: 'text' },
  ])
  const image = await api.call(`GET /image/${IMAGE}`)
  t.equal(image.text, PICTURE.toString())

  t.test('the history has ids, dates and extras as before', async (t) => {
    const { text } = await api.call('GET /message', { token: CLIENT_TOKEN.token })
    t.match(JSON.parse(text), {
      messages: [
        { id: 39, message: 'NUL \ufffd, quote \', "<b>"', extras: undefined },
        { id: 11, title: 'title', priority: 8, date: /^2021-05-06T07:08:09(\.0+)?Z$/ },
        { id: 10, appid: 2, message: 'text', date: /^2021-05-06T05:08:09\.123/ },
      ],
      paging: { size: 3 },
    })
    t.ok(text.includes(`"extras":${EXTRAS}`), 'every digit of the extras is kept')
    const ofEve = await api.call('GET /message', { basic: 'eve:of eve' })
    t.match(JSON.parse(ofEve.text), { messages: [{ id: 20, message: 'to eve' }] })
  })

  t.test('both kinds of tokens publish and stream, with ids that never were', async (t) => {
    const stream = await openStream(bellwire.port, { token: LEGACY_CLIENT_TOKEN, after: 11 })
    let last = LAST_MESSAGE_ID
    for (const token of [LEGACY_APPLICATION_TOKEN, APPLICATION_TOKEN.token]) {
      const answer = await api.publish(token, 'after the move')
      t.equal(answer.status, 200, answer.text)
      t.ok(idOf(answer.text) > last, `${idOf(answer.text)} is greater than ${last}`)
      last = idOf(answer.text)
    }
    await stream.untilId(last)
    t.equal(stream.texts.length, 3)
    stream.destroy()
    const deleted = await api.call('DELETE /application/5', { token: CLIENT_TOKEN.token })
    t.equal(deleted.status, 200, 'an elevated client still is, and no application is internal')
  })

  t.test('it refuses while Bellwire runs', async (t) => {
    const refused = await runBellwire(['import', file], bellwire.dataDir)
    t.equal(refused.status, 1)
    t.match(refused.stderr, /another Bellwire is running on it/)
    t.equal(refused.stderr.trim().split('\n').length, 1, 'one line')
  })

  t.test('[IMP1] It can be run again, and brings only what is new', async (t) => {
    for (const path of ['message/11', 'client/4', 'user/3']) {
      t.equal((await api.call(`DELETE /${path}`, { basic: ROOT })).status, 200, path)
    }
    await bellwire.stop()
    addToGotify3(file)
    const again = await runBellwire(['import', file], bellwire.dataDir)
    t.equal(again.status, 0, again.stderr)
    t.equal(again.stdout, report({ applications: 1, messages: 2 }))
    const third = await runBellwire(['import', file], bellwire.dataDir)
    t.equal(third.stdout, report({ applications: 0, messages: 0 }))
    await bellwire.start()
    const { text } = await api.call('GET /message', { basic: ROOT })
    t.match(JSON.parse(text), {
      messages: [
        { id: 143, appid: 12, message: 'of a new one' },
        { id: 141, appid: 2, message: 'new' },
        { message: 'after the move' },
        { message: 'after the move' },
        { id: 39 },
        { id: 10 },
      ],
      paging: { size: 6 },
    })
    t.equal((await api.call('GET /message', { token: LEGACY_CLIENT_TOKEN })).status, 401)
    t.equal((await api.call('GET /message', { basic: 'eve:of eve' })).status, 401)

    function report(added: { applications: number; messages: number }): string {
      const here = { applications: 3 - added.applications, messages: 4 - added.messages }
      return `Imported:
  users        0 new, 1 here already
  applications ${added.applications} new, ${here.applications} here already
  clients      0 new, 1 here already
  messages     ${added.messages} new, ${here.messages} here already
  images       0 new, 1 here already
Left out:
  1 users that were deleted here since
  2 applications of users that are gone
  1 applications that were deleted here since
  1 clients of users that are gone
  1 clients that were deleted here since
  1 extras of messages that are no JSON object
  3 messages of applications that are gone
  1 messages that were deleted here since
  1 settings of plugins (Bellwire runs none)
`
    }
  })
})

t.test('bellwire import takes over a Gotify 2, in place of the first administrator', async (t) => {
  const { bellwire, api, gotify } = await setUp(t, writeGotify2)
  await bellwire.start()
  t.equal((await api.call('GET /current/user', { basic: 'admin:admin' })).status, 200)
  await bellwire.stop()
  const images = join(gotify, 'images')
  const command = ['import', '--images', images, join(gotify, 'gotify.db')]
  const { status, stdout, stderr } = await runBellwire(command, bellwire.dataDir)
  t.equal(status, 0, stderr)
  t.match(stdout, /users +2 new/)
  t.match(stdout, /messages +4 new/)

  await bellwire.start()
  t.equal((await api.call('GET /current/user', { basic: 'admin:admin' })).status, 401)
  const applications = await api.call('GET /application', { token: LEGACY_CLIENT_TOKEN })
  t.match(JSON.parse(applications.text), [
    { id: 2, name: 'backup', sortKey: 'a0', createdAt: String },
    { id: 5, name: 'second', sortKey: 'a1' },
  ])
  t.match(await api.publish(LEGACY_APPLICATION_TOKEN, 'after the move'), { status: 200 })
  t.equal((await api.history({ basic: ROOT })).length, 4)
})

t.test('bellwire says how it is used', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'bellwire-test-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  t.match(await runBellwire(['version'], dataDir), { status: 0, stdout: /^bellwire-\d.*3\.0\.0/ })
  t.match(await runBellwire(['help'], dataDir), { status: 0, stdout: /^Usage: bellwire/ })
  for (const wrong of [['import'], ['import', 'a', 'b'], ['import', '--x', 'a'], ['imprt']]) {
    t.match(await runBellwire(wrong, dataDir), { status: 2, stderr: /Usage: bellwire/ })
  }
})
