// Opens the console in a headless Chromium at two widths and two schemes, waits until it shows what `expected` names, keeps
// pictures of it, and tells as JSON what it saw. Chromium is spoken to by two pipes, in the DevTools protocol.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [page, pictures, expected] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])]
const WAIT_MS = 60_000
const profile = mkdtempSync(join(tmpdir(), 'smack-chromium-'))
const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions',
  '--disable-background-networking', '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank']
const chromium = spawn('chromium', flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
const [say, hear] = [chromium.stdio[3], chromium.stdio[4]]

let last = 0
const waiting = new Map()
const complaints = []
let heard = Buffer.alloc(0)
hear.on('data', (bytes) => {
  heard = Buffer.concat([heard, bytes])
  for (let end = heard.indexOf(0); end >= 0; end = heard.indexOf(0)) {
    const message = JSON.parse(heard.subarray(0, end).toString())
    heard = heard.subarray(end + 1)
    waiting.get(message.id)?.(message)
    waiting.delete(message.id)
    const { method, params } = message
    if (method === 'Runtime.exceptionThrown') complaints.push(params.exceptionDetails.text)
    if (method === 'Log.entryAdded' && params.entry.level === 'error') complaints.push(`${params.entry.text} ${params.entry.url ?? ''}`)
    if (method === 'Page.javascriptDialogOpening') complaints.push(`a dialog: ${params.message}`)
  }
})

function call(method, params = {}, sessionId) {
  last += 1
  say.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`)
  return new Promise((resolve, reject) => waiting.set(last, ({ error, result }) => error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result)))
}

async function look(width, height, scheme, name) {
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
  const tab = (method, params) => call(method, params, sessionId)
  const value = async (expression) => (await tab('Runtime.evaluate', { expression, returnByValue: true })).result.value
  await Promise.all(['Page', 'Runtime', 'Log'].map((domain) => tab(`${domain}.enable`)))
  const mobile = width < 600
  await tab('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: mobile ? 2 : 1, mobile })
  await tab('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
  await tab('Page.navigate', { url: page })
  const missing = (text) => expected.filter((piece) => !text.includes(piece))
  const until = Date.now() + WAIT_MS
  let text = ''
  do {
    await new Promise((resolve) => setTimeout(resolve, 200))
    text = (await value('document.body.innerText')) ?? ''
  } while (missing(text).length > 0 && Date.now() < until)
  const seen = await value(`({
    text: document.body.innerText,
    overflows: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    made: document.querySelectorAll('main img, main b, main script').length,
    links: [...document.querySelectorAll('main td a')].map((link) => link.href),
    ground: getComputedStyle(document.body).backgroundColor,
    height: document.documentElement.scrollHeight,
  })`)
  // Whoever has stepped to a link by the keyboard is still there after it was drawn again.
  await value(`document.querySelector('main td a')?.focus()`)
  await new Promise((resolve) => setTimeout(resolve, 5000))
  seen.stays = await value(`document.activeElement.matches('main td a')`)
  const clip = { x: 0, y: 0, width, height: Math.min(seen.height, 6000), scale: 1 }
  const { data } = await tab('Page.captureScreenshot', { format: 'png', clip, captureBeyondViewport: true })
  writeFileSync(join(pictures, `${name}.png`), Buffer.from(data, 'base64'))
  await call('Target.closeTarget', { targetId })
  return { name, missing: missing(text), ...seen }
}

try {
  const looks = [[1280, 900, 'light', 'desktop'], [390, 844, 'dark', 'phone']]
  const seen = []
  for (const one of looks) seen.push(await look(...one))
  console.log(JSON.stringify({ seen, complaints }))
} finally {
  chromium.kill('SIGKILL')
  await new Promise((resolve) => chromium.once('exit', resolve))
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
}
process.exit(0)
