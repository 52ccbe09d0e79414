/* Owns: the list of files and the editors on the page. Must not: talk to the server; `files` does. */
import { conflict } from './conflict.js';
import { button, el, heard, said } from './dom.js';
import { Editor } from './editor.js';
import { Files } from './files.js';

export class Workbench {
  constructor(lesson) {
    this.files = new Files(lesson, () => this.#show());
    this.editors = new Map();
    this.buttons = new Map();
    this.open = null;
    this.written = el('ul', { class: 'wb-files' });
    this.given = el('ul', { class: 'wb-files' });
    this.others = el('details', { class: 'wb-given' }, el('summary', {}, 'Given, to read'), this.given);
    this.state = el('span', { class: 'wb-state' });
    this.news = said({ class: 'g-heard' });
    this.box = el('div');
    this.place = el('div');
    this.node = el('div', { class: 'wb' },
      el('h3', { class: 'g-title', id: 'wb-files' }, 'Your files'),
      el('nav', { 'aria-labelledby': 'wb-files' }, this.written, this.others),
      this.box, this.place,
      el('p', { class: 'wb-foot', id: 'wb-keys' }, this.state, ' Tab inserts spaces; Escape and then Tab leaves the editor. Ctrl+S saves.'),
      this.news);
    addEventListener('pagehide', () => this.files.leave());
    addEventListener('beforeunload', (event) => {
      if (this.files.unsaved().some((file) => file.other || file.trouble)) event.preventDefault();
    });
  }

  /** Opens a file, at a line when one is named. */
  show(path, line) {
    const file = this.files.all.get(path);
    if (!file) return;
    this.open = path;
    if (file.given) this.others.open = true;
    this.#show();
    if (line) this.editors.get(path)?.goTo(line);
  }

  async save() {
    const file = this.files.all.get(this.open);
    await this.files.save(file).catch(() => {});
    this.news.textContent = file.draft === null ? 'Saved.' : 'Not saved.';
  }

  /** Draws what may have changed: the texts where they are not ours, the names, the box. */
  #show() {
    const { all } = this.files;
    if (!all.has(this.open)) this.open = [...all.keys()][0] ?? null;
    this.#names();
    for (const [path, editor] of this.editors) {
      const file = all.get(path);
      if (!file) this.editors.delete(path);
      else if (editor.text !== this.files.shown(file)) editor.text = this.files.shown(file) ?? '';
    }
    const file = all.get(this.open);
    if (!file) return;
    const content = file.text === null ? el('p', {}, 'This file is no text, or too long to be shown here.') : this.#editor(file).node;
    if (this.place.firstChild !== content) this.place.replaceChildren(content);
    this.#state(file);
  }

  #state(file) {
    const words = file.other ? 'Two versions.' : (file.trouble ?? (file.draft === null ? 'Saved.' : 'Not saved yet.'));
    this.state.textContent = file.given ? 'Given: the grader uses the course’s own copy.' : words;
    const key = file.other && `${file.path} ${file.other.digest}`;
    if (key === this.asked) return;
    this.asked = key;
    this.box.replaceChildren(...(key ? [conflict(file, (mine) => this.#resolve(file, mine))] : []));
  }

  async #resolve(file, mine) {
    await this.files.resolve(file, mine).catch(() => {});
    this.editors.get(file.path)?.area.focus();
  }

  #editor(file) {
    const { path } = file;
    if (!this.editors.has(path)) {
      const typed = (text) => this.files.edit(this.files.all.get(path), text);
      const editor = new Editor(path, { readOnly: file.given, describedby: 'wb-keys', typed, save: () => this.save() });
      editor.text = this.files.shown(file);
      this.editors.set(path, editor);
    }
    return this.editors.get(path);
  }

  #names() {
    const paths = [...this.files.all.keys()];
    if (paths.join('\n') !== [...this.buttons.keys()].join('\n')) {
      this.buttons = new Map(paths.map((path) => [path, button('', () => this.show(path), { class: 'g-button wb-name' })]));
      const items = (given) => paths.filter((path) => this.files.all.get(path).given === given).map((path) => el('li', {}, this.buttons.get(path)));
      this.written.replaceChildren(...items(false));
      this.given.replaceChildren(...items(true));
      this.others.hidden = !this.given.childElementCount;
    }
    for (const [path, name] of this.buttons) {
      const file = this.files.all.get(path);
      name.setAttribute('aria-current', String(path === this.open));
      const mark = file.other ? ['‼', 'two versions'] : ['•', 'not saved yet'];
      name.replaceChildren(path, ...(file.draft === null ? [] : [el('span', { 'aria-hidden': 'true' }, ` ${mark[0]}`), heard(`, ${mark[1]}`)]));
    }
  }
}
