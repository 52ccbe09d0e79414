/* Owns: beginning, on a page with questions that has no server. Must not: judge or ask. */
import { el } from '../dom.js';
import { live } from '../quiz.js';
import { judge } from './judge.js';

const fieldsets = [...document.querySelectorAll('main .quiz')];
const say = (text) => fieldsets[0].before(el('p', { class: 'quiz-kept' }, text));

// Browsers have what opens the answers for pages that nobody on the way could have changed.
if (globalThis.crypto?.subtle) {
  live(fieldsets, judge).then(() => say('Your answers are judged in this page and kept in this browser. The grader on your machine does not know of them.'));
} else {
  say('This page cannot judge answers: your browser lets it do so only when it comes by https, from this machine, or from your own disk.');
}
