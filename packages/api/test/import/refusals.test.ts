/**
 * Imports that are refused change nothing, and Gotify databases on PostgreSQL move in as well. Runs
 * in this process on an external PostgreSQL of its own.
 */
import { createDatabase, createPool } from '@bellwire/common/db'
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { rowsOf3, writeGotify3 } from './gotify-database.ts'
import { addressOf, countsIn, GOTIFY_ON_POSTGRES, Imports, run } from './imports.ts'

t.setTimeout(180_000)

const imports = await Imports.start(t)
const PNG = Buffer.from('89504e470d0a1a0a', 'hex')

t.test('A file that is no whole Gotify database is refused', async (t) => {
  const folder = t.testdir({ 'text.db': 'no database'.repeat(1_000), 'empty.db': '' })
  const whole = join(folder, 'gotify.db')
  writeGotify3(whole)
  const bytes = await readFile(whole)
  const into = await imports.newDatabase()

  await writeFile(join(folder, 'cut.db'), bytes.subarray(0, bytes.length / 2))
  const scribbled = Buffer.from(bytes)
  scribbled.fill(0xa5, 4_096 * 3 + 8, 4_096 * 4)
  await writeFile(join(folder, 'scribbled.db'), scribbled)
  for (const name of ['text.db', 'cut.db', 'scribbled.db']) {
    await imports.refused(t, join(folder, name), into, /is damaged or no SQLite database/)
  }
  await imports.refused(t, join(folder, 'empty.db'), into, /no table "users"/)
  await imports.refused(t, join(folder, 'nowhere.db'), into, /ENOENT/)
  await imports.refused(t, folder, into, /it is no file/)

  const { rows } = await run(into, `select from pg_tables where schemaname = 'public'`)
  t.equal(rows.length, 0, 'nothing was made in the database')
})

t.test('A database that may not be read is refused', async (t) => {
  const file = join(t.testdir({}), 'gotify.db')
  writeGotify3(file)
  await chmod(file, 0)
  const into = await imports.newDatabase()
  // Root may read everything, so nobody asks.
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    await imports.refused(t, file, into, /^Cannot read ".*": EACCES: permission denied/)
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})

t.test('A failure in the middle takes everything back', async (t) => {
  const folder = t.testdir({ images: { 'abcdefghijklmnopqrstu-_xy.png': 'picture' } })
  const file = join(folder, 'gotify.db')
  const { messages = [], ...others } = rowsOf3()
  const senseless = { ...messages[0], id: 38, application_id: -2 }
  writeGotify3(file, { ...others, messages: [...messages, senseless] })
  const into = await imports.newDatabase()
  await imports.refused(t, file, into, /damaged: a row of "messages" has -2 as "application_id"/)
  t.same(await countsIn(into), { users: 0, applications: 0, clients: 0, messages: 0 })
})

t.test('Another Gotify is refused beside the first', async (t) => {
  const folder = t.testdir({})
  const [one, other] = [join(folder, 'one.db'), join(folder, 'other.db')]
  writeGotify3(one)
  const into = await imports.newDatabase()
  await imports.run(one, into)
  const before = await countsIn(into)
  t.same(before, { users: 2, applications: 4, clients: 2, messages: 4 })

  const rows = rowsOf3()
  const [user, ...users] = rows['users'] ?? []
  writeGotify3(other, { ...rows, users: [{ ...user, name: 'somebody', pass: null }, ...users] })
  await imports.refused(
    t,
    other,
    into,
    /The user 1 "somebody" cannot come in beside the user 1 "root"/,
  )
  t.same(await countsIn(into), before)
})

