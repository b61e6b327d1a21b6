// @platformatic/kafka: the newest pure JavaScript client, which asks for high API versions.
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { KAFKA, T0, check, equal, main, name, payload, until } from './common.mjs'

const base = { clientId: 'platformatic', bootstrapBrokers: [KAFKA], retries: 5, retryDelay: 200, timeout: 20000 }

async function withAdmin(use) {
  const admin = new Admin(base)
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}

async function create(topic, partitions = 1) {
  await withAdmin(admin => admin.createTopics({ topics: [topic], partitions, replicas: 1 }))
  return topic
}

async function producing(options, use) {
  const producer = new Producer({ ...base, serializers: stringSerializers, ...options })
  try {
    return await use(producer)
  } finally {
    await producer.close()
  }
}

/** A member of a group whose stream collects all that it reads. */
async function member(groupId, topic, options = {}) {
  const classic = { sessionTimeout: 10000, heartbeatInterval: 500 }
  const protocol = options.groupProtocol === 'consumer' ? {} : classic
  const consumer = new Consumer({ ...base, groupId, deserializers: stringDeserializers, maxWaitTime: 500, ...protocol, ...options })
  const self = { consumer, records: [], failed: null }
  self.stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: true, ...options })
  self.stream.on('data', message => self.records.push(message))
  self.stream.on('error', error => (self.failed = error))
  self.partitions = () => (consumer.assignments ?? []).flatMap(a => a.partitions)
  return self
}

async function readSome(topic, count, options) {
  const reader = await member(name(`reader-${topic}`), topic, options)
  await until(() => reader.failed || reader.records.length >= count, `${count} records`)
  if (reader.failed) throw reader.failed
  await reader.consumer.close(true)
  equal(reader.records.length, count, 'records read')
  return reader.records
}

async function failure(call) {
  try {
    await call()
    return 'none'
  } catch (error) {
    const deepest = e => (e.errors?.length ? deepest(e.errors[0]) : e)
    const { apiId, code, name: kind } = deepest(error)
    return apiId ?? code ?? kind
  }
}

async function round_trip() {
  const facts = {}
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const topic = await create(name(`round-${codec}`), 3)
    await producing({ compression: codec }, async producer => {
      const messages = []
      for (let i = 0; i < 300; i++) {
        messages.push({
          topic,
          partition: i % 3,
          key: i % 10 === 0 ? undefined : `key-${i}`,
          value: i % 25 === 1 ? undefined : payload(i),
          timestamp: BigInt(T0 + i),
          headers: new Map([['n', String(i)]])
        })
      }
      await producer.send({ messages, acks: -1 })
    })
    const records = await readSome(topic, 300)
    for (const r of records) {
      const i = r.partition + 3 * Number(r.offset)
      equal(r.key || null, i % 10 === 0 ? null : `key-${i}`, `key of ${i}`)
      equal(r.value || null, i % 25 === 1 ? null : payload(i), `value of ${i}`)
      equal(Number(r.timestamp), T0 + i, `timestamp of ${i}`)
      equal(r.headers.get('n'), String(i), `header of ${i}`)
    }
    facts[codec] = records.length
  }
  return facts
}

async function admin_calls() {
  return withAdmin(async admin => {
    const topic = await create(name('admin'), 2)
    const facts = {
      again: await failure(() => create(topic)),
      'bad name': await failure(() => create('a b')),
      replicas: await failure(() => admin.createTopics({ topics: [name('r')], partitions: 1, replicas: 3 }))
    }
    check((await admin.listTopics()).includes(topic), 'not listed')
    await admin.createPartitions({ topics: [{ name: topic, count: 4, assignments: null }] })
    await until(async () => (await admin.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic).partitionsCount === 4, 'four partitions')
    const described = await admin.describeConfigs({ resources: [{ resourceType: 2, resourceName: topic, configurationKeys: null }] })
    facts.configs = described[0].configs.map(c => c.name).sort()
    await admin.deleteTopics({ topics: [topic] })
    await until(async () => !(await admin.listTopics()).includes(topic), 'the topic is gone')
    facts['delete again'] = await failure(() => admin.deleteTopics({ topics: [topic] }))
    return facts
  })
}

