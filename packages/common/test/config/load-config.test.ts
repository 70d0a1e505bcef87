import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  type Config,
  ConfigError,
  describeConfig,
  loadConfig,
  type LoadedConfig,
  SETTING_NAMES,
  settingOf,
} from '../../src/config/index.ts'

type Variables = Record<string, string>

/** Loads from a folder without env files, unless `at` names others. */
function load(
  env: Variables,
  at: { cwd?: string; home?: string; cpuCount?: number } = {},
): LoadedConfig {
  return loadConfig({ env, cwd: '/nowhere', home: '', cpuCount: 4, ...at })
}

function configOf(env: Variables, cpuCount = 4): Config {
  return load(env, { cpuCount }).config
}

/** The lines that stop a start with `env`. */
function problemsOf(env: Variables, at: { cwd?: string; home?: string } = {}): readonly string[] {
  try {
    load(env, at)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems
  }
  return []
}

t.test(
  '[CONF1] loadConfig() gives the defaults of Gotify and of the stream when nothing is set',
  (t) => {
    const { config, warnings } = load({ PATH: '/bin', HOME: '/root' })
    t.strictSame(warnings, [])
    t.strictSame(config, {
      logLevel: 'info',
      dataDir: '/nowhere/data',
      server: {
        keepAlivePeriodSeconds: 0,
        listenAddr: '',
        port: 80,
        portIsExplicit: false,
        maxBodyBytes: 4194304,
        ssl: {
          enabled: false,
          redirectToHttps: true,
          listenAddr: '',
          port: 443,
          certFile: '',
          certKey: '',
          letsEncrypt: {
            enabled: false,
            acceptTos: false,
            cache: '/nowhere/data/certs',
            directoryUrl: '',
            hosts: [],
          },
        },
        responseHeaders: {},
        stream: {
          pingPeriodSeconds: 45,
          allowedOrigins: [],
          shardCount: 256,
          shardThreads: 3,
          readBufferSize: 8192,
          writeBufferSize: 8192,
          channelBufferSize: 10,
          drainSeconds: 2,
          connectsPerSecond: 0,
        },
        cors: { allowOrigins: [], allowMethods: [], allowHeaders: [] },
        trustedProxies: [],
        secureCookie: false,
        uiDir: '',
        legacyTokens: false,
        cluster: { processes: 1, hints: 'postgres' },
      },
      database: { dialect: 'embedded', connection: '' },
      defaultUser: { name: 'admin', pass: 'admin' },
      passStrength: 10,
      uploadedImagesDir: '/nowhere/data/images',
      retention: { days: 0, count: 0 },
      registration: false,
      oidc: {
        enabled: false,
        issuer: '',
        clientId: '',
        clientSecret: '',
        redirectUrl: '',
        usernameClaim: 'preferred_username',
        autoRegister: true,
        linkByUsername: false,
        scopes: ['openid', 'profile', 'email'],
      },
    })
    t.end()
  },
)