t.test('New messages come in when it is run again, never over others', async (t) => {
  const folder = t.testdir({})
  const [early, late] = [join(folder, 'early.db'), join(folder, 'late.db')]
  writeGotify3(early)
  const into = await imports.newDatabase()
  await imports.run(early, into)
  // Ids 41 and up are Bellwire's now.
  await run(
    into,
    `insert into messages (user_id, application_id, title, message, priority, date) values (1, 2, '', 'of Bellwire', 0, 1)`,
  )

  const rows = rowsOf3()
  const message = { ...rows['messages']?.[0] }
  const more = [12, 41].map((id) => ({ ...message, id, message: 'late' }))
  writeGotify3(late, { ...rows, messages: [...(rows['messages'] ?? []), ...more] })
  const report = await imports.run(late, into)
  t.same(report.countOf('messages'), { added: 1, present: 4 })
  t.equal(report.allLeftOut.get('messages whose ids other messages have here'), 1)
  const { rows: kept } = await run(into, 'select message from messages where id = 41')
  t.same(kept, [{ message: 'of Bellwire' }])
})

t.test('[IMP2] What a row loses on its way is counted', async (t) => {
  const folder = t.testdir({})
  const file = join(folder, 'gotify.db')
  const { users = [], clients = [], messages = [], ...others } = rowsOf3()
  const broken = [
    { id: 50, date: 'yesterday', extras: Buffer.from('[1]') },
    { id: 51, date: null, extras: Buffer.from('{}') },
    { id: 52, extras: Buffer.from('null') },
  ].map((values) => ({ ...messages[0], ...values }))
  writeGotify3(file, {
    ...others,
    users: users.map((user) => ({ ...user, created_at: 'once' })),
    clients: clients.map((client, i) => (i === 0 ? { ...client, expires_at: 'soon' } : client)),
    messages: [...messages, ...broken],
  })
  const into = await imports.newDatabase()
  const lost = {
    'times of users that cannot be read ("created_at")': 2,
    'times of clients that cannot be read ("expires_at")': 1,
    'times of messages that cannot be read ("date")': 1,
    'extras of messages that are no JSON object': 2,
  }
  const first = await imports.run(file, into)
  t.match(Object.fromEntries(first.allLeftOut), lost)
  t.same(first.countOf('messages'), { added: 7, present: 0 })
  const again = await imports.run(file, into)
  t.same([...again.allLeftOut], [...first.allLeftOut], 'and no other message has its id')
  t.same(again.countOf('messages'), { added: 0, present: 7 })
})

t.test('[IMP3] An application whose image cannot come in has the default picture', async (t) => {
  const pictures = { 'text.png': 'no picture', 'good.png': PNG, 'away.png': { 'a.png': PNG } }
  const folder = t.testdir({ images: pictures })
  await writeFile(join(folder, 'victim.png'), PNG)
  const file = join(folder, 'gotify.db')
  const { applications = [], ...others } = rowsOf3()
  const names = ['good.png', '../victim.png', 'away.png', 'good.png', 'text.png']
  writeGotify3(file, {
    ...others,
    applications: applications.map((row, i) => ({ ...row, image: names[i] ?? '' })),
  })
  const into = await imports.newDatabase()
  const images = async (): Promise<unknown> => {
    const { rows } = await run(into, 'select id, image from applications order by id')
    return rows.map(({ id, image }: { id: number; image: string }) => [id, image])
  }

  const without = await imports.run(file, into, join(folder, 'nowhere'))
  t.equal(without.allLeftOut.get(`images that are not in "${join(folder, 'nowhere')}"`), 3)
  t.same(
    await images(),
    [
      [2, ''],
      [5, ''],
      [6, ''],
      [8, ''],
    ],
    'no dead link',
  )

  const report = await imports.run(file, into)
  t.same(report.countOf('images'), { added: 1, present: 0 })
  t.match(Object.fromEntries(report.allLeftOut), {
    'images that have no name of an image': 1,
    [`images that are not in "${join(folder, 'images')}"`]: 1,
    'images whose content is none': 1,
  })
  t.same(
    await images(),
    [
      [2, 'good.png'],
      [5, ''],
      [6, ''],
      [8, ''],
    ],
    'found in the second run',
  )
  t.same(await readdir(imports.imagesOf(into)), ['good.png'])

  await run(into, `update applications set image = '' where id = 2`)
  const third = await imports.run(file, into)
  t.equal(third.allLeftOut.get('images that were deleted or replaced here since'), 1)
  t.same(
    await images(),
    [
      [2, ''],
      [5, ''],
      [6, ''],
      [8, ''],
    ],
    'what was deleted here stays so',
  )
})