async function groupOfTwo(options) {
  const topic = await create(name('group'), 4)
  const groupId = name('group')
  const send = (from, to) => producing({}, producer => producer.send({
    messages: [0, 1, 2, 3].flatMap(partition =>
      Array.from({ length: to - from }, (_, i) => ({ topic, partition, value: payload(from + i) })))
  }))
  await send(0, 100)
  const one = await member(groupId, topic, options)
  await until(() => one.records.length === 400, 'one member reads everything')
  const two = await member(groupId, topic, options)
  await until(() => one.partitions().length === 2 && two.partitions().length === 2, 'two members share')
  await send(100, 120)
  const seen = () => new Set([...one.records, ...two.records].map(r => `${r.partition}/${r.offset}`)).size
  await until(() => seen() === 480, 'both read what is new')
  for (const r of [...one.records, ...two.records]) equal(r.value, payload(Number(r.offset)), 'value')
  await two.consumer.close(true)
  await until(() => one.partitions().length === 4, 'the partitions come back')
  const committed = () => withAdmin(admin => admin.listConsumerGroupOffsets({ groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [0, 1, 2, 3] }] }] }))
  await one.consumer.close(true)
  const offsets = (await committed())[0].topics[0].partitions.map(p => Number(p.committedOffset))
  await withAdmin(admin => admin.deleteGroups({ groups: [groupId] }))
  return { committed: offsets }
}

const group_classic = () => groupOfTwo({})
const group_consumer = () => groupOfTwo({ groupProtocol: 'consumer' })

async function offsets() {
  const topic = await create(name('offsets'))
  await producing({}, async producer => {
    for (let i = 0; i < 20; i++) await producer.send({ messages: [{ topic, value: payload(i), timestamp: BigInt(T0 + 10 * i) }] })
  })
  return withAdmin(async admin => {
    const facts = {}
    for (const at of [-1, -2, T0 - 1, T0, T0 + 15, T0 + 190, T0 + 191]) {
      const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: BigInt(at) }] }] })
      facts[`at ${at}`] = listed.partitions[0].offset
    }
    const deleted = await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 7n }] }] })
    facts.low = deleted[0].partitions[0].lowWatermark
    facts.read = (await readSome(topic, 13)).map(r => r.offset)
    return facts
  })
}

async function transactions() {
  const topic = await create(name('tx'), 2)
  await producing({ idempotent: true, transactionalId: name('tx') }, async producer => {
    for (const commit of [true, false, true]) {
      const transaction = await producer.beginTransaction()
      const messages = Array.from({ length: 10 }, (_, i) => ({ topic, partition: i % 2, value: commit ? 'yes' : 'no' }))
      await transaction.send({ messages })
      if (commit) await transaction.commit()
      else await transaction.abort()
    }
  })
  const visible = await readSome(topic, 20, { isolationLevel: 1 })
  check(visible.every(r => r.value === 'yes'), 'an aborted record is visible')
  return { visible: visible.length }
}

async function idempotent_and_large() {
  const topic = await create(name('large'))
  const value = 'x'.repeat(900_000)
  await producing({ idempotent: true }, async producer => {
    await producer.send({ messages: [{ topic, value }] })
    for (let i = 0; i < 20; i++) await producer.send({ messages: [{ topic, value: payload(i) }] })
  })
  const records = await readSome(topic, 21)
  check(records[0].value === value, 'the large value')
  equal(records.slice(1).map(r => r.value), Array.from({ length: 20 }, (_, i) => payload(i)), 'the rest in order')
  const large = await producing({ retries: 0 }, producer => failure(() => producer.send({ messages: [{ topic, value: 'y'.repeat(2_000_000) }] })))
  return { 'too large': large }
}

main({ admin_calls, group_classic, group_consumer, idempotent_and_large, offsets, round_trip, transactions })
