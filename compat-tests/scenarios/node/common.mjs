// What every Node scenario shares. A scenario checks by value and returns facts, printed as JSON in the last line.

export const KAFKA = process.env.KAFKA
export const RUN = process.env.RUN
export const T0 = 1_700_000_000_000

export const name = stem => `${stem}-${RUN}`
export const payload = i => `record ${i} of this run, `.repeat(4)
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

export function check(condition, message) {
  if (!condition) throw new Error(message)
}

export function equal(got, want, what) {
  const [a, b] = [got, want].map(value => JSON.stringify(value, plain))
  check(a === b, `${what}: got ${a}, want ${b}`)
}

function plain(_, value) {
  return typeof value === 'bigint' ? Number(value) : value
}

export async function until(condition, what, seconds = 80) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await condition()
    if (value) return value
    check(Date.now() < end, `did not happen: ${what}`)
    await sleep(50)
  }
}

export async function main(scenarios) {
  const timer = setTimeout(() => {
    console.error('the scenario hangs')
    process.exit(1)
  }, 110_000)
  try {
    const facts = await scenarios[process.argv[2]]()
    console.log(JSON.stringify(facts ?? {}, plain))
    clearTimeout(timer)
    process.exit(0)
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
}
