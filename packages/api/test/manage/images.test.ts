import { execFileSync } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { ImageFiles } from '../../src/manage/image-files.ts'
import { startTestPostgres } from '../support/postgres.ts'
import { ADMIN, numberIn, startManagementServer, textIn } from './management-server.ts'

const server = await startManagementServer(t, { connection: await startTestPostgres(t) })

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

async function newApplication(basic: string): Promise<number> {
  return numberIn(await server.call('POST /application', { basic, json: { name: 'n' } }), 'id')
}

function upload(basic: string, id: number, content: Uint8Array, fileName: string) {
  const body = new FormData()
  body.set('file', new Blob([content]), fileName)
  return server.call(`POST /application/${id}/image`, { basic, body })
}

t.test('An upload is served, replaced and removed with its file', async (t) => {
  const { basic } = await server.newUser()
  const id = await newApplication(basic)
  const first = textIn(await upload(basic, id, PNG, 'a.png'), 'image')
  t.match(first, /^image\/[\w-]{25}\.png$/)
  const served = await server.call(`GET /${first}`)
  t.equal(served.headers.get('content-type'), 'image/png')
  t.equal(served.headers.get('x-content-type-options'), 'nosniff')

  const second = textIn(await upload(basic, id, PNG, 'B.JPEG'), 'image')
  t.match(second, /\.JPEG$/)
  t.equal((await server.call(`GET /${second}`)).headers.get('content-type'), 'image/jpeg')
  t.equal((await server.call(`GET /${first}`)).status, 404)
  t.same(await readdir(server.imagesDir), [second.slice('image/'.length)], 'nothing half-written')

  await server.call(`DELETE /application/${id}/image`, { basic })
  t.same(await readdir(server.imagesDir), [])
})

t.test('[API25] Images go with their application and with their user', async (t) => {
  const user = await server.newUser()
  const [one, two] = [await newApplication(user.basic), await newApplication(user.basic)]
  await upload(user.basic, one, PNG, 'a.png')
  await upload(user.basic, two, PNG, 'b.png')
  t.equal((await readdir(server.imagesDir)).length, 2)
  await server.call(`DELETE /application/${one}`, { basic: user.basic })
  t.equal((await readdir(server.imagesDir)).length, 1)
  t.equal((await server.call(`DELETE /user/${user.id}`, { basic: ADMIN })).status, 200)
  t.same(await readdir(server.imagesDir), [])
})

t.test('Two uploads at once leave one file, the one that is named', async (t) => {
  const { basic } = await server.newUser()
  const id = await newApplication(basic)
  await Promise.all(Array.from({ length: 8 }, () => upload(basic, id, PNG, 'a.png')))
  const list = await server.call('GET /application', { basic })
  const [application] = list.json as ReadonlyArray<{ image: string }>
  t.same(await readdir(server.imagesDir), [application?.image.slice('image/'.length)])
})

t.test('[API26] Uploads that are no images, or too big, are refused', async (t) => {
  const { basic } = await server.newUser()
  const id = await newApplication(basic)
  const refused = async (content: Uint8Array, name: string, problem: string) => {
    t.match((await upload(basic, id, content, name)).json, { errorDescription: problem }, name)
  }
  await refused(Buffer.from('<svg onload="x()"/>'), 'a.svg', 'file must be an image')
  await refused(Buffer.from('\x89PN'), 'cut.png', 'file must be an image')
  await refused(PNG, 'a.php', 'invalid file extension')
  await refused(PNG, '../../etc/passwd', 'invalid file extension')
  const big = Buffer.concat([PNG, Buffer.alloc(33 * 1024 * 1024)])
  const answer = await upload(basic, id, big, 'big.png').catch((error: unknown) => error)
  t.ok(answer instanceof TypeError || (answer as { status: number }).status === 413)
  const broken = await server.call(`POST /application/${id}/image`, {
    basic,
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body: '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\ncut',
  })
  t.equal(broken.status, 400)
})

t.test('[API26] A folder with the name of an image is no image, and stays', async (t) => {
  await mkdir(path.join(server.imagesDir, 'folder.png'))
  const images = new ImageFiles(server.imagesDir)
  t.equal((await server.call('GET /image/folder.png')).status, 404)
  t.equal(await images.add('folder.png', PNG), false)
  await images.remove('folder.png')
  t.ok((await readdir(server.imagesDir)).includes('folder.png'))
})

t.test(
  '[API26] A FIFO with the name of an image is no image, and keeps nobody waiting',
  async (t) => {
    execFileSync('mkfifo', [path.join(server.imagesDir, 'fifo.png')])
    t.equal((await server.call('GET /image/fifo.png')).status, 404)
    const images = new ImageFiles(server.imagesDir)
    t.equal(await images.add('fifo.png', PNG), false)
    await images.remove('fifo.png')
    t.notOk((await readdir(server.imagesDir)).includes('fifo.png'))
  },
)

t.test('[API26] No path leads out of the folder of images', async (t) => {
  await writeFile(path.join(server.imagesDir, '../secret.png'), PNG)
  t.equal(await new ImageFiles(server.imagesDir).read('../secret.png'), null)
  for (const name of [
    '..%2fsecret.png',
    '%2e%2e/secret.png',
    'a/b.png',
    '.upload.png',
    'a%00.png',
  ]) {
    t.equal((await server.call(`GET /image/${name}`)).status, 404, name)
  }
})
