// Scenarios of the Node driver. What a scenario returns must be the same on every subject; it is the last line of the output.
import assert from 'node:assert/strict';
import cassandra from 'cassandra-driver';

const { types } = cassandra;
const [host, port] = process.env.CQL.split(':');
const keyspace = `ks_${process.env.RUN}`;

async function connect() {
  const options = {
    contactPoints: [host], protocolOptions: { port: Number(port) }, localDataCenter: 'datacenter1',
    socketOptions: { readTimeout: 30000, connectTimeout: 20000 },
  };
  const first = new cassandra.Client(options);
  await first.execute(`CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`);
  await first.shutdown();
  const client = new cassandra.Client({ ...options, keyspace });
  await client.connect();
  return client;
}

async function round_trip() {
  const client = await connect();
  await client.execute('CREATE TABLE t (k int PRIMARY KEY, v text, l list<int>, m map<text, bigint>, u uuid, d decimal, ts timestamp)');
  const put = 'INSERT INTO t (k, v, l, m, u, d, ts) VALUES (?, ?, ?, ?, ?, ?, ?)';
  for (let k = 0; k < 100; k++) {
    await client.execute(put, [k, 'x'.repeat(k), [k], { a: types.Long.fromNumber(k) }, types.Uuid.fromString('123e4567-e89b-12d3-a456-426614174000'),
      types.BigDecimal.fromString('1.50'), new Date(1577934245678)], { prepare: true });
  }
  const row = (await client.execute('SELECT * FROM t WHERE k = ?', [7], { prepare: true })).first();
  let rows = 0;
  for await (const each of client.stream('SELECT k, v FROM t', [], { prepare: true, fetchSize: 9 })) {
    assert.equal(each.v.length, each.k);
    rows++;
  }
  return { row: JSON.parse(JSON.stringify(row)), rows, version: client.controlConnection.protocolVersion };
}

async function batches() {
  const client = await connect();
  await client.execute('CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))');
  await client.execute('CREATE TABLE n (k int PRIMARY KEY, n counter)');
  const puts = Array.from({ length: 20 }, (_, c) => ({ query: 'INSERT INTO t (k, c, v) VALUES (?, ?, ?)', params: [1, c, c] }));
  await client.batch(puts, { prepare: true });
  await client.batch([1, 2, 3].map((n) => ({ query: 'UPDATE n SET n = n + ? WHERE k = 1', params: [n] })), { prepare: true, counter: true });
  const once = 'INSERT INTO t (k, c, v) VALUES (2, 1, 1) IF NOT EXISTS';
  const applied = [(await client.execute(once)).wasApplied(), (await client.execute(once)).wasApplied()];
  const count = (await client.execute('SELECT count(*) AS n FROM t')).first().n.toString();
  const counter = (await client.execute('SELECT n FROM n')).first().n.toString();
  return { applied, count, counter };
}

async function errors() {
  const client = await connect();
  await client.execute('CREATE TABLE t (k int PRIMARY KEY)');
  const shown = {};
  for (const text of ['SELECT nope FROM t', 'SELEC', 'CREATE TABLE t (k int PRIMARY KEY)']) {
    await assert.rejects(client.execute(text), (error) => {
      shown[text] = [error.code, error.message];
      return true;
    });
  }
  return shown;
}

async function metadata() {
  const client = await connect();
  await client.execute('CREATE TABLE t (k int, c text, v set<text>, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)');
  const table = await client.metadata.getTable(keyspace, 't');
  return {
    keys: table.partitionKeys.concat(table.clusteringKeys).map((column) => column.name), order: table.clusteringOrder,
    columns: table.columns.map((column) => `${column.name} ${types.getDataTypeNameByCode(column.type)}`),
    hosts: client.hosts.values().map((each) => [each.datacenter, each.rack]),
  };
}

const answer = await { round_trip, batches, errors, metadata }[process.argv[2]]();
process.stdout.write(`${JSON.stringify(answer).replaceAll(keyspace, 'KEYSPACE')}\n`, () => process.exit(0));
