/** The npm packages gotify-client and gotify against a running Bellwire: all that they can do. */
import { gotify, Gotify } from 'gotify'
import { GotifyClient } from 'gotify-client'
import t from 'tap'
import { ADMIN, ApiClient } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { openStream } from '../support/ws-client.ts'
import { adminAccess } from './admin-access.ts'

t.setTimeout(180_000)

const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

const server = await startBellwire(t)
const base = `http://127.0.0.1:${server.port}`
const api = new ApiClient(server)
t.teardown(async () => api.close())
const access = await adminAccess(api)
const client = new GotifyClient(base, { app: access.applicationToken, client: access.clientToken })

t.test('gotify-client handles applications', async (t) => {
  const { application } = client
  const made = await application.createApp({ name: 'made', description: 'd', defaultPriority: 3 })
  t.match(made, { name: 'made', description: 'd', defaultPriority: 3, token: /^gtfya\./ })
  const changed = await application.updateApplication(made.id, { name: 'changed' })
  t.match(changed, { id: made.id, name: 'changed' })
  const file = new File([PICTURE], 'picture.png', { type: 'image/png' })
  const withPicture = await application.uploadAppImage(made.id, { file })
  t.match(withPicture, { id: made.id, image: /^image\/.+\.png$/ })
  const picture = await fetch(`${base}/${withPicture.image}`)
  t.ok(PICTURE.equals(Buffer.from(await picture.arrayBuffer())), 'the picture is served')
  await application.removeAppImage(made.id)
  const listed = await application.getApps()
  t.match(
    listed.find(({ id }) => id === made.id),
    { name: 'changed', image: 'static/defaultapp.png' },
  )
  await application.deleteApp(made.id)
  t.notOk((await application.getApps()).some(({ id }) => id === made.id))
})

t.test('gotify-client publishes, reads and deletes messages', async (t) => {
  const { message, application } = client
  const extras = { 'client::display': { contentType: 'text/markdown' } }
  const texts = ['one', 'two', 'three']
  for (const text of texts) {
    const made = await message.createMessage({ message: text, title: 't', priority: 5, extras })
    t.match(made, { message: text, title: 't', priority: 5, extras, appid: access.applicationId })
  }
  const page = await message.getMessages({ limit: 2 })
  t.match(page, { messages: [{ message: 'three' }, { message: 'two' }], paging: { size: 2 } })
  const rest = await message.getMessages({ limit: 2, since: page.paging.since })
  t.match(rest, { messages: [{ message: 'one' }], paging: { size: 1, since: 0 } })
  t.notOk('next' in rest.paging, 'the last page says so')
  const ofApplication = await application.getAppMessages({ id: access.applicationId, limit: 10 })
  t.equal(ofApplication.messages.length, 3)
  await message.deleteMessage(ofApplication.messages[0]?.id ?? 0)
  t.equal((await message.getMessages({})).messages.length, 2)
  await application.deleteAppMessages(access.applicationId)
  await message.deleteMessages()
  t.same((await message.getMessages({})).messages, [])
})

t.test('gotify-client handles clients', async (t) => {
  const made = await client.client.createClient({ name: 'made' })
  t.match(made, { name: 'made', token: /^gtfyc\./ })
  t.match(await client.client.updateClient(made.id, { name: 'changed' }), { name: 'changed' })
  t.ok((await client.client.getClients()).some(({ id }) => id === made.id))
  await client.client.deleteClient(made.id)
  t.notOk((await client.client.getClients()).some(({ id }) => id === made.id))
})

t.test('gotify-client handles users', async (t) => {
  const { user, current } = client
  t.match(await current.currentUser(), { name: 'admin', admin: true })
  const made = await user.createUser({ name: 'npm', pass: 'secret', admin: false })
  t.match(await user.getUser(made.id), { id: made.id, name: 'npm', admin: false })
  t.match(await user.updateUser(made.id, { name: 'npm2', admin: true }), { name: 'npm2' })
  t.ok((await user.getUsers()).some(({ id, name }) => id === made.id && name === 'npm2'))
  await user.deleteUser(made.id)
  t.notOk((await user.getUsers()).some(({ id }) => id === made.id))
  await current.updateCurrentUser({ pass: 'changed' })
  t.equal((await api.call('GET /current/user', { basic: ADMIN })).status, 401)
  await current.updateCurrentUser({ pass: 'admin' })
  t.equal((await api.call('GET /current/user', { basic: ADMIN })).status, 200)
})

t.test('gotify-client asks for health, version and plugins', async (t) => {
  t.match(await client.health.getHealth(), { health: 'green', database: 'green' })
  t.match(await client.version.getVersion(), { version: String })
  t.same(await client.plugin.getPlugins(), [])
  // None is there: what it does with one is told in Gotify's shape of an error.
  t.match(await client.plugin.getPluginDisplay(1), { errorCode: 404 })
  const { plugin } = client
  const refused: readonly Promise<unknown>[] = [
    plugin.getPluginConfig(1),
    plugin.updatePluginConfig(1),
    plugin.enablePlugin(1),
    plugin.disablePlugin(1),
  ]
  for (const answer of await Promise.all(refused)) {
    t.match(JSON.parse(answer as string), { errorCode: 404, error: 'Not Found' })
  }
  // It cannot open a WebSocket and asks for the stream without an upgrade.
  t.match(await client.stream.streamMessages(), { errorCode: 400, error: 'Bad Request' })
})

t.test('gotify sends, and streams deliver it', async (t) => {
  const stream = await openStream(server.port, { token: access.clientToken })
  const extras = { 'client::notification': { click: { url: 'https://example.org' } } }
  const message = { app: access.applicationToken, title: 't', message: 'm', priority: 5, extras }
  const first = await new Gotify({ server: base }).send(message)
  const second = await gotify({ server: base, app: access.applicationToken, message: 'short' })
  t.match(first, { title: 't', message: 'm', priority: 5, extras, appid: access.applicationId })
  t.match(second, { title: 'third party', message: 'short', priority: 0 })
  await stream.untilId(second.id)
  t.same(
    stream.texts.map((text) => JSON.parse(text) as unknown),
    [first, second],
  )
  stream.destroy()
  await t.rejects(gotify({ server: base, app: 'wrong', message: 'm' }), { message: /401/ })
})
