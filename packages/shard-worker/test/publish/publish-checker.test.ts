import { PushError, type ApplicationId, type PublishCommand } from '@bellwire/common'
import t from 'tap'
import { PublishChecker } from '../../src/publish/publish-checker.ts'
import type { NewMessage } from '../../src/store/message-store.ts'
import { jsonCommand, publishCommand } from '../support/commands.ts'

const NOW = Date.UTC(2026, 1, 3)

/** Asks about applications as the store does: user 1 owns application 9. */
const checker = new PublishChecker(
  {
    application: async (userId: number, id: number) =>
      userId === 1 && id === 9 ? { name: 'nine', defaultPriority: 6 } : null,
  },
  { now: () => NOW },
)

function checkedNow(command: PublishCommand): NewMessage {
  const checked = checker.check(command)
  if (checked instanceof Promise || checked instanceof PushError) throw new Error('Not at once')
  return checked
}

t.test('PublishChecker takes the date, the name and the priority that the body leaves out', (t) => {
  t.strictSame(checkedNow(jsonCommand({ message: 'm' })), {
    userId: 1,
    applicationId: 7,
    title: 'an application',
    message: 'm',
    priority: 4,
    extras: null,
    date: NOW,
    idempotencyKey: '',
    fingerprint: null,
  })
  t.match(checkedNow(jsonCommand({ message: ' ', title: ' \t', priority: 0 })), {
    message: ' ',
    title: 'an application',
    priority: 0,
  })
  t.end()
})

t.test('PublishChecker refuses what cannot be stored', (t) => {
  const wrong = [
    jsonCommand({}),
    jsonCommand({ message: '' }),
    jsonCommand({ message: 'a\0b' }),
    jsonCommand({ message: 'm', title: '\0' }),
    jsonCommand({ message: 'm' }, { idempotencyKey: 'k'.repeat(256) }),
    jsonCommand('{'),
  ]
  for (const command of wrong) {
    t.match(checker.check(command), { name: 'PushError', code: 'BAD_REQUEST' })
  }
  t.end()
})

t.test('PublishChecker turns half a surrogate pair into U+FFFD', (t) => {
  const { message, title } = checkedNow(jsonCommand('{"message":"a\\ud800","title":"\\udc00"}'))
  t.strictSame([message, title], ['a\ufffd', '\ufffd'])
  t.end()
})

t.test('PublishChecker tells two requests under one key apart', (t) => {
  const key = { idempotencyKey: 'k' }
  const of = (body: object): string | undefined =>
    checkedNow(jsonCommand(body, key)).fingerprint?.toString('hex')
  const first = of({ message: 'm', priority: 1 })
  t.equal(first, of({ priority: 1, message: 'm' }), 'the order of the fields says nothing')
  const renamed = { ...key, applicationName: Buffer.from('renamed'), defaultPriority: 9 }
  t.equal(
    of({ message: 'm' }),
    checkedNow(jsonCommand({ message: 'm' }, renamed)).fingerprint?.toString('hex'),
    'nor do the name and the default priority of the application',
  )
  for (const other of [
    { message: 'n', priority: 1 },
    { message: 'm', priority: 2 },
    { message: 'm', title: 't', priority: 1 },
    { message: 'm', priority: 1, extras: { a: 1 } },
  ]) {
    t.not(of(other), first)
  }
  t.end()
})

t.test('PublishChecker looks up an application that the body names', async (t) => {
  const sender = { applicationId: 0 as ApplicationId | 0 }
  t.match(await checker.check(jsonCommand({ message: 'm', appid: 9 }, sender)), {
    applicationId: 9,
    title: 'nine',
    priority: 6,
  })
  for (const appid of [undefined, 0]) {
    await t.rejects(Promise.resolve(checker.check(jsonCommand({ message: 'm', appid }, sender))), {
      code: 'BAD_REQUEST',
      message: /appid is required/,
    })
  }
  await t.rejects(Promise.resolve(checker.check(jsonCommand({ message: 'm', appid: 8 }, sender))), {
    message: 'appid not found',
  })
})

t.test('PublishChecker keeps its own copy of a multipart body', async (t) => {
  const text = '--x\r\ncontent-disposition: form-data; name="message"\r\n\r\nthe text\r\n--x--\r\n'
  const body = Buffer.from(text)
  const contentType = 'multipart/form-data; boundary=x'
  const checking = checker.check(publishCommand({ bodyKind: 'multipart', contentType, body }))
  // The lane's bytes are overwritten as soon as check() has returned.
  body.fill('?')
  t.match(await checking, { message: 'the text', title: 'an application' })
})
