/* Owns: the lesson's checks in their order, each with what was found. Must not: measure, or count
   points other than the report's. */
import { button, el, load, prose } from './dom.js';
import { evidence } from './evidence.js';
import { hints } from './hints.js';
import { STATES, count } from './words.js';

export class Checks {
  /** `open(file, line)` opens a place in the learner's files. */
  constructor(lesson, checks, open) {
    Object.assign(this, { lesson, open });
    this.rows = new Map(checks.map((check) => [check.id, this.#row(check)]));
    this.refusals = el('div');
    this.node = el('div', {}, this.refusals, el('ol', { class: 'ck' }, [...this.rows.values()].map((row) => row.node)));
  }

  begin() {
    this.refusals.replaceChildren();
    for (const row of this.rows.values()) this.#put(row, 'waiting');
  }

  /** Takes the waiting back where nothing came. */
  end() {
    for (const row of this.rows.values()) if (row.state === 'waiting') this.#put(row, 'none');
  }

  /** Shows what a check sees while it pushes something. */
  sample({ check, ...event }) {
    const row = this.rows.get(check);
    if (!row || row.state !== 'waiting') return;
    if (!row.live) {
      row.live = el('div', { class: 'ck-live' });
      row.node.append(row.live);
    }
    // Where other work took the CPUs, it is pushed once more.
    if (!row.seen || row.seen.at(-1).at_ms > event.at_ms) row.seen = [];
    row.seen.push(event);
    const { live, seen } = row;
    load('./plot.js').then((plot) => live.isConnected && plot.live(live, event, seen), () => {});
  }

  /** Shows how a check ended. */
  ended(id, outcome, { points, remembered } = {}) {
    const row = this.rows.get(id);
    if (!row) return;
    const { status, verdict } = outcome;
    const state = status === 'judged' ? verdict.result : status;
    // The report repeats what the events have told: what the learner has unfolded stays.
    const same = row.state === state && row.told;
    const wasLive = Boolean(row.live);
    if (!same) this.#put(row, state, this.#found(row, state, outcome));
    row.told = true;
    // The whole curve takes the place of the one that grew.
    if (wasLive) row.details.open = true;
    // In short, while it is folded.
    if (['fail', 'partial'].includes(state)) row.short.replaceChildren(...prose(verdict.measured.split('\n')[0]));
    const earned = points ?? { pass: row.check.points, partial: Math.floor((row.check.points * verdict?.percent) / 100) }[state] ?? 0;
    row.points.textContent = `${earned}/${row.check.points}`;
    row.word.textContent = STATES[state][1] + (remembered ? ', unchanged' : '');
  }

  /** Shows a whole report. */
  report(report) {
    if (!report.refusals.length) for (const check of report.checks) this.ended(check.id, check, check);
    this.refusals.replaceChildren(...report.refusals.map((refusal) => this.#refusal(refusal)));
    this.end();
  }

  /** The first check that did not pass, and how many did not. */
  missing() {
    return [...this.rows.values()].filter((row) => ['fail', 'partial', 'fault', 'blocked'].includes(row.state));
  }

  #row(check) {
    const row = { check, state: 'none' };
    row.sign = el('span', { class: 'ck-sign', 'aria-hidden': 'true' });
    row.word = el('span', { class: 'ck-word' });
    row.points = el('span', { class: 'ck-points' });
    row.short = el('span', { class: 'ck-short' });
    row.body = el('div', { class: 'ck-body' });
    row.details = el('details', {},
      el('summary', {}, row.sign, el('span', { class: 'ck-title' }, prose(check.title)), row.word, row.points, row.short), row.body);
    row.node = el('li', {}, row.details);
    this.#put(row, 'none');
    return row;
  }

  #put(row, state, body = []) {
    row.state = state;
    row.live?.remove();
    row.live = row.seen = null;
    row.told = false;
    row.node.dataset.state = state;
    [row.sign.textContent, row.word.textContent] = STATES[state];
    row.points.textContent = count(row.check.points, 'point');
    row.short.textContent = '';
    row.body.replaceChildren(...body.flat().filter(Boolean), el('p', { class: 'ck-why' }, el('strong', {}, 'Why: '), prose(row.check.why)));
  }

  #found(row, state, { verdict, by, message, remedy }) {
    if (state === 'blocked') {
      const cause = this.rows.get(by);
      const jump = cause && button(cause.check.title.replaceAll('`', ''), () => this.show(cause), { class: 'g-link' });
      return [el('p', {}, 'Not measured, because this did not pass: ', jump ?? by)];
    }
    if (state === 'fault') {
      return [el('p', {}, 'This is not your doing, and costs you nothing. ', el('strong', {}, message)), el('p', {}, 'What helps: ', prose(remedy))];
    }
    const { wanted, measured, at, details = [] } = verdict;
    return [
      el('dl', {}, el('dt', {}, 'Wanted'), el('dd', {}, prose(wanted)), el('dt', {}, 'Measured'), el('dd', {}, prose(measured)),
        at && [el('dt', {}, 'Place'), el('dd', {}, this.#place(at))]),
      details.map(evidence),
      state !== 'pass' && hints(this.lesson, row.check.id),
    ];
  }

  show(row) {
    row.details.open = true;
    row.details.querySelector('summary').focus();
  }

  #place({ file, line, text }) {
    return [button(`${file}:${line}`, () => this.open(file, line), { class: 'g-link' }), el('code', { class: 'ck-line' }, text)];
  }

  #refusal({ what, why, at }) {
    return el('div', { class: 'g-box g-warn' },
      el('p', {}, el('strong', {}, 'Not let in: '), prose(what)), el('p', {}, prose(why)), at && el('p', {}, this.#place(at)));
  }
}
