/* Owns: what of ours a page loads. Must not: do anything itself that only some pages need. */
import { marks } from './progress.js';

const questions = document.querySelectorAll('main .quiz');
const exercise = document.querySelector('main .exercise');

// On the page for printing, all lessons stand below each other: that is for paper.
if (!location.pathname.endsWith('/print.html')) {
  marks();
  if (questions.length) import('./quiz.js').then((quiz) => quiz.live([...questions]));
  if (exercise) import('./panel.js').then((panel) => panel.live(exercise));
  if (/^\/(index|introduction)?(\.html)?$/.test(location.pathname)) import('./start.js').then((start) => start.show());
}
