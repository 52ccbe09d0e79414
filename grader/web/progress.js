/* Owns: what is passed, in the table of contents. Must not: praise, hurry or count days. */
import { ask } from './api.js';
import { el, heard } from './dom.js';
import { points } from './words.js';

/** All lessons, with their links in the table of contents and the parts that they belong to. */
export async function lessons() {
  const rows = (await ask('lessons')).lessons;
  const found = [];
  let part = '';
  for (const node of document.querySelectorAll('#mdbook-sidebar .part-title, #mdbook-sidebar .chapter-link-wrapper > a')) {
    if (node.matches('.part-title')) part = node.textContent;
    const row = node.href && !node.hash && rows.find(({ page }) => new URL(node.href).pathname === `/${page}`);
    if (row) found.push({ ...row, part, link: node, title: node.firstChild.textContent });
  }
  return found;
}

/** Marks each lesson with a sign, and a word for those who hear it. */
export async function marks() {
  const all = await lessons().catch(() => []);
  for (const { link, ...row } of all) {
    const [sign, words] = mark(row);
    link.querySelector('.g-mark')?.remove();
    if (sign) link.append(el('span', { class: 'g-mark', title: words }, el('span', { 'aria-hidden': 'true' }, sign), heard(`, ${words}`)));
  }
}

function mark({ passed, points: earned, of, started }) {
  if (passed) return ['✓', 'passed'];
  if (earned) return [`${earned}/${of}`, points(earned, of)];
  return started || earned === 0 ? ['…', 'begun'] : [];
}
