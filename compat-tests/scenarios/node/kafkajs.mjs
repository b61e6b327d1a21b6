// kafkajs: the client most Node applications run.
import kafkajs from 'kafkajs'
import snappy from 'kafkajs-snappy'
import { KAFKA, T0, check, equal, main, name, payload, until } from './common.mjs'

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs
CompressionCodecs[CompressionTypes.Snappy] = snappy
const kafka = new Kafka({ brokers: [KAFKA], clientId: 'kafkajs', logLevel: logLevel.NOTHING, retry: { retries: 8 } })

async function withAdmin(use) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

async function create(topic, numPartitions = 1) {
  await withAdmin(admin => admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true }))
  return topic
}

async function producing(options, use) {
  const producer = kafka.producer({ allowAutoTopicCreation: false, ...options })
  await producer.connect()
  try {
    return await use(producer)
  } finally {
    await producer.disconnect()
  }
}

/** A running member of a group, with all that it read. */
async function member(groupId, topic, options = {}) {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10000, heartbeatInterval: 500, rebalanceTimeout: 20000, ...options })
  const self = { consumer, records: [], partitions: [] }
  consumer.on(consumer.events.GROUP_JOIN, e => (self.partitions = e.payload.memberAssignment[topic] ?? []))
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async ({ partition, message }) => {
      self.records.push({ partition, ...message })
    }
  })
  return self
}

async function readSome(topic, count, options) {
  const reader = await member(name(`reader-${topic}`), topic, options)
  await until(() => reader.records.length >= count, `${count} records`)
  await reader.consumer.disconnect()
  equal(reader.records.length, count, 'records read')
  return reader.records
}

async function failure(call) {
  try {
    await call()
    return 'none'
  } catch (error) {
    return error.errors?.[0]?.type ?? error.type ?? error.name
  }
}

async function round_trip() {
  const facts = {}
  for (const codec of ['None', 'GZIP', 'Snappy']) {
    const topic = await create(name(`round-${codec}`), 3)
    await producing({}, async producer => {
      const messages = []
      for (let i = 0; i < 300; i++) {
        messages.push({
          partition: i % 3,
          key: i % 10 === 0 ? null : `key-${i}`,
          value: i % 25 === 1 ? null : payload(i),
          timestamp: String(T0 + i),
          headers: { n: String(i), empty: '' }
        })
      }
      await producer.send({ topic, messages, compression: CompressionTypes[codec], acks: -1 })
    })
    const records = await readSome(topic, 300)
    for (const r of records) {
      const i = r.partition + 3 * Number(r.offset)
      equal(r.key?.toString() ?? null, i % 10 === 0 ? null : `key-${i}`, `key of ${i}`)
      equal(r.value?.toString() ?? null, i % 25 === 1 ? null : payload(i), `value of ${i}`)
      equal(r.timestamp, String(T0 + i), `timestamp of ${i}`)
      equal(r.headers.n.toString(), String(i), `header of ${i}`)
    }
    facts[codec] = records.length
  }
  return facts
}

async function admin_calls() {
  return withAdmin(async admin => {
    const topic = await create(name('admin'), 2)
    const facts = {
      again: await admin.createTopics({ topics: [{ topic }] }),
      'bad name': await failure(() => admin.createTopics({ topics: [{ topic: 'a b' }] })),
      replicas: await failure(() => admin.createTopics({ topics: [{ topic: name('r'), replicationFactor: 3 }] }))
    }
    // A broker learns of a topic a moment after its creation was answered.
    const partitions = async () => {
      try {
        return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.map(p => p.partitionId).sort()
      } catch {
        return []
      }
    }
    facts.partitions = await until(async () => (await partitions()).length === 2 && partitions(), 'two partitions')
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
    await until(async () => (await partitions()).length === 4, 'four partitions')
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'retention.ms', value: '123456' }] }]
    })
    const described = () => admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] }]
    })
    await until(async () => (await described()).resources[0].configEntries[0].configValue === '123456', 'the change')
    const cluster = await admin.describeCluster()
    check(cluster.clusterId, 'no cluster id')
    facts.brokers = cluster.brokers.length
    facts.acls = await failure(() => admin.describeAcls({ resourceType: 1, resourcePatternType: 1, operation: 1, permissionType: 1 }))
    await admin.deleteTopics({ topics: [topic] })
    await until(async () => !(await admin.listTopics()).includes(topic), 'the topic is gone')
    facts['delete again'] = await failure(() => admin.deleteTopics({ topics: [topic] }))
    return facts
  })
}

