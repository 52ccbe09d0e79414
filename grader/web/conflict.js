/* Owns: the question which of two versions stays. Must not: decide it. */
import { button, el } from './dom.js';
import { diff } from './evidence.js';

/** A box that shows both versions of a file and asks. `choose(true)` keeps what was typed here. */
export function conflict(file, choose) {
  return el(
    'div', { class: 'g-box g-warn', role: 'alert' },
    el('p', {}, el('strong', {}, `${file.path} was changed elsewhere`), ', for example in your own editor, while you were editing it here. Both versions are kept until you choose.'),
    el('details', {}, el('summary', {}, 'What differs'),
      diff('− on disk, + here', file.other.text ?? '(no text)', file.draft)),
    el('div', { class: 'g-row' },
      button('Keep mine', () => choose(true)),
      button('Take the one on disk', () => choose(false))),
  );
}
