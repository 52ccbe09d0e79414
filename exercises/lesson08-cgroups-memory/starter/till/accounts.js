'use strict';

// The accounts of the evening. Started in the till's container when the last guest has gone:
//
//     docker compose exec till node /srv/accounts.js

const SHEET = 100 * 2 ** 20; // the sheet on which the sums are worked out, bytes

async function accounts() {
  const day = await (await fetch('http://127.0.0.1:3000/payments')).json();
  const sheet = Buffer.alloc(SHEET, 2);
  const sums = sheet.every((byte) => byte === 2);
  console.log(`accounts ${sums ? 'balanced' : 'wrong'}: ${day.payments} payments, ${day.cents} cents`);
}

accounts();
