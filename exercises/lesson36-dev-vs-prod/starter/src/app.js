'use strict';

// The routes. Nothing in here listens or reads files: server.js starts it, db.js stores.

const { createHash } = require('node:crypto');
const { setTimeout: sleep } = require('node:timers/promises');
const express = require('express');
const db = require('./db');
const { FOOTER, spoolReceipt } = require('./receipt');
const log = require('./log');

function createApp() {
  const app = express();
  app.disable('x-powered-by');
  app.use(logRequests);
  app.use(express.json({ limit: '10kb' }));

  // "Am I of any use?", not just "am I running?": without its database this service is not.
  app.get('/health', async (req, res) => {
    if (await db.isReachable()) res.json({ status: 'ok' });
    else res.status(503).json({ status: 'no database' });
  });

  app.get('/receipt', (req, res) => {
    res.json({ footer: FOOTER, environment: process.env.NODE_ENV });
  });

  app.post('/payments', async (req, res) => {
    const { table, cents, terminal_ms: terminalMs = 0 } = req.body ?? {};
    const problem = whatIsWrong(table, cents, terminalMs);
    if (problem) return res.status(400).json({ error: problem });

    await sleep(terminalMs); // the guest types the PIN
    const payment = await db.insertPayment(table, cents);
    await spoolReceipt(payment);
    res.status(201).json(payment);
  });

  app.get('/payments', async (req, res) => {
    res.json(await db.lastPayments(20));
  });

  app.get('/payments/:id', async (req, res) => {
    const payment = isCount(Number(req.params.id)) && (await db.findPayment(req.params.id));
    if (payment) res.json(payment);
    else res.status(404).json({ error: 'no such payment' });
  });

  // Shows which key this process was started with, without showing the key.
  app.get('/provider', (req, res) => {
    const key = process.env.PAYMENT_PROVIDER_KEY;
    res.json({ key: key ? `sha256:${sha256(key).slice(0, 12)}` : 'none' });
  });

  app.use((req, res) => res.status(404).json({ error: 'no such page' }));
  app.use(answerErrors);
  return app;
}

// Upper end: what fits into PostgreSQL's integer.
const isCount = (n) => Number.isInteger(n) && n > 0 && n < 2 ** 31;

function whatIsWrong(table, cents, terminalMs) {
  if (!isCount(table)) return 'table must be a whole number above 0';
  if (!isCount(cents)) return 'cents must be a whole number above 0';
  if (!Number.isInteger(terminalMs) || terminalMs < 0 || terminalMs > 5000) {
    return 'terminal_ms must be a whole number from 0 to 5000';
  }
  return null;
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

function logRequests(req, res, next) {
  const start = process.hrtime.bigint();
  // 'close' comes after every answer, and also when the guest hung up before it.
  res.on('close', () => {
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    log.info('request', {
      method: req.method,
      path: req.originalUrl,
      status: res.statusCode,
      ms: Math.round(ms * 10) / 10,
    });
  });
  next();
}

// Express takes a function with four parameters for an error handler, so `next` has to stay.
// eslint-disable-next-line no-unused-vars
function answerErrors(error, req, res, next) {
  if (error.status >= 400 && error.status < 500) {
    return res.status(error.status).json({ error: error.message }); // such as JSON that is none
  }
  log.error('request failed', { path: req.originalUrl, error: error.message });
  const answer = { error: error.message };
  if (error.path) answer.path = error.path; // file errors carry the file that they are about
  res.status(error.unavailable ? 503 : 500).json(answer);
}

module.exports = { createApp };
