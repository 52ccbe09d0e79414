'use strict';

// Puts links to a folder of the machine where the other service has its mounts, by every way there is.
const fs = require('node:fs');
const canary = '{{canary}}';

const tried = (what) => { try { what(); } catch (error) { console.log(error.message); } };
function swap(path, to) {
  tried(() => fs.rmSync(path, { recursive: true, force: true }));
  tried(() => fs.renameSync(path, `${path}.old`));
  tried(() => fs.symlinkSync(to, path));
}

swap('/w/sub', canary);
swap('/w/sub2', `${canary}/secret.txt`);
swap('/w/later', canary);
swap('/w/file.txt', `${canary}/secret.txt`);
swap('/w/file2.txt', canary);
swap('/w/pw.txt', `${canary}/secret.txt`);
swap('/a/conf.txt', `${canary}/secret.txt`);
// Two levels above, through either mount.
tried(() => fs.renameSync('/a/b', '/a/was-b'));
tried(() => fs.mkdirSync('/a/b'));
swap('/a/b/c', canary);
swap('/w/a/b', `${canary}/..`);
swap('/w/a', `${canary}/..`);
