import t from 'tap'
import { SeededRandom } from '../src/seeded-random.ts'

function numbers(seed: number): number[] {
  const random = new SeededRandom(seed)
  return Array.from({ length: 1_000 }, () => random.next())
}

t.test('SeededRandom repeats itself for a seed and for no other', (t) => {
  t.strictSame(numbers(7), numbers(7))
  const neighbour = new Set(numbers(8))
  t.notOk(numbers(7).some((number) => neighbour.has(number)))
  t.end()
})

t.test('SeededRandom keeps to its bounds and reaches all of them', (t) => {
  const random = new SeededRandom(1)
  const mean = numbers(1).reduce((sum, number) => sum + number, 0) / 1_000
  t.ok(mean > 0.4 && mean < 0.6, `mean ${mean}`)
  const dice = Array.from({ length: 200 }, () => random.below(6))
  t.ok([0, 1, 2, 3, 4, 5].every((face) => dice.includes(face)))
  t.ok(dice.every((value) => value >= 0 && value < 6))
  const temperature = Array.from({ length: 200 }, () => random.between(-2, 3))
  t.ok(temperature.every((value) => value >= -2 && value < 3))
  t.equal(random.chance(0), false)
  t.equal(random.chance(1), true)
  t.equal(random.pick<string>([]), undefined)
  t.ok(['a', 'b'].includes(random.oneOf('a', 'b')))
  t.end()
})

t.test('SeededRandom.shuffled() keeps every item and leaves the list alone', (t) => {
  const items = Array.from({ length: 50 }, (_, index) => index)
  const shuffled = new SeededRandom(3).shuffled(items)
  t.notSame(shuffled, items)
  t.strictSame(
    [...shuffled].sort((a, b) => a - b),
    items,
  )
  t.end()
})
