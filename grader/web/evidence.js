/* Owns: how evidence looks: notes, tables, logs, differences; what is drawn comes from `plot`. Must not: choose
   which is shown. */
import { el, load, prose } from './dom.js';

/** One piece of evidence. */
export function evidence(detail) {
  switch (detail.type) {
    case 'note': return el('p', { class: 'g-note' }, prose(detail.text));
    case 'log': return figure(detail.title, el('pre', { class: 'g-log' }, detail.lines.join('\n')));
    case 'table': return table(detail);
    case 'diff': return diff(detail.title, detail.before, detail.after);
    case 'curve':
    case 'timeline': return drawn(detail);
    default: return null;
  }
}

/** What scrolls by itself can be reached by keyboard, and has a name. */
function figure(title, content) {
  return el('figure', { class: 'g-figure' },
    el('figcaption', {}, prose(title)),
    el('div', { class: 'g-scroll', tabindex: '0', role: 'group', 'aria-label': title.replaceAll('`', '') }, content));
}

/** What is drawn takes its place when the module for it is there. */
function drawn(detail) {
  const place = el('div');
  load('./plot.js').then((plot) => plot.draw(detail)).then((figure) => place.replaceWith(figure), () => { place.textContent = detail.title; });
  return place;
}

export function table({ title, head, rows }) {
  if (!rows.length) return el('p', { class: 'g-note' }, prose(`${title}: none`));
  const cells = (row) => row.map((cell, index) => el(index || !cell ? 'td' : 'th', index || !cell ? {} : { scope: 'row' }, cell));
  return figure(title, el('table', {},
    el('thead', {}, el('tr', {}, head.map((cell) => cell ? el('th', { scope: 'col' }, cell) : el('td')))),
    el('tbody', {}, rows.map((row) => el('tr', {}, cells(row))))));
}

/** Two texts, line by line. The sign is text: colour only repeats it. */
export function diff(title, before, after) {
  const tags = { '-': 'del', '+': 'ins', ' ': 'span' };
  const lines = compared(...[before, after].map((text) => text.replace(/\n$/, '').split('\n')));
  return figure(title, el('pre', { class: 'g-diff' }, lines.map(([sign, line]) => el(tags[sign], {}, `${sign} ${line}\n`))));
}

/** The shortest way from one list of lines to the other, for texts of some hundred lines. */
function compared(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const same = (lines) => lines.map((line) => [' ', line]);
  return [...same(a.slice(0, start)), ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)), ...same(a.slice(a.length - end))];
}

function middle(a, b) {
  if (a.length * b.length > 1e6) return [...a.map((line) => ['-', line]), ...b.map((line) => ['+', line])];
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const lines = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) lines.push([' ', a[(j += 1, i++)]]);
    else if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) lines.push(['-', a[i++]]);
    else lines.push(['+', b[j++]]);
  }
  return lines;
}

/** What is said where the machine is at fault. */
export const fault = (message, remedy) => [
  el('p', {}, el('strong', {}, 'The machine is at fault, and not your work: '), prose(message)),
  el('p', {}, 'What helps: ', prose(remedy)),
];
