// Starts both, as a supervisor does.
const { fork } = require('child_process');
const all = ['menu.js', 'orders.js'].map((file) => fork(require('path').join(__dirname, file)));
process.on('SIGTERM', () => { all.forEach((one) => one.kill()); process.exit(0); });
