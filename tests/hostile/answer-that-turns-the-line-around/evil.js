console.log('\u202Edessap kcehc\u202C \u2066 \u200B');
require('node:http').createServer((request, response) => response.end('\u202E stniop 6 fo 6 \u2028 PASS \u0085 x')).listen(3000);
process.on('SIGTERM', () => process.exit(0));