t.test('[CONF1] loadConfig() takes every setting from its own variable', (t) => {
  const config = configOf({
    GOTIFY_LOGLEVEL: 'panic',
    GOTIFY_DATADIR: '/var/lib/bellwire',
    GOTIFY_SERVER_KEEPALIVEPERIODSECONDS: '-1',
    GOTIFY_SERVER_LISTENADDR: 'unix:push.sock',
    GOTIFY_SERVER_PORT: '80',
    GOTIFY_SERVER_MAXBODYBYTES: '1024',
    GOTIFY_SERVER_RESPONSEHEADERS: '{"X-Custom-Header":"a, b"}',
    GOTIFY_SERVER_CORS_ALLOWORIGINS: '.+\\.example\\.com,^http://localhost:\\d+$',
    GOTIFY_SERVER_CORS_ALLOWMETHODS: 'GET,POST',
    GOTIFY_SERVER_CORS_ALLOWHEADERS: 'Authorization,content-type',
    GOTIFY_SERVER_TRUSTEDPROXIES: '127.0.0.1,::1/128,10.0.0.0/8',
    GOTIFY_SERVER_SECURECOOKIE: 'T',
    GOTIFY_SERVER_STREAM_PINGPERIODSECONDS: '1',
    GOTIFY_SERVER_STREAM_ALLOWEDORIGINS: '^https://a$',
    GOTIFY_SERVER_STREAM_SHARDCOUNT: '64',
    GOTIFY_SERVER_STREAM_SHARDTHREADS: '2',
    GOTIFY_SERVER_STREAM_READBUFFERSIZE: '64',
    GOTIFY_SERVER_STREAM_WRITEBUFFERSIZE: '0',
    GOTIFY_SERVER_STREAM_CHANNELBUFFERSIZE: '0',
    GOTIFY_DATABASE_DIALECT: 'postgres',
    GOTIFY_DATABASE_CONNECTION: 'host=db user=u password=p',
    GOTIFY_DEFAULTUSER_NAME: 'boss',
    GOTIFY_DEFAULTUSER_PASS: 's3:cret',
    GOTIFY_PASSSTRENGTH: '4',
    GOTIFY_REGISTRATION: '1',
    GOTIFY_OIDC_SCOPES: '',
    NOCOLOR: '1',
  })
  t.match(config, {
    logLevel: 'fatal',
    dataDir: '/var/lib/bellwire',
    uploadedImagesDir: '/var/lib/bellwire/images',
    server: {
      keepAlivePeriodSeconds: -1,
      listenAddr: 'unix:/nowhere/push.sock',
      port: 80,
      portIsExplicit: true,
      maxBodyBytes: 1024,
      responseHeaders: { 'X-Custom-Header': 'a, b' },
      cors: { allowMethods: ['GET', 'POST'], allowHeaders: ['Authorization', 'content-type'] },
      trustedProxies: ['127.0.0.1', '::1/128', '10.0.0.0/8'],
      secureCookie: true,
      stream: {
        pingPeriodSeconds: 1,
        shardCount: 64,
        shardThreads: 2,
        readBufferSize: 64,
        writeBufferSize: 0,
        channelBufferSize: 0,
      },
    },
    database: { dialect: 'postgres', connection: 'host=db user=u password=p' },
    defaultUser: { name: 'boss', pass: 's3:cret' },
    passStrength: 4,
    registration: true,
    oidc: { scopes: ['openid', 'profile', 'email'] },
  })
  t.strictSame(
    config.server.cors.allowOrigins.map((origin) => origin.test('http://localhost:8080')),
    [false, true],
  )
  t.ok(config.server.stream.allowedOrigins[0]?.test('https://a'))
  t.end()
})

t.test('[CONF1] loadConfig() resolves what 0 stands for', (t) => {
  const threads = (env: Variables, cpuCount: number): number =>
    configOf(env, cpuCount).server.stream.shardThreads
  t.equal(threads({}, 1), 1)
  t.equal(threads({}, 2), 1)
  t.equal(threads({ GOTIFY_SERVER_STREAM_SHARDTHREADS: '0' }, 16), 15)
  t.equal(threads({}, 256), 64)
  t.equal(threads({ GOTIFY_SERVER_CLUSTER_PROCESSES: '4' }, 16), 3)
  t.equal(threads({ GOTIFY_SERVER_CLUSTER_PROCESSES: '0' }, 16), 1)
  t.equal(threads({ GOTIFY_SERVER_STREAM_SHARDTHREADS: '8' }, 1), 8)
  t.equal(
    threads({ GOTIFY_SERVER_STREAM_SHARDTHREADS: '8', GOTIFY_SERVER_STREAM_SHARDCOUNT: '3' }, 1),
    3,
  )
  t.end()
})

t.test('[CONF1] loadConfig() freezes what it gives', (t) => {
  const config = configOf({ GOTIFY_SERVER_CORS_ALLOWORIGINS: 'a' })
  t.ok(Object.isFrozen(config) && Object.isFrozen(config.server.ssl.letsEncrypt))
  t.ok(Object.isFrozen(config.server.cors.allowOrigins))
  t.strictSame(structuredClone(config), config, 'it can be sent to a worker')
  t.end()
})

t.test('[CONF2] loadConfig() reads the first env file of the search order, and no other', (t) => {
  const dir = t.testdir({
    cwd: { 'gotify-server.env': 'GOTIFY_DEFAULTUSER_NAME=cwd' },
    xdg: { gotify: { 'gotify-server.env': 'GOTIFY_DEFAULTUSER_NAME=xdg' } },
    home: { '.config': { gotify: { 'gotify-server.env': 'GOTIFY_DEFAULTUSER_NAME=home' } } },
    'named.env': 'GOTIFY_SERVER_PORT=1',
    none: {},
  })
  const name = (cwd: string, env: Variables): string =>
    load(env, { cwd: join(dir, cwd), home: join(dir, 'home') }).config.defaultUser.name
  const xdg = { XDG_CONFIG_HOME: join(dir, 'xdg') }
  t.equal(name('cwd', xdg), 'cwd')
  t.equal(name('none', xdg), 'xdg')
  t.equal(name('none', { XDG_CONFIG_HOME: '' }), 'home')
  t.equal(name('none', { XDG_CONFIG_HOME: join(dir, 'none') }), 'admin')
  t.equal(
    name('cwd', { GOTIFY_CONFIG_FILE: '../named.env' }),
    'admin',
    'the named file alone counts',
  )
  t.equal(name('cwd', { GOTIFY_CONFIG_FILE: '' }), 'cwd')
  t.end()
})

