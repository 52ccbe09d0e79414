/* Owns: asking for hints, one by one. Must not: know how many are open; the server does. */
import { ask } from './api.js';
import { button, el, prose, said } from './dom.js';

/** The hints of a check, closed until somebody wants them. */
export function hints(lesson, check) {
  const path = `lessons/${lesson}/hints/${check}`;
  const list = el('ol');
  const note = said({ class: 'g-note' });
  const more = button('Hints', () => show(asked ? 'POST' : 'GET'));
  let asked = false;

  async function show(method) {
    try {
      const { open, total } = await ask(path, { method });
      asked = true;
      list.replaceChildren(...open.map((hint) => el('li', {}, prose(hint))));
      const left = total - open.length;
      more.hidden = left === 0;
      more.textContent = open.length ? 'One more hint' : 'The first hint';
      note.textContent = left ? `${open.length} of ${total} hints are open. Asking for one more is noted.` : 'All hints are open.';
    } catch (problem) {
      note.textContent = problem.message;
    }
  }

  return el('div', { class: 'g-hints' }, list, more, note);
}
