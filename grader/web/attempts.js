/* Owns: the list of attempts. Must not: praise or blame one. */
import { el } from './dom.js';
import { RESULTS, points, when } from './words.js';

const SHOWN = 30;

export class Attempts {
  constructor() {
    this.list = el('ol', { reversed: true });
    this.node = el('details', { class: 'g-history' }, el('summary', {}, 'Attempts'), this.list);
  }

  /** Shows them, the newest first; `all` has the oldest first. */
  show(all) {
    const rows = all.slice(-SHOWN).reverse().map(({ at, points: earned, of, result }) => {
      const word = RESULTS[result] ? `, ${RESULTS[result]}` : '';
      return el('li', {}, el('time', { datetime: at }, when(at)), `: ${points(earned, of)}${word}`);
    });
    this.list.setAttribute('start', all.length);
    this.list.replaceChildren(...rows);
    this.node.hidden = !rows.length;
  }
}
