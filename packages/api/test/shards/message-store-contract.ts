/**
 * What every MessageStore promises to the shards, as tests: run on PostgreSQL, alone and shared,
 * and on the store in memory that the simulation trusts.
 */
import type { ApplicationId, UserId } from '@bellwire/common'
import type { MessageStore, NewMessage, Stored } from '@bellwire/shard-worker/testing'
import fc from 'fast-check'
import type { Test } from 'tap'

/** A store with a user that has messages of their own, and another one that has none. */
export interface ContractScene {
  readonly store: MessageStore
  /** A user and an application of theirs named `named`, priority 4; new for each call. */
  addUser(): Promise<{ readonly userId: UserId; readonly applicationId: ApplicationId }>
  deleteMessage(id: number): Promise<void>
  /** A message that the database refuses. */
  readonly refused: Partial<NewMessage>
}

export function messageStoreContract(t: Test, name: string, scene: ContractScene): void {
  const { store } = scene

  async function writer(): Promise<Writer> {
    return new Writer(store, await scene.addUser())
  }

  void t.test(`${name} stores a batch in order and shows it whole`, async (t) => {
    const alice = await writer()
    const fields: Partial<NewMessage> = {
      title: 'Tïtle',
      priority: Number.MIN_SAFE_INTEGER,
      extras: '{"n":1234567890123456789,"a":{"b":[1.50]}}',
      date: Date.UTC(1999, 11, 31, 23, 59, 59, 999),
    }
    const stored = await alice.insert(['one', 'two \u{1f514} "\\\n', 'three'], fields)
    const ids = stored.map(idOf)
    t.ok(isIncreasing(ids), 'ids grow along the batch')
    const { messages, atEnd } = await store.page(alice.userId, 0)
    t.ok(atEnd)
    t.match(messages, [
      { ...fields, id: ids[0], message: 'one', applicationId: alice.applicationId },
      { ...fields, id: ids[1], message: 'two \u{1f514} "\\\n' },
      { ...fields, id: ids[2], message: 'three' },
    ])
  })

  void t.test(`${name} keeps whatever a row may hold`, async (t) => {
    const text = fc.string({ unit: 'binary', maxLength: 40 }).map((any) => any.replaceAll('\0', ''))
    const row = fc.record(
      {
        title: text,
        message: text,
        priority: fc.maxSafeInteger(),
        extras: fc.option(text),
        date: fc.maxSafeInteger(),
      },
      { noNullPrototype: true },
    )
    const batches = fc.array(row, { minLength: 1, maxLength: 60 })
    let batch = 0
    const storesAll = fc.asyncProperty(batches, fc.boolean(), async (rows, isKeyed) => {
      const alice = await writer()
      batch++
      const messages = rows.map((fields, index) => ({
        ...alice.message(fields.message, fields),
        ...(isKeyed ? keyed(`${batch} ${index} \u{1f514}`, 'any') : {}),
      }))
      const ids = (await store.insert(messages)).map(idOf)
      const { messages: stored } = await store.page(alice.userId, 0)
      const told = stored.map(({ id, title, message, priority, extras, date }) => {
        return { id, fields: { title, message, priority, extras, date } }
      })
      return t.strictSame(
        told,
        rows.map((fields, index) => ({ id: ids[index], fields })),
      )
    })
    await fc.assert(storesAll, { numRuns: 30 })
  })

  void t.test(`${name} gives greater ids to later calls, also when they overlap`, async (t) => {
    const alice = await writer()
    const calls = Array.from({ length: 20 }, (_, index) =>
      alice.insert([`${index} a`, `${index} b`]),
    )
    t.ok(isIncreasing((await Promise.all(calls)).flat().map(idOf)))
  })

  void t.test(`${name} shows in a page what was committed before the call`, async (t) => {
    const alice = await writer()
    for (const text of ['one', 'two', 'three']) {
      const [stored] = await alice.insert([text])
      const { messages } = await store.page(alice.userId, 0)
      t.equal(messages.at(-1)?.id, stored && idOf(stored))
    }
  })

  void t.test(`${name} pages through a log without a gap, a repeat or another's row`, async (t) => {
    const alice = await writer()
    const bob = await writer()
    const ids: number[] = []
    for (let round = 0; round < 5; round++) {
      const texts = Array.from({ length: 50 }, (_, index) => `${round} ${index}`)
      ids.push(...(await alice.insert(texts)).map(idOf))
      await bob.insert(['between'])
    }
    const seen: number[] = []
    for (let atEnd = false; !atEnd;) {
      const page = await store.page(alice.userId, seen.at(-1) ?? 0)
      t.ok(page.messages.length > 0, 'a page that is not the end holds something')
      seen.push(...page.messages.map(({ id }) => id))
      atEnd = page.atEnd
    }
    t.strictSame(seen, ids)
    t.match(await store.page(alice.userId, ids.at(-1) ?? 0), { messages: [], atEnd: true })
  })

  void t.test(`${name} gives each of many pages asked for at once its own rows`, async (t) => {
    const writers = await Promise.all(Array.from({ length: 5 }, writer))
    const logs: number[][] = []
    for (const [index, each] of writers.entries()) {
      const texts = Array.from({ length: index * 40 }, (_, row) => `${index} ${row}`)
      logs.push(texts.length === 0 ? [] : (await each.insert(texts)).map(idOf))
    }
    const nobody = (await writer()).userId
    // The same user with several cursors, as when several devices of it return.
    const asked = Array.from({ length: 80 }, (_, number) => {
      const ids = logs[number % 5] ?? []
      return { number, ids, after: ids[Math.floor((ids.length * number) / 80)] ?? 0 }
    })
    const pages = await Promise.all(
      asked.map(({ number, after }) => store.page(writers[number % 5]?.userId ?? nobody, after)),
    )
    for (const [number, { ids, after }] of asked.entries()) {
      const due = ids.filter((id) => id > after)
      const got = pages[number]?.messages.map(({ id }) => id) ?? []
      t.strictSame(got, due.slice(0, got.length), `page ${number}`)
      t.equal(pages[number]?.atEnd, got.length === due.length)
      t.equal(got.length === 0, due.length === 0)
    }
  })

  void t.test(`${name} bounds a page in bytes, and lets one big message through`, async (t) => {
    const alice = await writer()
    const big = 'x'.repeat(600_000)
    const ids = (await alice.insert([big, big, 'small'])).map(idOf)
    const first = await store.page(alice.userId, 0)
    t.strictSame(
      [first.atEnd, first.messages.map(({ id }) => id)],
      [false, ids.slice(0, 1)],
      'one message above the bound',
    )
    const last = await store.page(alice.userId, ids[1] ?? 0)
    t.strictSame([last.atEnd, last.messages.length], [true, 1])
  })

  void t.test(`${name} knows the newest id of users and of all`, async (t) => {
    const alice = await writer()
    const bob = await writer()
    const [stored] = await alice.insert(['one'])
    const id = stored === undefined ? 0 : idOf(stored)
    const heads = await store.heads([bob.userId, alice.userId])
    t.equal(heads.byUser.get(alice.userId), id)
    t.equal(heads.byUser.get(bob.userId) ?? 0, 0)
    t.ok(heads.newest >= id)
    await scene.deleteMessage(id)
    const after = await store.heads([alice.userId])
    t.ok(after.newest >= id, 'the newest id given out is never taken back')
    t.equal(after.byUser.get(alice.userId) ?? 0, 0)
  })

  void t.test(`${name} stores one message under a key and repeats it`, async (t) => {
    const alice = await writer()
    const once = keyed('k', 'first')
    const [first] = await alice.insert(['text'], once)
    t.equal(first?.kind, 'new')
    const id = first === undefined ? 0 : idOf(first)
    t.match(await alice.insert(['text'], once), [
      { kind: 'repeat', first: { id, message: 'text', applicationId: alice.applicationId } },
    ])
    t.match(await alice.insert(['other'], keyed('k', 'second')), [{ kind: 'key-reused' }])
    t.equal((await store.page(alice.userId, 0)).messages.length, 1)
    const bob = await writer()
    t.match(await bob.insert(['text'], once), [{ kind: 'new' }], 'a key is its application’s')
    await scene.deleteMessage(id)
    t.match(await alice.insert(['text'], once), [{ kind: 'new' }], 'it lives as long as its row')
  })

  void t.test(
    `${name} stores a key once that comes often in a batch and in many calls`,
    async (t) => {
      const alice = await writer()
      const calls = Array.from({ length: 8 }, () =>
        alice.insert(['a', 'a', 'a'], keyed('k', 'same')),
      )
      const answers = (await Promise.all(calls)).flat()
      t.equal(answers.filter(({ kind }) => kind === 'new').length, 1)
      t.equal(new Set(answers.map(idOf)).size, 1, 'all are told the same message')
      t.equal((await store.page(alice.userId, 0)).messages.length, 1)
    },
  )

  void t.test(`${name} refuses a batch whole`, async (t) => {
    const alice = await writer()
    const rows = [alice.message('good'), { ...alice.message('bad'), ...scene.refused }]
    await t.rejects(store.insert(rows), { name: 'BatchError', outcome: 'refused' })
    t.strictSame((await store.page(alice.userId, 0)).messages, [])
    t.match(await alice.insert(['good']), [{ kind: 'new' }], 'the next batch is stored')
  })

  void t.test(`${name} finds an application of its user alone`, async (t) => {
    const alice = await writer()
    t.strictSame(await store.application(alice.userId, alice.applicationId), {
      name: 'named',
      defaultPriority: 4,
    })
    t.equal(await store.application(alice.userId, 2 ** 31), null)
  })
}

