'use strict';

// Each life looks at its mounts, puts links in the place of their sources, and ends: the next start follows them.
const fs = require('node:fs');
const canary = '{{canary}}';

const tried = (what) => { try { what(); } catch (error) { console.log(error.message); } };
tried(() => console.log(String(fs.readFileSync('/m/sub/secret.txt'))));
tried(() => console.log(String(fs.readFileSync('/m/file'))));
tried(() => fs.writeFileSync('/m/sub/pwned.txt', 'pwned'));
tried(() => fs.appendFileSync('/m/file', 'pwned'));
for (const [path, to] of [['sub', canary], ['file.txt', `${canary}/secret.txt`]]) {
  tried(() => fs.rmSync(path, { recursive: true, force: true }));
  tried(() => fs.renameSync(path, `${path}.old`));
  tried(() => fs.symlinkSync(to, path));
}
process.exit(1);