t.test('[CONF2] loadConfig() lets the environment win over the file', (t) => {
  const cwd = t.testdir({
    'gotify-server.env': `
      GOTIFY_DEFAULTUSER_NAME=file
      export GOTIFY_SERVER_PORT="81"
      GOTIFY_SERVER_SECURECOOKIE_FILE=secure
      GOTIFY_UNKNOWN=1`,
    secure: 'true\n',
  })
  const { config, warnings } = load({ GOTIFY_DEFAULTUSER_NAME: 'environment' }, { cwd })
  t.equal(config.defaultUser.name, 'environment')
  t.equal(config.server.port, 81)
  t.ok(config.server.portIsExplicit)
  t.ok(config.server.secureCookie)
  t.match(warnings, [/^GOTIFY_UNKNOWN is no setting/])
  t.end()
})

t.test('[CONF2] loadConfig() refuses an env file it cannot read', (t) => {
  const cwd = t.testdir({ 'gotify-server.env': 'hunter2', folder: {} })
  t.strictSame(problemsOf({}, { cwd }), [
    `${cwd}/gotify-server.env: must be a readable env file: line 1 is not NAME=value`,
  ])
  t.strictSame(problemsOf({ GOTIFY_CONFIG_FILE: 'none.env' }, { cwd }), [
    'GOTIFY_CONFIG_FILE (none.env): must be a readable env file: there is no such file',
  ])
  t.strictSame(problemsOf({ GOTIFY_CONFIG_FILE: 'folder' }, { cwd }), [
    'GOTIFY_CONFIG_FILE (folder): must be a readable env file: it is a folder',
  ])
  t.end()
})

t.test('[CONF4] every <NAME>_FILE gives the content of the file', (t) => {
  const dir = t.testdir()
  const env: Variables = {}
  for (const name of SETTING_NAMES) {
    const path = join(dir, name)
    writeFileSync(path, `${settingOf(name).default}\r\n`)
    env[`${name}_FILE`] = path
  }
  env['GOTIFY_DATADIR_FILE'] = 'data-dir'
  writeFileSync(join(dir, 'data-dir'), '/elsewhere\n')
  writeFileSync(join(dir, 'GOTIFY_DEFAULTUSER_PASS'), ' two words \n\n')
  const { config, warnings } = load(env, { cwd: dir })
  t.equal(config.dataDir, '/elsewhere')
  t.equal(config.defaultUser.pass, ' two words ')
  t.equal(config.server.port, 80)
  t.strictSame(warnings, [])
  t.end()
})

t.test(
  '[CONF4] loadConfig() prefers <NAME> to <NAME>_FILE, says so, and refuses unreadable files',
  (t) => {
    const { config, warnings } = load({ GOTIFY_SERVER_PORT: '1', GOTIFY_SERVER_PORT_FILE: '/none' })
    t.equal(config.server.port, 1)
    t.strictSame(warnings, [
      'GOTIFY_SERVER_PORT_FILE has no effect, because GOTIFY_SERVER_PORT is set too',
    ])
    t.strictSame(problemsOf({ GOTIFY_SERVER_PORT_FILE: '/none', GOTIFY_DATADIR_FILE: '/' }), [
      'GOTIFY_SERVER_PORT_FILE: must be the path of a readable file: there is no such file: value was "/none"',
      'GOTIFY_DATADIR_FILE: must be the path of a readable file: it is a folder: value was "/"',
    ])
    t.end()
  },
)

