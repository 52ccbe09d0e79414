/* Owns: what is shown of a run while it works: its stages with their seconds. Must not: judge, or
   begin a run. */
import { el } from './dom.js';
import { count, seconds, stage } from './words.js';

export class Stages {
  constructor() {
    this.head = el('summary');
    this.list = el('ul');
    this.node = el('details', { class: 'g-stages', hidden: true }, this.head, this.list);
  }

  begin() {
    this.end();
    Object.assign(this, { open: new Map(), measured: 0, checks: 0 });
    this.list.replaceChildren();
    this.node.hidden = false;
    this.node.open = true;
    this.#head('Waiting for the first step');
    this.timer = setInterval(() => this.#tick(), 1000);
  }

  tell(event) {
    switch (event.event) {
      case 'run-started': this.checks = event.checks; break;
      case 'check-ended': this.measured += 1; break;
      case 'stage-started': this.#started(event); break;
      case 'stage-progress': this.#at(event.stage, event.step); break;
      case 'stage-ended': this.#ended(event); break;
      case 'cleaning-up': return this.#head('Removing what was made');
      default: return;
    }
    this.#head(`${this.measured} of ${count(this.checks, 'check')} measured`);
  }

  /** The run is over; its steps stay, folded. */
  end() {
    clearInterval(this.timer);
    if (!this.list.childElementCount) this.node.hidden = true;
    this.node.open = false;
    this.#head('Step by step');
  }

  #head(text) {
    this.head.textContent = text;
  }

  #started({ stage: name, at }) {
    const step = el('span', { class: 'g-step' });
    const time = el('span', { class: 'g-time' });
    const text = el('span', {}, stage(name));
    const item = el('li', {}, text, ' ', time, step);
    this.list.append(item);
    this.open.set(name, { text, time, step, at, item });
    this.#tick();
  }

  #at(name, step) {
    const row = this.open.get(name);
    if (row) row.step.textContent = step;
  }

  #ended({ stage: name, ok, millis }) {
    const row = this.open.get(name);
    if (!row) return;
    this.open.delete(name);
    row.step.remove();
    row.text.textContent = ok ? stage(name, true) : `${stage(name)}: failed`;
    row.time.textContent = seconds(millis);
  }

  #tick() {
    for (const { time, at } of this.open?.values() ?? []) time.textContent = seconds(Math.max(0, Math.round((Date.now() - at) / 1000) * 1000));
  }
}
