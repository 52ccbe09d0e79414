/* Owns: the exercise on the page: the learner's copy, checking it, and noticing what happens elsewhere.
   Must not: show files or findings itself; `workbench` and `checks` do. */
import { ask, isHere, lines, onBack } from './api.js';
import { Attempts } from './attempts.js';
import { Checks } from './checks.js';
import { button, el, keepKeys, load, said, style } from './dom.js';
import { fault } from './evidence.js';
import { Looks } from './looks.js';
import { Menu } from './menu.js';
import { marks } from './progress.js';
import { Stages } from './run.js';
import { Workbench } from './workbench.js';
import { count, points, seconds, when } from './words.js';

const BEAT = 2000;

/** Takes the place of the exercise block. */
export async function live(section) {
  const lesson = section.querySelector('.exercise-label').id.replace(/-deliver$/, '');
  const [info] = await Promise.all([ask(`lessons/${lesson}`).catch(() => null), style('panel.css')]);
  if (info) new Panel(section, lesson, info);
  else onBack(() => location.reload());
}

class Panel {
  constructor(section, lesson, info) {
    Object.assign(this, { lesson, info, running: false, followed: null, beats: false });
    this.bench = new Workbench(lesson);
    this.checks = new Checks(lesson, info.checks, (file, line) => this.bench.show(file, line));
    this.stages = new Stages();
    this.looks = new Looks(lesson, info.looks, this.bench);
    this.status = said({ class: 'g-status' });
    this.box = el('div');
    this.body = el('div');
    this.attempts = new Attempts();
    this.check = button('Check', () => this.begin(false), { class: 'g-button g-main' });
    this.menu = new Menu(this.box, {
      anew: () => this.begin(true),
      add: (path) => this.#add(path),
      reset: () => this.#reset(),
      back: () => this.check.focus(),
    });
    const of = info.checks.reduce((sum, check) => sum + check.points, 0);
    section.classList.add('g-panel');
    section.replaceChildren(
      el('p', { class: 'exercise-facts' }, `About ${info.minutes} minutes, ${count(of, 'point')}. What you save here is on your disk, in `, this.folder = el('code', {}, info.folder), '.'),
      this.body);
    this.terminal = el('div');
    this.results = el('div', {},
      el('div', { class: 'g-row g-actions' }, this.check, this.menu.node), this.status, this.box, this.stages.node,
      el('h3', { class: 'g-title' }, 'What is measured'), this.checks.node,
      ...(info.looks.length ? [this.looks.node] : []), this.attempts.node);
    keepKeys(section);
    if (info.report) {
      this.checks.report(info.report);
      this.status.textContent = `Last attempt, ${when(info.attempts.at(-1).at)}: ${points(info.report.points, info.report.of)}.`;
    }
    this.attempts.show(this.info.attempts);
    this.#body(info.started);
    if (info.terminal !== 'off') this.#terminal(info.terminal === 'running');
    onBack(() => this.#back());
    document.addEventListener('visibilitychange', () => this.#beat());
    this.#beat();
  }

  /** The person has asked for terminals when the course was started. */
  async #terminal(running) {
    const [{ Terminal }, { offer }] = await Promise.all([load('./terminal.js'), load('./commands.js')]);
    const terminal = new Terminal(this.lesson, running);
    terminal.after = () => (this.started ? this.check : this.checks.node.querySelector('summary')).focus();
    this.terminal.append(terminal.node);
    this.shell = terminal;
    offer(terminal);
  }

  /** Saves everything and begins a check; one that goes on is joined. */
  async begin(fresh) {
    if (this.running) return;
    this.#turn(true);
    try {
      if (!(await this.bench.files.saveAll())) {
        const [{ path }] = this.bench.files.unsaved();
        this.bench.show(path);
        return this.#stopped(`Not checked yet: ${path} was changed here and elsewhere. Choose one version first.`);
      }
      const { run } = await ask(`lessons/${this.lesson}/check`, { method: 'POST', body: { fresh } });
      await this.follow(run);
    } catch (problem) {
      this.#stopped(problem.message);
    }
  }

  /** Shows a run from its first event on. `quiet` when it was over before we came. */
  async follow(run, quiet = false) {
    if (this.followed === run) return;
    this.followed = run;
    this.#turn(true);
    this.box.replaceChildren();
    this.checks.begin();
    this.stages.begin();
    if (!quiet) this.status.textContent = `Checking: ${count(this.info.checks.length, 'check')}.`;
    try {
      for await (const event of lines(`lessons/${this.lesson}/check/${run}`)) this.#tell(event, quiet);
      this.#turn(false);
      await this.#news();
    } catch (problem) {
      this.followed = null;
      this.broken = true;
      this.#stopped(problem.message);
      this.#beat();
    }
  }

  #tell(event, quiet) {
    this.stages.tell(event);
    if (event.event === 'sample' && !quiet) this.checks.sample(event);
    else if (event.event === 'check-ended') this.checks.ended(event.check, event.outcome);
    else if (event.event === 'report') this.#report(event.report);
    else if (event.event === 'fault') this.#fault(event);
  }

