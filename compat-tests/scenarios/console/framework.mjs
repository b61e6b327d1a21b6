// A framework that runs one task whose name is no element, declines what it is offered next, and stays until it is ended.
// Says "launched" once the task runs.
const [master, name] = process.argv.slice(2)
const api = `http://${master}/api/v1/scheduler`
const json = { 'Content-Type': 'application/json', Accept: 'application/json' }
const framework_info = { user: process.env.USER ?? 'root', name: 'framework <b>', failover_timeout: 0 }

const stream = await fetch(api, { method: 'POST', headers: json, body: JSON.stringify({ type: 'SUBSCRIBE', subscribe: { framework_info } }) })
if (!stream.ok) throw new Error(`SUBSCRIBE: ${stream.status} ${await stream.text()}`)
const headers = { ...json, 'Mesos-Stream-Id': stream.headers.get('mesos-stream-id') }
let id = null
const call = (body) => fetch(api, { method: 'POST', headers, body: JSON.stringify({ framework_id: id, ...body }) })

const scalar = (kind, value) => ({ name: kind, type: 'SCALAR', scalar: { value } })
let launched = false
let late = setTimeout(() => process.exit(1), 60_000)
async function take({ type, subscribed, offers, update }) {
  if (type === 'SUBSCRIBED') id = subscribed.framework_id
  for (const offer of offers?.offers ?? []) {
    const offer_ids = [offer.id]
    if (launched) {
      await call({ type: 'DECLINE', decline: { offer_ids, filters: { refuse_seconds: 600 } } })
      continue
    }
    launched = true
    const task = {
      name, task_id: { value: 'task-1' }, agent_id: offer.agent_id,
      resources: [scalar('cpus', 0.1), scalar('mem', 32)],
      // It outlives an agent that is killed, but not its sandbox.
      command: { value: 'echo hello; for i in $(seq 120); do [ -e stdout ] || exit 0; sleep 1; done' },
    }
    const operations = [{ type: 'LAUNCH', launch: { task_infos: [task] } }]
    await call({ type: 'ACCEPT', accept: { offer_ids, operations, filters: { refuse_seconds: 0 } } })
  }
  if (update) {
    const { uuid, agent_id, task_id, state } = update.status
    if (uuid) await call({ type: 'ACKNOWLEDGE', acknowledge: { uuid, agent_id, task_id } })
    if (state === 'TASK_RUNNING' && late) {
      clearTimeout(late)
      late = null
      console.log('launched')
    }
  }
}

let rest = Buffer.alloc(0)
for await (const bytes of stream.body) {
  rest = Buffer.concat([rest, bytes])
  for (let line = rest.indexOf('\n'); line >= 0; line = rest.indexOf('\n')) {
    const end = line + 1 + Number(rest.subarray(0, line).toString())
    if (rest.length < end) break
    const event = JSON.parse(rest.subarray(line + 1, end).toString())
    rest = rest.subarray(end)
    await take(event)
  }
}
