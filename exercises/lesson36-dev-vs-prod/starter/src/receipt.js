'use strict';

// What is printed for the guest.

const { writeFile } = require('node:fs/promises');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const FOOTER = 'Thank you for dining with us';

// The printer picks up its jobs from a spool file, one per table: the next payment of a table
// replaces the last one's, so that a long evening does not fill the disk.
async function spoolReceipt({ id, table, cents }) {
  const lines = [`Table ${table}`, `Payment ${id}`, `Paid ${(cents / 100).toFixed(2)}`, FOOTER, ''];
  await writeFile(join(tmpdir(), `receipt-table-${table}.txt`), lines.join('\n'));
}

module.exports = { FOOTER, spoolReceipt };
