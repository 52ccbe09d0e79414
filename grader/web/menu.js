/* Owns: what is seldom needed, and what has to be asked before it. Must not: do it. */
import { button, el, prose, said } from './dom.js';

export class Menu {
  /** `box` is where the question appears; `back` takes the focus when it is answered. */
  constructor(box, { anew, add, reset, back }) {
    Object.assign(this, { box, add, reset, back });
    this.head = el('summary', { class: 'g-button' }, 'More');
    this.node = el('details', { class: 'g-menu' }, this.head, el('div', {},
      button('Measure everything anew', () => this.#chosen(anew)),
      button('Add a file', () => this.#chosen(() => this.#name())),
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

  #name() {
    const name = el('input', { type: 'text', id: 'g-new-file', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });
    const wrong = said();
    const add = (event) => {
      event.preventDefault();
      this.add(name.value.trim()).catch((problem) => wrong.replaceChildren(...prose(problem.message)));
    };
    this.box.replaceChildren(el('form', { class: 'g-box', onsubmit: add },
      el('p', {}, el('label', { for: name.id }, 'Name of the new file, such as ', el('code', {}, '.dockerignore'))), name, wrong,
      el('div', { class: 'g-row' }, button('Add it', add), button('Leave it', () => this.close()))));
    name.focus();
  }

  #ask() {
    const keep = button('Keep my files', () => this.close());
    const words = 'Start over? Your files move to a snapshot, which stays on this machine, and the given ones take their place.';
    this.box.replaceChildren(el('div', { class: 'g-box', role: 'group', 'aria-label': 'Start over' },
      el('p', {}, words), el('div', { class: 'g-row' }, keep, button('Start over', () => this.reset()))));
    keep.focus();
  }
}
