/* Owns: questions that are answered in the page. Must not: judge (the server does, or on a page without
   one `alone/judge.js`), or keep what is right anywhere before it was answered. */
import { button, el, heard, keepKeys, style } from './dom.js';
import { sortable } from './order.js';
import { count } from './words.js';

let lesson;
let judging;
let questions;
const summary = el('p', { class: 'quiz-summary' });

/** Makes the questions of this page live. `judgeOf` makes the judge: `judge.js`, or `alone/judge.js`. */
export async function live(fieldsets, judgeOf) {
  lesson = fieldsets[0].id.split('-')[0];
  judging = judgeOf(lesson, fieldsets);
  await style('quiz.css');
  questions = fieldsets.map(question);
  fieldsets.at(-1).after(el('div', { class: 'quiz-end' }, summary));
  document.querySelectorAll('main .quiz-note').forEach((note) => note.remove());
  judging.onNews(restore);
  await restore();
}

async function restore() {
  const kept = await judging.kept().catch(() => null);
  if (!kept) return;
  for (const one of questions) {
    const judged = kept[one.id];
    if (!judged || one.touched) continue;
    one.put(judged.answer);
    tell(one, judged);
  }
  countUp();
}

function question(fieldset) {
  const id = fieldset.id.slice(lesson.length + 1);
  const one = { id, fieldset, right: null, touched: false };
  one.result = el('div', { class: 'quiz-result', role: 'status' });
  one.answer = button('Answer', () => give(one));
  one.next = button('Go to the next one', () => goTo(nextAfter(one)), { hidden: true });
  Object.assign(one, field(fieldset));
  fieldset.append(el('div', { class: 'quiz-actions' }, one.answer, one.next), one.result);
  fieldset.addEventListener('input', () => touch(one));
  fieldset.addEventListener('keydown', (event) => event.key === 'Enter' && event.target.matches('input') && give(one));
  keepKeys(fieldset);
  return one;
}

/** How an answer is read from the question, and put into it. */
function field(fieldset) {
  const text = fieldset.querySelector('input[type=text]');
  if (text) return { read: () => text.value.trim(), put: (answer) => (text.value = answer) };
  const boxes = [...fieldset.querySelectorAll('input')];
  if (!boxes.length) return sortable(fieldset.querySelector('.quiz-options'));
  return {
    read: () => boxes.filter((box) => box.checked).map((box) => box.value).join(','),
    put: (answer) => boxes.forEach((box) => (box.checked = answer.split(',').includes(box.value))),
  };
}

function touch(one) {
  one.touched = true;
  one.fieldset.classList.remove('is-right', 'is-wrong');
}

async function give(one) {
  const answer = one.read();
  if (!answer) return one.result.replaceChildren(el('p', {}, 'There is no answer yet.'));
  if (one.asking) return;
  one.asking = true;
  try {
    tell(one, await judging.give(one.id, answer));
    countUp();
  } catch (problem) {
    one.result.replaceChildren(el('p', {}, problem.message));
  }
  one.asking = false;
}

function tell(one, { right, because }) {
  one.right = right;
  one.touched = false;
  one.fieldset.classList.toggle('is-right', right);
  one.fieldset.classList.toggle('is-wrong', !right);
  const why = el('div', { class: 'quiz-because' });
  why.innerHTML = because; // Made by the grader from the course's Markdown.
  const word = right ? ['✓', 'Right.'] : ['✗', 'Not right yet.'];
  one.result.replaceChildren(el('p', { class: 'quiz-word' }, el('span', { 'aria-hidden': 'true' }, `${word[0]} `), word[1]), why);
}

function countUp() {
  const right = questions.filter((one) => one.right).length;
  const open = questions.filter((one) => one.right === null).length;
  const wrong = questions.length - right - open;
  const parts = [`${right} of ${count(questions.length, 'question')} right`];
  if (wrong) parts.push(`${wrong} to answer again`);
  if (open) parts.push(`${open} not answered yet`);
  const next = questions.find((one) => !one.right);
  const begun = open < questions.length;
  summary.replaceChildren(
    `${parts.join(', ')}. `,
    begun && next ? button(wrong ? 'Go to the first that is not right' : 'Go to the next one', () => goTo(next)) : '',
  );
  for (const one of questions) {
    const next = nextAfter(one);
    one.next.hidden = one.right === null || !next || next === one;
    one.next.replaceChildren('Next', heard(' question that is not right yet'));
  }
}

/** The next question that is not right yet, round the end of the page. */
function nextAfter(one) {
  const at = questions.indexOf(one) + 1;
  return [...questions.slice(at), ...questions.slice(0, at)].find((other) => !other.right);
}

function goTo(one) {
  one.fieldset.scrollIntoView({ block: 'start' });
  one.fieldset.querySelector('input:checked, input, button')?.focus({ preventScroll: true });
}
