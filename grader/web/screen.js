/* Owns: the lines of a terminal in the page, and what a screen reader says of them. Must not: know keys,
   or put anything into the page other than text. */
import { el } from './dom.js';

const KEPT = 2000;
const REST = 400;
const SAID = 20;

export class Screen {
  constructor() {
    this.out = el('div', { class: 'tt-out' });
    this.rows = el('div', { class: 'tt-rows' });
    this.cursor = el('div', { class: 'tt-cursor', 'aria-hidden': 'true' });
    this.keys = el('textarea', { class: 'tt-keys', rows: 1, spellcheck: 'false', autocomplete: 'off', autocapitalize: 'none', autocorrect: 'off' });
    this.box = el('div', { class: 'tt-box', tabindex: -1 }, this.out, el('div', { class: 'tt-screen' }, this.rows, this.cursor, this.keys));
    this.news = el('div', { class: 'g-heard', role: 'status' });
    this.clear();
  }

  clear() {
    this.out.replaceChildren();
    this.rows.replaceChildren();
    Object.assign(this, { gone: 0, said: null, at: 0, column: 0 });
  }

  /** Shows what has changed. */
  show({ size, out, gone, rows, cursor, taken }) {
    const { box } = this;
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 8;
    const lost = gone - this.gone - out.length;
    if (lost > 0) this.out.replaceChildren(el('div', { class: 'tt-lost' }, 'Lines before these are not kept.'));
    this.out.append(...out.map(line));
    while (this.out.childElementCount > KEPT) this.out.firstChild.remove();
    while (this.rows.childElementCount < size.lines) this.rows.append(line([]));
    while (this.rows.childElementCount > size.lines) this.rows.lastChild.remove();
    for (const [at, row] of Object.entries(rows)) this.rows.children[at].replaceWith(line(row));
    this.gone = gone;
    this.taken = taken;
    this.#place(cursor);
    if (atEnd) box.scrollTop = box.scrollHeight;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.#say(), REST);
  }

  /** The line with the cursor is said as soon as it rests: after keys that change it by themselves. */
  sayLine() {
    this.wanted = true;
  }

  /** Letters and lines that there is room for. */
  room() {
    const probe = line([{ text: '0'.repeat(100) }]);
    probe.classList.add('tt-probe');
    this.rows.after(probe);
    const { width, height } = probe.getBoundingClientRect();
    probe.remove();
    const [least, share] = this.lines ?? [10, 0.6];
    const lines = Math.min(30, Math.max(least, Math.floor((innerHeight * share) / height)));
    this.box.style.blockSize = `calc(${lines * height}px + 1.4em)`;
    return { columns: Math.max(10, Math.floor(this.rows.clientWidth / (width / 100))), lines };
  }

  #place(cursor) {
    this.cursor.hidden = !cursor;
    if (!cursor) return;
    this.at = this.gone + cursor.line;
    for (const { style } of [this.cursor, this.keys]) {
      style.insetInlineStart = `${cursor.column}ch`;
      style.insetBlockStart = `${cursor.line}lh`;
    }
  }

  #text(at) {
    const row = at >= this.gone ? this.rows.children[at - this.gone] : this.out.children[this.out.childElementCount - (this.gone - at)];
    return row?.textContent.trimEnd() ?? '';
  }

  /** Output that has come to rest: the lines after the one that was typed. */
  #say() {
    const from = this.said === null || this.at < this.said ? this.at : this.said + 1;
    const texts = [];
    for (let at = from; at <= this.at; at += 1) if (at > this.at - SAID) texts.push(this.#text(at));
    if (!texts.length && (this.wanted || this.taken)) texts.push(this.#text(this.at));
    const more = this.at - from + 1 - SAID;
    if (more > 0) texts.unshift(`${more} lines, and then:`);
    this.said = this.at;
    this.wanted = false;
    const before = this.news.textContent;
    const now = texts.filter(Boolean).map((text) => el('p', {}, text));
    if (now.length && now.map((text) => text.textContent).join('') !== before) this.news.replaceChildren(...now);
  }
}

function line(runs) {
  return el('div', { class: 'tt-row' }, runs.map(part));
}

function part({ text, ink, ground, look = [] }) {
  if (!ink && !ground && !look.length) return text;
  const node = el('span', { class: look.map((name) => `tt-${name}`).join(' ') }, text);
  // Set from here, which the policy lets in; a style in a page's HTML it does not.
  if (ground) node.style.background = colour(ground);
  if (ink || ground) node.style.color = legible(ink, ground);
  return node;
}

const colour = (name) => (name.startsWith('#') ? name : `var(--tt-${name})`);

/** Programs choose colours for a dark screen. On the page's own ground they stay legible in each theme. */
function legible(ink, ground) {
  if (!ground) return ink.startsWith('#') ? `color-mix(in srgb, ${ink} 65%, var(--tt-ink))` : colour(ink);
  if (!ground.startsWith('#')) return 'var(--tt-ground)';
  if (ink?.startsWith('#')) return ink;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(ground.slice(at, at + 2), 16));
  return red * 0.3 + green * 0.6 + blue * 0.1 > 130 ? '#000' : '#fff';
}
