'use strict';

// All SQL is in here. pg reads PGHOST, PGUSER, PGPASSWORD and PGDATABASE by itself, as every
// PostgreSQL client does, so there is no address and no password in the code.

const { setTimeout: sleep } = require('node:timers/promises');
const { Pool } = require('pg');
const log = require('./log');

const pool = new Pool({ max: 5, connectionTimeoutMillis: 2000, query_timeout: 2000 });

// A database that restarts breaks idle connections. Without a listener that would end the process.
pool.on('error', (error) => log.error('database connection lost', { error: error.message }));

const TABLES = `
  create table if not exists payments (
    id integer generated always as identity primary key,
    "table" integer not null,
    cents integer not null,
    paid_at timestamptz not null default now()
  )`;

// The database often needs longer to start than we do. Trying again is all it takes, and it also
// works when nobody told Compose to start the database first.
let prepared = false;
async function prepareTables() {
  for (let attempt = 1; !prepared && !pool.ending; attempt += 1) {
    try {
      await pool.query(TABLES);
      prepared = true;
      log.info('database ready', { attempt });
    } catch (error) {
      const say = attempt === 1 ? log.info : log.debug; // once is enough for those who only listen
      say('waiting for the database', { attempt, error: error.message });
      await sleep(250, undefined, { ref: false });
    }
  }
}

async function query(sql, values) {
  if (!prepared) {
    throw Object.assign(new Error('the database is not ready yet'), { unavailable: true });
  }
  log.debug('query', { sql });
  return pool.query(sql, values);
}

async function isReachable() {
  try {
    await query('select 1');
    return true;
  } catch {
    return false;
  }
}

async function insertPayment(table, cents) {
  const sql = 'insert into payments ("table", cents) values ($1, $2) returning id, "table", cents';
  return (await query(sql, [table, cents])).rows[0];
}

async function findPayment(id) {
  return (await query('select id, "table", cents from payments where id = $1', [id])).rows[0];
}

async function lastPayments(count) {
  const sql = 'select id, "table", cents from payments order by id desc limit $1';
  return (await query(sql, [count])).rows;
}

const closePool = () => pool.end();

module.exports = {
  prepareTables, isReachable, insertPayment, findPayment, lastPayments, closePool,
};