t.test(
  '[CONF3] loadConfig() names every wrong setting, its value and what is allowed, a line each',
  (t) => {
    t.strictSame(
      problemsOf({
        GOTIFY_SERVER_PORT: 'tcp://10.0.0.1:80',
        GOTIFY_SERVER_STREAM_SHARDCOUNT: '0',
        GOTIFY_PASSSTRENGTH: '',
        GOTIFY_REGISTRATION: 'yes',
        GOTIFY_DATABASE_DIALECT: 'mysql',
        GOTIFY_DATADIR: '',
      }),
      [
        'GOTIFY_SERVER_PORT: must be a whole number from 0 to 65535: value was "tcp://10.0.0.1:80"',
        'GOTIFY_SERVER_STREAM_SHARDCOUNT: must be a whole number from 1 to 4096: value was "0"',
        'GOTIFY_DATADIR: must be the path of a folder: value was ""',
        'GOTIFY_DATABASE_DIALECT: must be sqlite3 or embedded (both mean the PostgreSQL that Bellwire runs itself) or postgres; there is no MySQL support: value was "mysql"',
        'GOTIFY_PASSSTRENGTH: must be a whole number from 4 to 18: value was ""',
        'GOTIFY_REGISTRATION: must be true or false (or 1, t, T, TRUE, True, 0, f, F, FALSE, False): value was "yes"',
      ],
    )
    t.throws(() => load({ GOTIFY_SERVER_PORT: 'x', GOTIFY_LOGLEVEL: 'x' }), {
      message: /^GOTIFY_LOGLEVEL: .*\nGOTIFY_SERVER_PORT: .*$/,
    })
    t.end()
  },
)

t.test('[CONF3] loadConfig() stays within the bounds of the stream settings', (t) => {
  const bounds: Record<string, [number, number]> = {
    PINGPERIODSECONDS: [1, 900],
    SHARDCOUNT: [1, 4096],
    SHARDTHREADS: [0, 64],
    READBUFFERSIZE: [64, 1048576],
    WRITEBUFFERSIZE: [0, 16777216],
    CHANNELBUFFERSIZE: [0, 10000],
  }
  for (const [name, [min, max]] of Object.entries(bounds)) {
    const problems = (value: number): readonly string[] =>
      problemsOf({ [`GOTIFY_SERVER_STREAM_${name}`]: String(value) })
    t.strictSame([...problems(min), ...problems(max)], [], name)
    t.equal(problems(min - 1).length, 1, `${name} below`)
    t.equal(problems(max + 1).length, 1, `${name} above`)
  }
  t.end()
})

t.test(
  '[CONF5] loadConfig() refuses what it does not carry out, unless it asks for nothing',
  (t) => {
    const refused: Variables = {
      GOTIFY_PLUGINSDIR: 'plugins',
    }
    for (const [name, value] of Object.entries(refused)) {
      const [line = '', ...others] = problemsOf({ [name]: value })
      t.ok(line.startsWith(`${name}: must be `), line)
      t.notMatch(line, /hunter2/)
      t.strictSame(others, [])
    }
    t.equal(problemsOf(refused).length, Object.keys(refused).length)
    t.strictSame(
      problemsOf({
        GOTIFY_PLUGINSDIR: '',
      }),
      [],
    )
    t.end()
  },
)

t.test('[CLU15] loadConfig() refuses what several processes cannot share', (t) => {
  const several = { GOTIFY_SERVER_CLUSTER_PROCESSES: '3' }
  const unix = 'unix:/run/bellwire.sock'
  t.match(problemsOf({ ...several, GOTIFY_SERVER_LISTENADDR: unix }), [
    /^GOTIFY_SERVER_CLUSTER_PROCESSES: must be 1 where GOTIFY_SERVER_LISTENADDR is .*"3"$/,
  ])
  t.match(problemsOf({ ...several, GOTIFY_SERVER_SSL_LISTENADDR: unix }), [
    /^GOTIFY_SERVER_CLUSTER_PROCESSES: must be 1 where GOTIFY_SERVER_SSL_LISTENADDR is /,
  ])
  t.strictSame(problemsOf({ GOTIFY_SERVER_LISTENADDR: unix }), [])
  t.strictSame(problemsOf({ ...several, GOTIFY_SERVER_PORT: '0' }), [])
  const https = {
    GOTIFY_SERVER_SSL_ENABLED: 'true',
    GOTIFY_SERVER_SSL_CERTFILE: 'cert.pem',
    GOTIFY_SERVER_SSL_CERTKEY: 'key.pem',
  }
  t.match(problemsOf({ ...several, ...https, GOTIFY_SERVER_SSL_PORT: '0' }), [
    /^GOTIFY_SERVER_SSL_PORT: must be a port of your choice .*"0"$/,
  ])
  t.match(problemsOf({ ...several, ...https, GOTIFY_SERVER_SSL_PORT: '80' }), [
    /^GOTIFY_SERVER_SSL_PORT: must differ from GOTIFY_SERVER_PORT .*"80"$/,
  ])
  t.strictSame(problemsOf({ ...several, ...https }), [])
  t.end()
})

