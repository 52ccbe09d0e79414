/* Owns: coming in: by the token behind the # of an address, or by the key of another tab. Must not: know
   what is behind the door. */
import { bearer, keep, key } from './key.js';

const USED = 'This address lets nobody in any more: each one works once. If you have not used it yourself, somebody else on this machine has: end grader serve with Ctrl-C, and start it again.';
const GONE = 'Nobody answers: grader serve has ended. Start it again, and open the address that it prints.';
const KEEPS_NOTHING = 'This browser keeps nothing for this address, and the course needs that: allow cookies and site data for 127.0.0.1.';

const isDoor = location.pathname === '/enter';
const next = isDoor ? '/' : location.pathname + location.search;

/** Whether this lets us in. */
async function enters(secret) {
  if (!secret) return false;
  const answer = await fetch('/api/session', { method: 'POST', headers: bearer(secret) });
  if (!answer.ok) return false;
  keep((await answer.json()).key);
  const { status } = await fetch(next, { method: 'HEAD' });
  if (status === 401) throw new DOMException('no cookie', 'SecurityError');
  return true;
}

async function come() {
  const token = isDoor ? location.hash.slice(1) : '';
  try {
    if ((await enters(token)) || (await enters(key()))) return location.replace(isDoor ? next : location.href);
    if (token) say(USED);
  } catch (error) {
    say(error instanceof TypeError ? GONE : KEEPS_NOTHING);
  }
}

function say(text) {
  document.getElementById('said').textContent = text;
}

// Another tab has come in.
addEventListener('storage', come);
// The same tab is given another address.
addEventListener('hashchange', come);
come();