t.test('[IMP3] An image that cannot be read, or has no place here, is left out', async (t) => {
  const folder = t.testdir({ images: { 'good.png': PNG, 'taken.png': PNG } })
  const images = join(folder, 'images')
  await symlink('loop.png', join(images, 'loop.png'))
  const file = join(folder, 'gotify.db')
  const { applications = [], ...others } = rowsOf3()
  const names = ['good.png', 'loop.png', 'taken.png']
  writeGotify3(file, {
    ...others,
    applications: applications.map((row, i) => ({ ...row, image: names[i] ?? '' })),
  })
  const into = await imports.newDatabase()
  await writeFile(imports.imagesOf(into), 'no folder')
  await imports.refused(t, file, into, /^Cannot keep images in ".*": /)
  t.same(await countsIn(into), { users: 0, applications: 0, clients: 0, messages: 0 })

  const other = await imports.newDatabase()
  await mkdir(join(imports.imagesOf(other), 'taken.png'), { recursive: true })
  const report = await imports.run(file, other)
  t.same(report.countOf('images'), { added: 1, present: 0 })
  t.match(Object.fromEntries(report.allLeftOut), {
    [`images that cannot be read in "${images}" (ELOOP)`]: 1,
    'images whose names something else has here': 1,
  })
  const { rows } = await run(other, 'select image from applications order by id')
  t.same(
    rows.map(({ image }: { image: string }) => image),
    ['good.png', '', '', ''],
  )
  t.same((await readdir(imports.imagesOf(other))).toSorted(), ['good.png', 'taken.png'])
})

t.test('It refuses while a Bellwire runs on the database', async (t) => {
  const folder = t.testdir({})
  writeGotify3(join(folder, 'gotify.db'))
  const into = await imports.newDatabase()
  const pool = createPool(into, { name: 'bellwire gateway', max: 1, onError: () => undefined })
  const db = createDatabase(pool)
  t.teardown(() => db.destroy())
  await pool.query('select 1')
  await imports.refused(
    t,
    join(folder, 'gotify.db'),
    into,
    /A Bellwire is running on this database/,
  )
})

t.test('A Gotify on PostgreSQL moves in', async (t) => {
  const from = await imports.newDatabase()
  await run(from, GOTIFY_ON_POSTGRES)
  const into = await imports.newDatabase()
  const report = await imports.run(addressOf(from), into)
  t.same(
    ['users', 'applications', 'clients', 'messages'].map(
      (kind) => report.countOf(kind as 'users').added,
    ),
    [1, 1, 1, 2],
  )
  const { rows } = await run(
    into,
    'select id, message, extras, date, priority from messages order by id',
  )
  t.same(rows, [
    { id: 7, message: 'one', extras: '{"a":1}', date: 1_620_277_689_123, priority: 5 },
    {
      id: 8,
      message: 'two',
      extras: null,
      date: 1_620_277_689_000,
      priority: Number.MAX_SAFE_INTEGER,
    },
  ])
  const next = await run(
    into,
    `select nextval(pg_get_serial_sequence('messages', 'id'))::int as id`,
  )
  t.same(next.rows, [{ id: 10 }], 'an id that was given out is not given out again')

  await imports.refused(
    t,
    'postgres://nobody@127.0.0.1:1/gotify',
    into,
    /Cannot read the Gotify database/,
  )
  await imports.refused(t, addressOf(await imports.newDatabase()), into, /no table "users"/)
})