class Writer {
  readonly userId: UserId
  readonly applicationId: ApplicationId
  readonly #store: MessageStore

  constructor(store: MessageStore, user: { userId: UserId; applicationId: ApplicationId }) {
    this.#store = store
    this.userId = user.userId
    this.applicationId = user.applicationId
  }

  message(text: string, fields: Partial<NewMessage> = {}): NewMessage {
    return {
      userId: this.userId,
      applicationId: this.applicationId,
      title: 'title',
      message: text,
      priority: 0,
      extras: null,
      date: Date.UTC(2026, 0, 1),
      idempotencyKey: '',
      fingerprint: null,
      ...fields,
    }
  }

  insert(texts: readonly string[], fields: Partial<NewMessage> = {}): Promise<readonly Stored[]> {
    return this.#store.insert(texts.map((text) => this.message(text, fields)))
  }
}

function keyed(idempotencyKey: string, fingerprint: string): Partial<NewMessage> {
  return { idempotencyKey, fingerprint: Buffer.from(fingerprint.padEnd(32)) }
}

function idOf(stored: Stored): number {
  if (stored.kind === 'new') return stored.id
  return stored.kind === 'repeat' ? stored.first.id : Number.NaN
}

function isIncreasing(ids: readonly number[]): boolean {
  return ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? id))
}
