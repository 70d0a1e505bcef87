import t from 'tap'
import { BoundedMap } from '../../src/auth/bounded-map.ts'
import { LoginThrottle } from '../../src/auth/login-throttle.ts'
import { PasswordHasher } from '../../src/auth/password-hasher.ts'
import { VerifiedPasswords } from '../../src/auth/verified-passwords.ts'

const NOW = 1_000_000

t.test('PasswordHasher', async (t) => {
  const hasher = new PasswordHasher({ cost: 4, threads: 1, maxWaiting: 3 })
  t.teardown(() => hasher.close())

  t.test('verifies what it hashed, and nothing else', async (t) => {
    const hash = await hasher.hash('ç ☃')
    t.match(hash, /^\$2[aby]\$04\$/)
    t.equal(await hasher.verify(hash, 'ç ☃'), true)
    t.equal(await hasher.verify(hash, 'c'), false)
    t.equal(await hasher.verify('no bcrypt string', 'x'), false)
    t.equal(await hasher.verifyNobody('x'), false)
    t.equal(await hasher.verifyNobody('nobody'), false)
  })

  t.test('verifies hashes that Gotify made', async (t) => {
    // The test vectors of jBCrypt; Go's bcrypt writes the same form.
    const hash = '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'
    t.equal(await hasher.verify(hash, 'abc'), true)
    t.equal(await hasher.verify(hash, 'abd'), false)
  })

  t.test('[AUTH11] refuses to hash what bcrypt would cut off', async (t) => {
    const longest = 'x'.repeat(72)
    t.equal(await hasher.verify(await hasher.hash(longest), longest), true)
    t.equal(await hasher.verify(await hasher.hash(longest), `${longest}y`), false)
    await t.rejects(hasher.hash('ü'.repeat(37)), { code: 'BAD_REQUEST', message: /72 bytes/ })
    await t.rejects(hasher.hash('a\0b'), { code: 'BAD_REQUEST' })
  })

  t.test('[AUTH12] runs the newest first and refuses the oldest when too many wait', async (t) => {
    const order: number[] = []
    const jobs = [0, 1, 2, 3, 4, 5].map(async (index) => {
      try {
        await hasher.hash(String(index))
        order.push(index)
      } catch (error) {
        t.match(error, { code: 'OVERLOADED' })
        order.push(-index)
      }
    })
    t.equal(hasher.waiting, 3)
    await Promise.all(jobs)
    t.strictSame(order, [-1, -2, 0, 5, 4, 3])
    t.equal(hasher.waiting, 0)
  })
})

t.test('[AUTH12] Of many at once only those wait that get their turn in time', async (t) => {
  const hasher = new PasswordHasher({ cost: 10, threads: 1 })
  t.teardown(() => hasher.close())
  const order: string[] = []
  const jobs = Array.from({ length: 300 }, () =>
    hasher.verifyNobody('x').then(
      () => order.push('checked'),
      () => order.push('refused'),
    ),
  )
  t.ok(hasher.waiting < 50, `${hasher.waiting} wait`)
  await Promise.all(jobs)
  const checked = order.filter((outcome) => outcome === 'checked').length
  t.ok(order.indexOf('checked') > 200, 'the others are refused at once')
  t.ok(checked > 1 && checked < 50, `${checked} are checked`)
})

t.test('[AUTH12] A job that newer ones pass all the time is refused in the end', async (t) => {
  const hasher = new PasswordHasher({ cost: 4, threads: 1, patienceMs: 50 })
  t.teardown(() => hasher.close())
  let ended = false
  let passed = 0
  const keepBusy = async (): Promise<void> => {
    while (!ended) {
      const wasPassed = await hasher.verifyNobody('new').catch(() => null)
      if (wasPassed === false) passed++
    }
  }
  const first = keepBusy()
  const oldest = hasher.verifyNobody('old')
  const second = keepBusy()
  await t.rejects(oldest, { code: 'OVERLOADED' })
  ended = true
  await Promise.all([first, second])
  t.ok(passed > 0)
})

t.test('[LIFE21] PasswordHasher.close() answers who still waits', async (t) => {
  const hasher = new PasswordHasher({ cost: 4, threads: 1 })
  const running = hasher.hash('running')
  const waiting = hasher.hash('waiting')
  const both = Promise.all([t.rejects(running), t.rejects(waiting, { code: 'SHUTTING_DOWN' })])
  await hasher.close()
  await both
})

t.test('VerifiedPasswords', (t) => {
  const verified = new VerifiedPasswords({ ttlMs: 1000 })
  verified.add('hash', 'password', NOW)
  t.equal(verified.has('hash', 'password', NOW + 999), true)
  t.equal(verified.has('hash', 'password', NOW + 1000), false, 'ends')
  t.equal(verified.has('hash', 'other', NOW), false)
  t.equal(verified.has('other', 'password', NOW), false, 'a changed password is another hash')
  t.end()
})

