// Copyright (c) 2026, diskann contributors
//
// diskann from node-postgres and pgvector-node, run by test/t/016_clients.pl.
//
// Arguments: directory of the socket, port, database.  NODE_PATH does not
// apply to imports, hence require().  Prints "ok - what" or "not ok - what" for
// each thing that should work.

import { createRequire } from 'module';
import { pathToFileURL } from 'url';

const require = createRequire(process.env.DISKANN_NODE + '/');
const pg = require('pg');

const dims = 6;
const rows = 300;
const query = [0.3, -1.0, 0.25, 2.0, 0.0, 1.5];

function check(good, what) {
  console.log((good ? 'ok - ' : 'not ok - ') + what);
}

function row(i) {
  return Array.from({ length: dims }, (_, d) => Math.sin(i * (d + 1)) * (1 + i % 7));
}

function distance(i) {
  return Math.hypot(...row(i).map((x, d) => x - query[d]));
}

const nearest = Array.from({ length: rows }, (_, i) => i)
  .sort((a, b) => distance(a) - distance(b)).slice(0, 5).join();

// A query finds the nearest rows, by the index, and again once prepared.
async function ask(client, what, text, value) {
  for (const name of [undefined, what]) {
    let good = true;
    for (let n = 0; n < 8; n++) {
      const result = await client.query({ name, text, values: [value] });
      good = good && result.rows.map((r) => r.id).join() === nearest;
    }
    check(good, what + (name ? ', prepared' : ''));
  }
  const plan = await client.query('EXPLAIN (COSTS OFF) ' + text, [value]);
  check(plan.rows.some((r) => r['QUERY PLAN'].includes('Index Scan using')),
    what + ': by the index');
}

async function load(client, table, value) {
  for (let i = 0; i < rows; i++) {
    await client.query(`INSERT INTO ${table} VALUES ($1, $2)`, [i, value(row(i))]);
  }
}

async function testArrays(client) {
  await client.query('CREATE TABLE na (id int PRIMARY KEY, v real[])');
  await client.query('CREATE INDEX ON na USING diskann (v)');
  await load(client, 'na', (v) => v);
  await ask(client, 'real[]: an array', 'SELECT id FROM na ORDER BY v <-> $1 LIMIT 5', query);
  await ask(client, 'real[]: an array and a cast',
    'SELECT id FROM na ORDER BY v <-> $1::float8[] LIMIT 5', query);
  await client.query('BEGIN');
  await client.query('SET LOCAL diskann.query_search_list_size = 20');
  await ask(client, 'real[]: with SET LOCAL',
    'SELECT id FROM na ORDER BY v <-> $1 LIMIT 5 ', query);
  await client.query('COMMIT');
  const result = await client.query('SELECT v FROM na WHERE id = 7');
  check(result.rows[0].v.every((x, d) => Math.abs(x - row(7)[d]) < 1e-5),
    'real[]: reading back');
}

async function testVectors(client) {
  const pgvector = (await import(pathToFileURL(require.resolve('pgvector/pg')))).default;

  await pgvector.registerTypes(client);
  for (const type of ['vector', 'halfvec']) {
    const table = 'n_' + type;
    await client.query(`CREATE TABLE ${table} (id int PRIMARY KEY, v ${type}(${dims}))`);
    await client.query(`CREATE INDEX ON ${table} USING diskann (v ${type}_l2_ops)`);
    await load(client, table, pgvector.toSql);
    await ask(client, type, `SELECT id FROM ${table} ORDER BY v <-> $1 LIMIT 5`,
      pgvector.toSql(query));
    const result = await client.query(`SELECT v FROM ${table} WHERE id = 7`);
    check(Array.isArray(result.rows[0].v) && result.rows[0].v.length === dims,
      type + ': reading back');
  }
}

const client = new pg.Client({
  host: process.argv[2],
  port: Number(process.argv[3]),
  database: process.argv[4],
});
await client.connect();
await client.query('SET enable_seqscan = off');
await testArrays(client);
const extension = await client.query("SELECT FROM pg_extension WHERE extname = 'vector'");
if (extension.rowCount > 0) await testVectors(client);
await client.end();
