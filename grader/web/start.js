/* Owns: "Where to go on", on the first page. Must not: appear anywhere else. */
import { el } from './dom.js';
import { lessons } from './progress.js';
import { count, points, when } from './words.js';

export async function show() {
  const all = await lessons().catch(() => []);
  if (!all.length) return;
  const next = chosen(all);
  const begun = all.some((row) => row.started || row.last);
  const link = next && el('a', { href: next.link.href }, next.title);
  const where = next
    ? el('p', {}, begun ? 'Go on with ' : 'Begin with ', link, about(next))
    : el('p', {}, 'You have passed every lesson that there is.');
  const block = el('section', { class: 'g-start', 'aria-labelledby': 'g-start' },
    el('h2', { id: 'g-start' }, begun ? 'Where to go on' : 'Where to begin'), where,
    begun && el('table', {},
      el('thead', {}, el('tr', {}, ['Part', 'Lessons passed', 'Points'].map((head) => el('th', { scope: 'col' }, head)))),
      el('tbody', {}, parts(all).map(row))));
  document.querySelector('main h1').after(block);
}

/** The lesson that was worked on last and is not passed; else the next one after those passed. */
function chosen(all) {
  const open = all.filter((row) => !row.passed);
  const tried = open.filter((row) => row.last).sort((a, b) => b.last.localeCompare(a.last));
  const after = all.findLastIndex((row) => row.passed) + 1;
  return tried[0] ?? open.find((row) => row.started) ?? all.slice(after).find((row) => !row.passed) ?? open[0];
}

function about({ points: earned, of, last }) {
  if (last) return `: ${points(earned, of)} so far, last tried on ${when(last)}.`;
  return of ? `, ${count(of, 'point')}.` : '.';
}

function parts(all) {
  const names = [...new Set(all.map((row) => row.part))];
  return names.map((part) => ({ part, rows: all.filter((row) => row.part === part) }));
}

function row({ part, rows }) {
  const sum = (key) => rows.reduce((total, each) => total + (each[key] ?? 0), 0);
  const passed = rows.filter((each) => each.passed).length;
  return el('tr', {}, el('th', { scope: 'row' }, part), el('td', {}, `${passed} of ${rows.length}`), el('td', {}, `${sum('points')} of ${sum('of')}`));
}
