/* Owns: what is seldom needed, and the question before files are put away. Must not: do it. */
import { button, el } from './dom.js';

export class Menu {
  /** `box` is where the question appears; `back` takes the focus when it is answered. */
  constructor(box, { anew, reset, back }) {
    Object.assign(this, { box, reset, back });
    this.head = el('summary', { class: 'g-button' }, 'More');
    this.node = el('details', { class: 'g-menu' }, this.head, el('div', {},
      button('Measure everything anew', () => this.#chosen(anew)),
      button('Start over', () => this.#chosen(() => this.#ask()))));
    this.node.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#chosen(() => this.head.focus()));
    this.node.addEventListener('focusout', ({ relatedTarget }) => {
      if (relatedTarget && !this.node.contains(relatedTarget)) this.node.open = false;
    });
  }

  close() {
    this.box.replaceChildren();
    this.back();
  }

  #chosen(action) {
    this.node.open = false;
    action();
  }

  #ask() {
    const keep = button('Keep my files', () => this.close());
    const words = 'Start over? Your files move to a snapshot, which stays on this machine, and the given ones take their place.';
    this.box.replaceChildren(el('div', { class: 'g-box', role: 'group', 'aria-label': 'Start over' },
      el('p', {}, words), el('div', { class: 'g-row' }, keep, button('Start over', () => this.reset()))));
    keep.focus();
  }
}
