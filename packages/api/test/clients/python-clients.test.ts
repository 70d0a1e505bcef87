/** The PyPI packages gotify and apprise against a running Bellwire: all that they can do. */
import t from 'tap'
import { ApiClient, ADMIN } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import { adminAccess } from './admin-access.ts'
import { pythonWithClients, runScript } from './python-packages.ts'

t.setTimeout(300_000)

const python = await pythonWithClients()
if ('missing' in python) {
  t.pass('Python clients', { skip: `they cannot be installed here: ${python.missing}` })
} else {
  const server = await startBellwire(t)
  const api = new ApiClient(server)
  t.teardown(async () => api.close())
  const host = `127.0.0.1:${server.port}`

  t.test('PyPI gotify works, all of it, live stream included', async (t) => {
    const access = await adminAccess(api)
    const tokens = [access.applicationToken, access.clientToken]
    const result = await runScript(python.interpreter, 'all_of_gotify.py', [
      `http://${host}`,
      ...tokens,
    ])
    const notFound = { errorCode: 404, error: 'Not Found' }
    const none = null
    t.match(result, {
      health: { health: 'green', database: 'green' },
      version: { version: String },
      applications: {
        made: { name: 'made', description: 'by python', defaultPriority: 3, token: /^gtfya\./ },
        changed: { name: 'changed', defaultPriority: 4 },
        withPicture: { name: 'changed', image: /^image\/.+\.png$/ },
        listed: true,
        deleted: none,
        gone: notFound,
      },
      clients: {
        made: { name: 'made', token: /^gtfyc\./ },
        changed: { name: 'changed' },
        listed: true,
        deleted: none,
      },
      users: {
        current: { name: 'admin', admin: true, clientId: access.clientId },
        made: { name: 'python', admin: false },
        got: { name: 'python', admin: false },
        changed: { name: 'python3', admin: true },
        listed: true,
        deleted: none,
        password: none,
      },
      plugins: {
        listed: [],
        refused: {
          ...{ config: notFound, setConfig: notFound, disable: notFound },
          ...{ display: notFound, enable: notFound },
        },
      },
    })
    const { messages, stream } = result as PythonResult
    const [first, second, third] = messages.published
    t.match(messages, {
      made: {
        message: 'first <b>',
        title: 'title',
        priority: 7,
        appid: access.applicationId,
        extras: { 'client::display': { contentType: 'text/markdown' } },
      },
      page: { messages: [{ id: third }, { id: second }], paging: { limit: 2, size: 2 } },
      rest: { messages: [{ id: first, message: 'first <b>' }], paging: { size: 1, since: 0 } },
      ofApplication: 3,
      deleted: [none, none, none],
      left: { messages: [] },
    })
    t.ok(stream.came.length > 1, 'the stream delivers')
    t.same(stream.came, stream.due, 'the stream delivers what the publishes were answered with')
  })

  t.test('PyPI apprise sends', async (t) => {
    const { applicationId, applicationToken } = await adminAccess(api)
    const result = await runScript(python.interpreter, 'all_of_apprise.py', [
      host,
      applicationToken,
    ])
    const sent = { plain: true, untitled: true, urgent: true, markdown: true }
    t.same(result, { ...sent, refused: false })
    const history = await api.call(`GET /application/${applicationId}/message`, { basic: ADMIN })
    t.match(JSON.parse(history.text), {
      messages: [
        { message: '**bold**', extras: { 'client::display': { contentType: 'text/markdown' } } },
        { message: 'urgent', title: 'title', priority: 10 },
        { message: 'untitled', title: 'third party' },
        { message: 'plain', title: 'title', priority: 5 },
      ],
      paging: { size: 4 },
    })
  })
}

interface PythonResult {
  readonly messages: { readonly published: readonly number[] }
  readonly stream: { readonly came: readonly unknown[]; readonly due: readonly unknown[] }
}