t.test('[CONF6] loadConfig() warns of unknown names and points to the nearest', (t) => {
  const { warnings } = load({
    GOTIFY_SEVER_PORT: '1',
    GOTIFY_SERVER_PORTS_FILE: '/none',
    gotify_registration: 'true',
    GOTIFY_CONFIG_FIL: 'x',
    GOTIFY_CONFIG_FILE: '',
    NOTGOTIFY_PORT: '1',
  })
  t.strictSame(warnings, [
    'GOTIFY_SEVER_PORT is no setting; the nearest one is GOTIFY_SERVER_PORT',
    'GOTIFY_SERVER_PORTS_FILE is no setting; the nearest one is GOTIFY_SERVER_PORT_FILE',
    'gotify_registration is no setting; the nearest one is GOTIFY_REGISTRATION',
    'GOTIFY_CONFIG_FIL is no setting; the nearest one is GOTIFY_CONFIG_FILE',
  ])
  t.end()
})

t.test('[CONF7] loadConfig() takes a database dialect and connection that fit', (t) => {
  const database = (dialect: string, connection?: string): Config['database'] =>
    configOf({
      GOTIFY_DATABASE_DIALECT: dialect,
      ...(connection === undefined ? {} : { GOTIFY_DATABASE_CONNECTION: connection }),
    }).database
  const embedded = { dialect: 'embedded', connection: '' }
  t.strictSame(database('sqlite3'), embedded)
  t.strictSame(database('embedded', 'data/gotify.db'), embedded)
  t.strictSame(database('postgres', 'postgres://h/d'), {
    dialect: 'postgres',
    connection: 'postgres://h/d',
  })
  t.throws(() => database('sqlite3', '/srv/gotify.db'), /import gotify\.db/)
  t.throws(() => database('postgres'), /must be set/)
  t.throws(() => database('postgres', 'host=h password=hunter2 port=x'), {
    message: 'GOTIFY_DATABASE_CONNECTION: must have a port from 1 to 65535',
  })
  t.end()
})

t.test('[CONF8] no secret is in an error, a warning or describeConfig()', (t) => {
  const wrong = problemsOf({
    GOTIFY_DEFAULTUSER_PASS: 'hunter2'.repeat(20),
    GOTIFY_OIDC_CLIENTSECRET: 'hunter2\0',
    GOTIFY_SERVER_CLUSTER_HINTS: 'redis://u:hunter2@h',
  })
  t.equal(wrong.length, 3)
  t.notMatch(wrong.join(), /hunter2/)

  const description = describeConfig(
    configOf({
      GOTIFY_DEFAULTUSER_PASS: 'hunter2',
      GOTIFY_OIDC_CLIENTSECRET: 'hunter2',
      GOTIFY_SERVER_RESPONSEHEADERS: '{"X-Key":"hunter2"}',
      GOTIFY_SERVER_CORS_ALLOWORIGINS: '^a$',
      GOTIFY_DATABASE_DIALECT: 'postgres',
      GOTIFY_DATABASE_CONNECTION: 'postgres://u:hunter2@db.example/d?sslmode=require',
    }),
  )
  t.notMatch(JSON.stringify(description), /hunter2/)
  t.match(description, {
    server: { responseHeaders: ['X-Key'], cors: { allowOrigins: ['^a$'] } },
    database: {
      dialect: 'postgres',
      host: 'db.example',
      port: 5432,
      database: 'd',
      user: 'u',
      tls: true,
    },
    defaultUser: { name: 'admin', pass: '***' },
    oidc: { clientSecret: '***' },
  })
  const hidden = {
    ...configOf({}),
    server: { ...configOf({}).server, cluster: { processes: 1, hints: 'nats://u:hunter2@h' } },
  }
  t.match(describeConfig(hidden), { server: { cluster: { hints: 'nats://***@h' } } })
  t.end()
})

t.test(
  '[CONF2] loadConfigFromProcess() reads the environment and the folder of its process',
  (t) => {
    const module = new URL('../../src/config/index.js', import.meta.url).href
    const script = `const { loadConfigFromProcess } = await import('${module}')
    console.log(JSON.stringify(loadConfigFromProcess().config))`
    const cwd = t.testdir({ 'gotify-server.env': 'GOTIFY_DEFAULTUSER_NAME=file' })
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd,
      env: { GOTIFY_SERVER_PORT: '81' },
      encoding: 'utf8',
    })
    t.match(JSON.parse(output), {
      dataDir: join(cwd, 'data'),
      server: { port: 81 },
      defaultUser: { name: 'file' },
    })
    t.end()
  },
)