t.test('LoginThrottle', (t) => {
  const address = { failures: 5, perSecond: 1 }
  const name = { failures: 3, perSecond: 1 }

  t.test('[AUTH10] brakes a name after quick failures, and lets go with time', (t) => {
    const throttle = new LoginThrottle({
      address: { failures: 100, perSecond: 0.1 },
      name,
      pair: name,
    })
    for (let i = 0; i < 3; i++) {
      throttle.check('admin', '1.1.1.1', NOW)
      throttle.failed('admin', '1.1.1.1', NOW)
    }
    t.throws(() => throttle.check('admin', '1.1.1.1', NOW), { code: 'TOO_MANY_REQUESTS' })
    throttle.check('other', '1.1.1.1', NOW)
    throttle.check('admin', '1.1.1.1', NOW + 1000)
    throttle.failed('admin', '1.1.1.1', NOW + 1000)
    t.throws(() => throttle.check('admin', '1.1.1.1', NOW + 1000))
    t.end()
  })

  t.test('[AUTH10] brakes an address that tries many names', (t) => {
    const throttle = new LoginThrottle({ address, name })
    for (let i = 0; i < 5; i++) throttle.failed(`name${i}`, '1.1.1.1', NOW)
    t.throws(() => throttle.check('another', '1.1.1.1', NOW), { code: 'TOO_MANY_REQUESTS' })
    t.doesNotThrow(() => throttle.check('another', '1.1.1.2', NOW))
    t.end()
  })

  t.test('[AUTH10] counts the neighbours in an IPv6 network as one address', (t) => {
    const throttle = new LoginThrottle({ address, name })
    for (let i = 0; i < 5; i++) throttle.failed(`name${i}`, `2001:db8:0:1:0:0:0:${i}`, NOW)
    t.throws(() => throttle.check('another', '2001:db8:0:1:0:0:0:99', NOW))
    t.doesNotThrow(() => throttle.check('another', '2001:db8:0:2:0:0:0:1', NOW))
    t.end()
  })

  t.test('[AUTH10] gives each address tries of its own at a name that has run out', (t) => {
    const pair = { failures: 2, perSecond: 0.1 }
    const throttle = new LoginThrottle({ address, name: { failures: 3, perSecond: 0 }, pair })
    for (let i = 0; i < 4; i++) throttle.failed('admin', '1.1.1.1', NOW)
    t.throws(() => throttle.check('admin', '1.1.1.1', NOW))
    t.doesNotThrow(() => throttle.check('admin', '2.2.2.2', NOW))
    throttle.failed('other', '2.2.2.2', NOW)
    throttle.failed('admin', '2.2.2.2', NOW)
    t.doesNotThrow(() => throttle.check('admin', '2.2.2.2', NOW), 'a slip is no lock-out')
    throttle.failed('admin', '2.2.2.2', NOW)
    throttle.failed('admin', '2.2.2.2', NOW)
    t.throws(() => throttle.check('admin', '2.2.2.2', NOW))
    t.throws(() => throttle.check('admin', '2.2.2.2', NOW + 9_999))
    t.doesNotThrow(() => throttle.check('admin', '2.2.2.2', NOW + 10_001), 'one comes back')
    throttle.succeeded('admin', '2.2.2.2')
    t.doesNotThrow(() => throttle.check('admin', '2.2.2.2', NOW))
    t.end()
  })
  t.end()
})

t.test('BoundedMap', (t) => {
  t.test('[LIM14] holds no more than its capacity, and keeps what is used', (t) => {
    const map = new BoundedMap<number, number>(100)
    for (let i = 0; i < 10_000; i++) {
      map.set(i, i)
      map.get(0)
    }
    let held = 0
    for (let i = 0; i < 10_000; i++) if (map.get(i) !== undefined) held++
    t.equal(map.get(0), 0)
    t.ok(held <= 100, `${held} held`)
    t.equal(map.get(9_999), 9_999)
    t.end()
  })

  t.test('forgets what it is told to, wherever it is', (t) => {
    const map = new BoundedMap<number, number>(4)
    for (let i = 0; i < 4; i++) map.set(i, i)
    map.delete(0)
    map.deleteWhere((value) => value === 3)
    t.strictSame(
      [0, 1, 2, 3].map((key) => map.get(key)),
      [undefined, 1, 2, undefined],
    )
    map.set(1, 5)
    map.delete(1)
    t.equal(map.get(1), undefined, 'not even an older value')
    t.end()
  })
  t.end()
})
