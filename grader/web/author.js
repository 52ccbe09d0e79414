/* Owns: showing each new build of the book to whoever writes it, or why there is none. Must not: ask
   before a page goes; what was typed is saved or remembered by who has it. */
import { ask, isHere } from './api.js';
import { el } from './dom.js';

const BEAT = 2000;
const box = el('div', { role: 'alert' });
let shown;

/** Looks at the book as long as somebody looks at the page. */
export async function follow() {
  const now = document.hidden || !isHere() ? null : await ask('book').catch(() => null);
  if (now) tell(now);
  setTimeout(follow, BEAT);
}

function tell({ version, complaint }) {
  shown ??= version;
  if (version === shown) return;
  shown = version;
  if (!complaint) return location.reload();
  document.querySelector('main').prepend(box);
  box.className = 'g-box g-warn';
  box.replaceChildren(el('strong', {}, 'The book cannot be built'), el('pre', {}, complaint));
}
