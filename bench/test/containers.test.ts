/** The container files are valid, as far as this machine can tell: checked where Docker Compose is there. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { REPOSITORY } from '../src/server/paths.ts'

function compose(...args: string[]): { status: number | null; output: string } {
  const environment = { ...process.env, BELLWIRE_ADMIN_PASS: 'secret' }
  const { status, stdout, stderr } = spawnSync('docker', ['compose', ...args], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    env: environment,
  })
  return { status, output: `${stdout}${stderr}` }
}

const skip = compose('version').status === 0 ? false : 'Docker Compose is not installed'

t.test('docker-compose.benchmark.yml describes five servers', { skip }, (t) => {
  const { status, output } = compose(
    ...['-f', 'docker-compose.benchmark.yml', '--profile', '*', 'config', '--format', 'json'],
  )
  t.equal(status, 0, output)
  const { services } = JSON.parse(output) as {
    services: Record<string, { environment: Record<string, string> }>
  }
  for (const shards of ['64', '128', '256', '512', '1024']) {
    const environment = services[`gotify-${shards}`]?.environment
    t.equal(environment?.['GOTIFY_SERVER_STREAM_SHARDCOUNT'], shards)
  }
  t.hasOwnProps(services, ['prometheus', 'grafana', 'nginx', 'postgres', 'k6'])
  t.end()
})

t.test('behind the load balancer all servers agree on the shard count', { skip }, (t) => {
  const { status, output } = compose(
    ...['-f', 'docker-compose.benchmark.yml', '--env-file', 'bench/compose/loadbalancer.env'],
    'config',
  )
  t.equal(status, 0, output)
  const counts = output.match(/GOTIFY_SERVER_STREAM_SHARDCOUNT: "\d+"/g) ?? []
  t.equal(counts.length, 5)
  t.equal(new Set(counts).size, 1)
  t.end()
})

t.test('deploy/compose.yaml is valid', { skip }, (t) => {
  const { status, output } = compose('-f', 'deploy/compose.yaml', 'config', '--quiet')
  t.equal(status, 0, output)
  t.end()
})
