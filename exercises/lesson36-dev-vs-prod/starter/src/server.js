'use strict';

// The entry point: checks the configuration, starts listening, and stops in an orderly way.

const { createApp } = require('./app');
const { prepareTables, closePool } = require('./db');
const log = require('./log');

const port = Number(process.env.PORT || 3000);

// A service that takes real money must not start half configured: it is better that the
// deployment fails while somebody is looking than that the first guest's payment does.
if (process.env.NODE_ENV === 'production' && !process.env.PAYMENT_PROVIDER_KEY) {
  console.error('payments: PAYMENT_PROVIDER_KEY is not set, refusing to start in production');
  process.exit(1);
}

const server = createApp().listen(port, (error) => {
  if (error) {
    console.error(`payments: cannot listen on port ${port}: ${error.message}`);
    process.exit(1);
  }
  log.info('listening', { port, environment: process.env.NODE_ENV });
});

// Not awaited: the service listens at once and says on /health whether the database is there.
prepareTables();

// Somebody's card may be in the terminal right now. So: take no new requests, let the ones in
// flight finish, and only then leave.
let stopping = false;
function stop(signal) {
  if (stopping) return;
  stopping = true;
  log.info('stopping', { signal });

  server.close(async () => {
    await closePool();
    log.info('stopped');
    process.exit(0);
  });
  // A browser keeps its connection open after the answer; without this it would hold us up.
  setInterval(() => server.closeIdleConnections(), 50).unref();
}

process.on('SIGTERM', stop); // what `docker stop` sends
process.on('SIGINT', stop); // what Ctrl-C sends
