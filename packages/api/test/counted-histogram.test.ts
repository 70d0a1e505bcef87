import { LATENCY_BOUNDS, ValueCounts } from '@bellwire/common'
import fc from 'fast-check'
import { Histogram, Registry } from 'prom-client'
import t from 'tap'
import { CountedHistogram } from '../src/counted-histogram.ts'

const HELP = 'how long it took'

t.test('CountedHistogram shows what a histogram of prom-client would', async (t) => {
  const bounds = fc.constantFrom(0, ...LATENCY_BOUNDS, 10_000)
  const milliseconds = fc.array(fc.oneof(bounds, fc.double({ min: 0, max: 9_000, noNaN: true })))
  const same = fc.asyncProperty(milliseconds, milliseconds, async (here, elsewhere) => {
    const [shown, wanted] = [new Registry(), new Registry()]
    const values = new ValueCounts(LATENCY_BOUNDS)
    new CountedHistogram({ name: 'took', help: HELP, values, divisor: 1_000, registry: shown })
    const buckets = LATENCY_BOUNDS.map((bound) => bound / 1_000)
    const histogram = new Histogram({ name: 'took', help: HELP, buckets, registers: [wanted] })
    for (const each of [...here, ...elsewhere]) histogram.observe(each / 1_000)
    const worker = new ValueCounts(LATENCY_BOUNDS)
    for (const each of elsewhere) worker.count(each)
    for (const each of here) values.count(each)
    values.add(worker.take())
    values.add(worker.take())
    t.equal(withoutSum(await shown.metrics()), withoutSum(await wanted.metrics()))
    const [sum, wantedSum] = [sumIn(await shown.metrics()), sumIn(await wanted.metrics())]
    t.ok(Math.abs(sum - wantedSum) <= 1e-9 * wantedSum, `${sum} is ${wantedSum}`)
    const [json] = await shown.getMetricsAsJSON()
    const [wantedJson] = await wanted.getMetricsAsJSON()
    t.match(json, { name: 'took', type: wantedJson?.type, aggregator: wantedJson?.aggregator })
    return t.passing()
  })
  await fc.assert(same, { numRuns: 100 })
})

/** Sums differ in their last digit, by the order in which they were added. */
function withoutSum(text: string): string {
  return text.replace(/^took_sum .*$/m, '')
}

function sumIn(text: string): number {
  return Number(/^took_sum (.*)$/m.exec(text)?.[1])
}
