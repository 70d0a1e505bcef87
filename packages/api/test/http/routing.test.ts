import t from 'tap'
import { normalizePath } from '../../src/http/path.ts'
import { Router } from '../../src/http/router.ts'
import { trailingSlashRedirect } from '../../src/http/trailing-slash.ts'
import type { Route } from '../../src/http/types.ts'

t.test('[API3] normalizePath() makes equal what means the same', (t) => {
  const cases: ReadonlyArray<readonly [raw: string, path: string | null]> = [
    ['/', '/'],
    ['/message', '/message'],
    ['/message/', '/message/'],
    ['//message', '/message'],
    ['///current//user', '/current/user'],
    ['//', '/'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../../a', '/a'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/.well-known/x', '/.well-known/x'],
    ['/%6dessage', '/message'],
    ['/a%2fb', '/a/b'],
    ['//host/%2e%2e/message/', '/message/'],
    ['/%C3%BC', '/ü'],
    ['/ü', '/ü'],
    ['/a%00b', '/a\0b'],
    ['/%ff', null],
    ['/%', null],
    ['/%zz', null],
  ]
  for (const [raw, path] of cases) t.equal(normalizePath(raw), path, raw)
  t.end()
})

t.test('Router', (t) => {
  const names = [
    'GET /',
    'GET /message',
    'POST /message',
    'DELETE /message/{id}',
    'GET /application/{id}/message',
    'GET /application/list/all',
    'GET /image/{name*}',
    'GET /user/{id}',
    'GET /static/{folder}/index',
    'GET /static/{path*}',
  ]
  const router = new Router(names.map(route))

  t.test('finds a route and its parameters', (t) => {
    t.match(router.find('GET', '/message'), { route: { pattern: '/message' }, params: {} })
    t.match(router.find('DELETE', '/message/12'), { params: { id: '12' } })
    t.match(router.find('GET', '/application/3/message'), { params: { id: '3' } })
    t.match(router.find('GET', '/'), { route: { pattern: '/' } })
    t.end()
  })

  t.test('prefers literals, and goes back when they lead nowhere', (t) => {
    t.match(router.find('GET', '/application/list/all'), { params: {} })
    t.match(router.find('GET', '/application/list/message'), { params: { id: 'list' } })
    t.strictSame(router.find('GET', '/static/a/index')?.params, { folder: 'a' })
    t.strictSame(router.find('GET', '/static/a/other')?.params, { path: 'a/other' })
    t.end()
  })

  t.test('hands the rest of a path to a starred parameter, even an empty one', (t) => {
    t.match(router.find('GET', '/image/a/b.png'), { params: { name: 'a/b.png' } })
    t.match(router.find('GET', '/image/'), { params: { name: '' } })
    t.equal(router.find('GET', '/image'), null)
    t.end()
  })

  t.test('finds nothing for other methods, lengths, cases and empty parameters', (t) => {
    t.equal(router.find('PUT', '/message'), null)
    t.equal(router.find('get', '/message'), null)
    t.equal(router.find('HEAD', '/message'), null)
    t.equal(router.find('GET', '/Message'), null)
    t.equal(router.find('GET', '/message/'), null)
    t.equal(router.find('GET', '/user/'), null)
    t.equal(router.find('GET', '/user/1/2'), null)
    t.equal(router.find('GET', '/__proto__'), null)
    t.end()
  })

  t.test('refuses two routes of the same method and pattern', (t) => {
    t.throws(() => new Router([route('GET /a'), route('GET /a')]), RangeError)
    t.end()
  })
  t.end()
})

t.test('[API3] trailingSlashRedirect()', (t) => {
  const known = new Set(['/message', '/image/', '/a b?c'])
  function target(method: string, path: string, query?: string): unknown {
    const response = trailingSlashRedirect(method, path, query, (other) => known.has(other))
    return response && [response.status, response.headers?.[0]?.[1]]
  }
  t.strictSame(target('GET', '/message/'), [301, '/message'])
  t.strictSame(target('POST', '/message/', 'limit=5'), [307, '/message?limit=5'])
  t.strictSame(target('GET', '/image'), [301, '/image/'])
  t.strictSame(target('GET', '/a b?c/'), [301, '/a%20b%3Fc'])
  t.equal(target('GET', '/unknown/'), null)
  t.equal(target('GET', '/'), null)
  t.equal(target('OPTIONS', '/message/'), null)
  t.end()
})

function route(name: string): Route {
  const [method = '', pattern = ''] = name.split(' ')
  return { method, pattern, auth: 'none', handle: () => ({ status: 200 }) }
}
