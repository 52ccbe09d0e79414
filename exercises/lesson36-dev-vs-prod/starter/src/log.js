'use strict';

// One line of JSON per event, on stdout. Where the lines go from there, and how long they are
// kept, is not the app's business.

const debugging = process.env.LOG_LEVEL === 'debug';

function write(level, msg, fields) {
  console.log(JSON.stringify({ time: new Date().toISOString(), level, msg, ...fields }));
}

module.exports = {
  error: (msg, fields) => write('error', msg, fields),
  info: (msg, fields) => write('info', msg, fields),
  debug: (msg, fields) => debugging && write('debug', msg, fields),
};
