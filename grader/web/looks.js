/* Owns: asking for pictures of what the exercise has made, and showing them with their tables. Must not: measure
   or draw; the server does. */
import { ask, isHere, lines } from './api.js';
import { button, el, prose, said, style } from './dom.js';
import { evidence, fault } from './evidence.js';
import { Stages } from './run.js';

const LOOKS = {
  layers: ['Look at the layers', 'What each layer of your images holds, and what is wasted'],
  compare: ['Compare kitchen and restaurant', 'The same service in the kitchen and in the restaurant'],
};
/** A browser breaks off when Docker makes a network: the run goes on, and is told from its first event on. */
const AGAIN = 5;
const AGAIN_AFTER = 500;

export class Looks {
  constructor(lesson, looks, bench) {
    Object.assign(this, { lesson, bench, running: false });
    this.stages = new Stages();
    this.status = said({ class: 'g-status' });
    this.place = el('div');
    this.buttons = looks.map((look) => button(LOOKS[look][0], () => this.#look(look)));
    this.node = el('div', { class: 'g-looks' },
      el('h3', { class: 'g-title' }, 'What you have made'),
      el('div', { class: 'g-row' }, this.buttons), this.status, this.stages.node, this.place);
  }

  async #look(look) {
    if (this.running) return;
    this.#turn(true);
    this.status.textContent = 'Looking. What is not built yet is built now.';
    try {
      if (!(await this.bench.files.saveAll())) return void (this.status.textContent = 'A file was changed here and elsewhere. Choose one version first.');
      const path = `lessons/${this.lesson}/looks/${look}`;
      const { run } = await ask(path, { method: 'POST' });
      await this.#show(look, await this.#followed(`${path}/${run}`));
    } catch (problem) {
      this.status.textContent = problem.message;
    } finally {
      this.#turn(false);
    }
  }

  /** The run's last event. */
  async #followed(path) {
    for (let tried = 1; ; tried += 1) {
      try {
        let last;
        this.stages.begin();
        for await (const event of lines(path)) this.stages.tell((last = event));
        return last;
      } catch (problem) {
        if (problem.status || tried >= AGAIN || !isHere()) throw problem;
        await new Promise((wait) => setTimeout(wait, AGAIN_AFTER));
      }
    }
  }

  #turn(running) {
    this.running = running;
    for (const one of this.buttons) one.setAttribute('aria-disabled', String(running));
    if (!running) this.stages.end();
  }

  async #show(kind, { event, look, refusals, message, remedy }) {
    if (event === 'fault') {
      this.status.textContent = 'Nothing could be looked at.';
      return this.place.replaceChildren(box(...fault(message, remedy)));
    }
    if (event === 'refused') {
      this.status.textContent = 'Your files were not let in, so nothing was built.';
      return this.place.replaceChildren(...refusals.map(({ what, why, at }) => box(el('p', {}, el('strong', {}, 'Not let in: '), prose(what)), el('p', {}, prose(why)), this.#at(at))));
    }
    await (this.styled ??= style('slate.css'));
    const troubles = look.troubles.map(({ message: text, at, log }) => box(
      el('p', {}, el('strong', {}, 'Not yet: '), prose(text)), this.#at(at),
      log.length && evidence({ type: 'log', title: 'The last lines', lines: log })));
    this.place.replaceChildren(...troubles, ...(look.svg ? [picture(LOOKS[kind][1], look)] : []));
    this.status.textContent = look.troubles.length ? 'Not everything could be looked at.' : 'The picture is below, with a table behind it.';
  }

  #at(at) {
    return at && el('p', {}, button(`${at.file}:${at.line}`, () => this.bench.show(at.file, at.line), { class: 'g-link' }), el('code', { class: 'ck-line' }, at.text));
  }
}

const box = (...content) => el('div', { class: 'g-box g-warn' }, ...content.filter(Boolean));

/** The server's own picture. It is read as XML, in which nothing of HTML lives. */
function picture(title, { svg, tables }) {
  const drawing = document.importNode(new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement, true);
  return el('figure', { class: 'g-figure' },
    el('figcaption', {}, title),
    el('div', { class: 'g-slate', tabindex: '0', role: 'group', 'aria-label': title }, drawing),
    el('details', { class: 'g-table' }, el('summary', {}, 'As a table'), tables.map(evidence)));
}
