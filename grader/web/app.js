/* Owns: what of ours a page loads. Must not: do anything itself that only some pages need. */
import { follow } from './author.js';
import { load } from './dom.js';
import { marks } from './progress.js';

const questions = document.querySelectorAll('main .quiz');
const exercise = document.querySelector('main .exercise');

// On the page for printing, all lessons stand below each other: that is for paper.
if (!location.pathname.endsWith('/print.html')) {
  marks();
  follow();
  if (questions.length) Promise.all([load('./quiz.js'), load('./judge.js')]).then(([quiz, { judge }]) => quiz.live([...questions], judge));
  if (exercise) load('./panel.js').then((panel) => panel.live(exercise));
  if (/^\/(index|introduction)?(\.html)?$/.test(location.pathname)) load('./start.js').then((start) => start.show());
}
