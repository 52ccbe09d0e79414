/* Owns: the editor of one file: a textarea with line numbers, and highlighting painted behind it.
   Must not: know where a text comes from or goes to. */
import { dockerfile } from './dockerfile.js';
import { el } from './dom.js';

/** Longer texts stay plain, so that typing stays quick. */
const PAINTED = 60000;
const INDENT = 2;
const LANGUAGES = [
  [/(^|\/)Dockerfile|\.dockerfile$/i, 'dockerfile'],
  [/\.ya?ml$/, 'yaml'],
  [/\.[cm]?js$/, 'javascript'],
  [/\.json$/, 'json'],
  [/\.(sh|bash)$|(^|\/)\.(env|\w+ignore)/, 'bash'],
  [/\.toml$/, 'ini'],
  [/\.md$/, 'markdown'],
];

export class Editor {
  constructor(path, { readOnly, describedby, typed, save }) {
    this.language = LANGUAGES.find(([names]) => names.test(path))?.[1];
    this.numbers = el('div', { class: 'ed-numbers', 'aria-hidden': 'true' });
    this.paint = el('div', { class: 'ed-paint hljs', 'aria-hidden': 'true' });
    this.area = el('textarea', {
      class: 'ed-area', spellcheck: 'false', autocomplete: 'off', autocapitalize: 'none', wrap: 'off', rows: 1,
      'aria-label': readOnly ? `${path}, only to read` : path, 'aria-describedby': describedby, readonly: readOnly,
      oninput: () => { this.#draw(); typed(this.area.value); },
      onkeydown: (event) => this.#key(event, save),
    });
    this.node = el('div', { class: 'ed' }, this.numbers, el('div', { class: 'ed-sheet' }, this.paint, this.area));
  }

  get text() {
    return this.area.value;
  }

  /** Shows another text, and keeps the place where that is possible. */
  set text(text) {
    const { selectionStart, selectionEnd } = this.area;
    this.area.value = text;
    this.area.setSelectionRange(selectionStart, selectionEnd);
    this.#draw();
  }

  /** Goes to a line, counted from 1, and marks it. */
  goTo(line) {
    const before = this.text.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
    const end = this.text.indexOf('\n', before);
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(before, end < 0 ? this.text.length : end);
    const height = this.numbers.scrollHeight / (this.text.split('\n').length + 1);
    this.node.scrollTo(0, (line - 3) * height);
    this.node.scrollIntoView({ block: 'nearest' });
  }

  #draw() {
    const text = this.area.value;
    this.numbers.textContent = Array.from(text.split('\n'), (_, index) => index + 1).join('\n');
    this.paint.replaceChildren(...painted(text, this.language), '\n');
  }

  #key(event, save) {
    const { key } = event;
    const leaving = this.leaving;
    this.leaving = key === 'Escape' || (leaving && key === 'Shift');
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 's') {
      event.preventDefault();
      save();
    }
    if (this.area.readOnly || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const start = this.text.lastIndexOf('\n', this.area.selectionStart - 1) + 1;
    if (key === 'Tab' && !event.shiftKey && !leaving) {
      event.preventDefault();
      insert(this.area, ' '.repeat(INDENT - ((this.area.selectionStart - start) % INDENT)));
    } else if (key === 'Enter') {
      event.preventDefault();
      insert(this.area, `\n${/^ */.exec(this.text.slice(start, this.area.selectionStart))[0]}`);
    }
  }
}

/** Types a text, so that it can be undone like others. */
function insert(area, text) {
  if (document.execCommand('insertText', false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new Event('input'));
}

function painted(text, language) {
  const { hljs } = window;
  if (!hljs || !language || text.length > PAINTED) return [text];
  if (!hljs.getLanguage('dockerfile')) hljs.registerLanguage('dockerfile', dockerfile);
  // The highlighter also makes HTML; its tree needs no parsing, and cannot become a script.
  const nodes = ({ children }) =>
    children.map((part) => (typeof part === 'string' ? part : el('span', part.kind ? { class: `hljs-${part.kind}` } : {}, nodes(part))));
  return nodes(hljs.highlight(language, text, true).emitter.rootNode).flat(9);
}
