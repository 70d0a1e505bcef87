import { ConfigError } from '@bellwire/common/config'
import { DatabaseStartError } from '@bellwire/common/db'
import t from 'tap'
import { StartError } from '../src/http/start-error.ts'
import { describeStartFailure } from '../src/start-failure.ts'

t.test('describeStartFailure() gives one line for what a person can mend', (t) => {
  t.equal(describeStartFailure(new StartError('no port')), 'no port')
  t.equal(describeStartFailure(new DatabaseStartError('no database')), 'no database')
  t.match(describeStartFailure(new ConfigError(['no setting'])), 'no setting')
  // As Node says it, behind the words of uWebSockets.js.
  const loader =
    "This version of uWS.js supports only Node.js versions 16, 18\n\nError: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /bellwire/node_modules/uwebsockets/uws_linux_x64_137.node)"
  t.match(
    describeStartFailure(new Error(loader)),
    /^The build of uWebSockets\.js for Node \d+ needs glibc 2\.38 or newer .*$/,
  )
  t.end()
})

t.test('describeStartFailure() gives the stack of what nobody expected', (t) => {
  t.match(describeStartFailure(new TypeError('a fault')), /^TypeError: a fault\n {4}at /)
  t.equal(describeStartFailure('thrown'), 'thrown')
  t.end()
})