  #report(report) {
    this.checks.report(report);
    const missing = this.checks.missing();
    const rest = missing.length ? `${count(missing.length, 'check is', 'checks are')} not there yet.` : 'Everything passed.';
    this.status.textContent = report.refusals.length
      ? 'Your files were not let in, so nothing was started or measured.'
      : `Measured in ${seconds(report.millis)}: ${points(report.points, report.of)}. ${rest}`;
    const first = missing.find((row) => row.state !== 'blocked');
    if (first) first.details.open = true;
  }

  #fault({ message, remedy }) {
    this.status.textContent = 'The check could not be done.';
    this.box.replaceChildren(el('div', { class: 'g-box g-warn' }, fault(message, remedy), el('p', {}, 'Nothing is counted against you.')));
  }

  #stopped(text) {
    this.#turn(false);
    this.status.textContent = text;
  }

  #turn(running) {
    this.running = running;
    this.check.textContent = running ? 'Checking' : 'Check';
    this.check.setAttribute('aria-disabled', String(running));
    if (running) return;
    this.stages.end();
    this.checks.end();
  }

  /** After a check: attempts, and marks in the sidebar. */
  async #news() {
    this.info = await ask(`lessons/${this.lesson}`);
    this.attempts.show(this.info.attempts);
    marks();
  }

  /** The server answers again: what was typed meanwhile is saved. */
  async #back() {
    await this.bench.files.saveAll().catch(() => {});
    this.#beat();
  }

  #body(started) {
    if (this.started === started) return;
    this.started = started;
    const make = button('Make my copy', () => this.#start(), { class: 'g-button g-main' });
    const files = this.info.deliver.map((file, index) => [index ? ', ' : '', el('code', {}, file)]);
    const focused = document.activeElement;
    this.body.replaceChildren(...(started ? [this.bench.node] : [el('p', {}, 'You write ', files, '. The files are given, with something wrong or missing in them.'), el('p', {}, make)]), this.terminal, this.results);
    // What is moved loses the keyboard.
    if (this.body.contains(focused)) focused.focus({ preventScroll: true });
    this.results.firstChild.hidden = !started;
    return started && this.bench.files.load().catch(() => {});
  }

  async #start() {
    try {
      await ask(`lessons/${this.lesson}/start`, { method: 'POST' });
      await this.#body(true);
      this.bench.buttons.values().next().value?.focus();
    } catch (problem) {
      this.#stopped(problem.message);
    }
  }

  async #add(path) {
    await this.bench.files.add(path);
    this.menu.close();
    this.bench.show(path);
    this.bench.editors.get(path)?.area.focus();
  }

  async #reset() {
    try {
      await this.bench.files.saveAll();
      const { snapshot } = await ask(`lessons/${this.lesson}/reset`, { method: 'POST' });
      this.bench.files.forget();
      await this.bench.files.load();
      this.menu.close();
      this.status.replaceChildren('You begin anew. ', ...(snapshot ? ['Your files are kept in ', el('code', {}, snapshot), '.'] : []),
        ...(this.shell?.over === false ? [' The shell in the terminal is still there; type ', el('code', {}, 'cd "$PWD"'), ' in it to go to the new ones.'] : []));
    } catch (problem) {
      this.#stopped(problem.message);
    }
  }

  /** Looks at what may have changed elsewhere, as long as somebody looks at the page. */
  async #beat() {
    clearTimeout(this.timer);
    if (this.beats || document.hidden || !isHere()) return;
    this.beats = true;
    const { started } = this;
    const pulse = await ask(`lessons/${this.lesson}/pulse`).catch(() => null);
    this.beats = false;
    this.timer = setTimeout(() => this.#beat(), BEAT);
    // An answer from before the copy was made knows nothing of it.
    if (!pulse || started !== this.started) return;
    const { unsaved, state } = this.bench.files;
    this.#body(pulse.files !== '' || unsaved().length > 0);
    if (this.started && state !== null && pulse.files !== state) await this.bench.files.load().catch(() => {});
    const { run } = pulse;
    if (this.broken && !run) this.#stopped('The server ended during the check, so there is no result. Check again when you like.');
    const quiet = run?.over && !this.broken;
    this.broken = false;
    if (run && run.number !== this.followed && !this.running) this.follow(run.number, quiet);
  }
}