async function group() {
  const topic = await create(name('group'), 4)
  const groupId = name('group')
  const send = (from, to) => producing({}, producer => producer.send({
    topic,
    messages: [0, 1, 2, 3].flatMap(partition => Array.from({ length: to - from }, (_, i) => ({ partition, value: payload(from + i) })))
  }))
  await send(0, 100)
  const one = await member(groupId, topic)
  await until(() => one.records.length === 400, 'one member reads everything')
  const two = await member(groupId, topic)
  await until(() => one.partitions.length === 2 && two.partitions.length === 2, 'two members share')
  await send(100, 120)
  const seen = () => new Set([...one.records, ...two.records].map(r => `${r.partition}/${r.offset}`)).size
  await until(() => seen() === 480, 'both read what is new')
  for (const r of [...one.records, ...two.records]) equal(r.value.toString(), payload(Number(r.offset)), 'value')
  await two.consumer.disconnect()
  await until(() => one.partitions.length === 4, 'the partitions come back')
  one.records.length = 0
  one.consumer.seek({ topic, partition: 1, offset: '110' })
  await until(() => one.records.filter(r => r.partition === 1).length === 10, 'ten records after a seek')
  await one.consumer.disconnect()
  return withAdmin(async admin => {
    const offsets = await admin.fetchOffsets({ groupId, topics: [topic] })
    const described = await admin.describeGroups([groupId])
    const facts = { committed: offsets[0].partitions.map(p => p.offset).sort(), state: described.groups[0].state }
    await admin.resetOffsets({ groupId, topic, earliest: true })
    facts.reset = (await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true }))[0].partitions.map(p => p.offset)
    await admin.deleteGroups([groupId])
    facts['delete again'] = await failure(() => admin.deleteGroups([groupId]))
    return facts
  })
}

async function offsets() {
  const topic = await create(name('offsets'))
  await producing({}, async producer => {
    for (let i = 0; i < 20; i++) {
      await producer.send({ topic, messages: [{ value: payload(i), timestamp: String(T0 + 10 * i) }] })
    }
  })
  return withAdmin(async admin => {
    const facts = { all: await admin.fetchTopicOffsets(topic) }
    for (const at of [-1, 0, 15, 190, 191]) facts[`at ${at}`] = await admin.fetchTopicOffsetsByTimestamp(topic, T0 + at)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] })
    facts['after delete'] = await admin.fetchTopicOffsets(topic)
    facts.read = (await readSome(topic, 13)).map(r => r.offset)
    return facts
  })
}

async function transactions() {
  const topic = await create(name('tx'), 2)
  const options = { transactionalId: name('tx'), idempotent: true, maxInFlightRequests: 1 }
  const groupId = name('tx')
  await producing(options, async producer => {
    for (const commit of [true, false, true]) {
      const transaction = await producer.transaction()
      const messages = Array.from({ length: 10 }, (_, i) => ({ partition: i % 2, value: commit ? 'yes' : 'no' }))
      await transaction.send({ topic, messages })
      await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions: [{ partition: 0, offset: commit ? '5' : '9' }] }] })
      if (commit) await transaction.commit()
      else await transaction.abort()
    }
  })
  const visible = await readSome(topic, 20, { readUncommitted: false })
  check(visible.every(r => r.value.toString() === 'yes'), 'an aborted record is visible')
  const all = await readSome(topic, 30, { groupId: name('all'), readUncommitted: true })
  return withAdmin(async admin => {
    const committed = async () => (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions.find(p => p.partition === 0).offset
    await until(async () => (await committed()) === '5', 'the committed offset')
    return { visible: visible.length, all: all.length }
  })
}

async function large_and_empty() {
  const topic = await create(name('large'))
  const value = 'x'.repeat(900_000)
  await producing({ idempotent: true }, producer => producer.send({ topic, messages: [{ value }] }))
  equal((await readSome(topic, 1))[0].value.toString() === value, true, 'the large value is the same')
  const large = await producing({ retry: { retries: 0 } }, producer =>
    failure(() => producer.send({ topic, messages: [{ value: 'y'.repeat(2_000_000) }] })))
  const empty = await create(name('empty'), 2)
  // In the order of the answer, which the original takes from a hash.
  const offsets = await withAdmin(admin => admin.fetchTopicOffsets(empty))
  return { 'too large': large, empty: offsets.sort((a, b) => a.partition - b.partition) }
}

main({ admin_calls, group, large_and_empty, offsets, round_trip, transactions })
