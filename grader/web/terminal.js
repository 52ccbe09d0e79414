/* Owns: a lesson's terminal on the page: its connection, its keys, its end. Must not: run anything by
   itself; what is typed here is typed by the learner. */
import { ask, onBack } from './api.js';
import { button, el, said, style } from './dom.js';
import { key as secret } from './key.js';
import { Screen } from './screen.js';

const AGAIN_AFTER = 500;
const PASTED = 30000;
const KEYS = /^(Enter|Tab|Escape|Backspace|Delete|Insert|Home|End|Page(Up|Down)|Arrow(Up|Down|Left|Right)|F([1-9]|10))$/;
const CHANGE_LINE = /^(Tab|Arrow(Up|Down))$/;

export class Terminal {
  /** `running` when the lesson has a shell already: then it is shown at once. */
  constructor(lesson, running) {
    Object.assign(this, { lesson, screen: new Screen(), over: true, pinned: false, styled: style('terminal.css') });
    const { box, keys, news } = this.screen;
    this.door = button('Open a terminal', () => (this.body.hidden ? this.open() : this.#show(false)), { 'aria-expanded': 'false', 'aria-controls': 'tt' });
    this.state = said({ class: 'tt-state' });
    this.ending = button('End the shell', () => this.#end());
    this.past = button('Skip the terminal', () => (this.from?.isConnected ? this.from : { focus: () => this.after() }).focus());
    this.pin = button('Keep in view', () => this.#pin(!this.pinned), { 'aria-pressed': 'false' });
    this.folder = el('code');
    this.body = el('section', { id: 'tt', class: 'tt', 'aria-labelledby': 'tt-title', hidden: true },
      el('h3', { class: 'g-title', id: 'tt-title' }, 'Terminal'),
      el('p', { class: 'tt-help', id: 'tt-help' }, 'Your own shell in ', this.folder, '. What you type is run on your machine. All keys go to it; ',
        el('kbd', {}, 'Shift'), '+', el('kbd', {}, 'Tab'), ' leaves it, ', el('kbd', {}, 'Ctrl'), '+', el('kbd', {}, 'V'), ' pastes.'),
      el('div', { class: 'g-row' }, this.ending, this.pin, this.past), this.state, box, news);
    this.node = el('div', { class: 'tt-place' }, this.door, this.body);
    keys.setAttribute('aria-label', 'Terminal: what you type goes to the shell');
    keys.setAttribute('aria-describedby', 'tt-help');
    this.#listen(box, keys);
    onBack(() => this.socket?.readyState > 1 && !this.over && this.#again());
    if (running) this.open(false);
  }

  /** Where focus goes when the terminal is skipped. The panel says it. */
  after() {}

  /** Opens the lesson's shell, or joins the one that runs. */
  async open(focus = true) {
    await this.styled;
    this.body.hidden = false;
    this.#told();
    try {
      const { folder, began } = await ask(`lessons/${this.lesson}/terminal`, { method: 'POST' });
      this.fresh = began;
      this.folder.textContent = folder;
      this.#join();
      if (focus) this.screen.keys.focus();
    } catch (problem) {
      this.#say(problem.message);
    }
  }

  /** Puts a command there, which the learner may change before it is run. `from` is where they were reading. */
  async put(text, from) {
    this.from = from;
    if (this.over) await this.open(false);
    if (this.body.hidden) this.#show(true);
    const { top, bottom } = this.screen.box.getBoundingClientRect();
    if (bottom < 0 || top > innerHeight) this.#pin(true);
    this.past.textContent = 'Back to the text';
    this.screen.keys.focus({ preventScroll: true });
    await this.shown;
    if (text.includes('\n') && !this.holds) return this.#say('Your shell would run these lines at once. Copy them instead, and look at them first.');
    this.#paste(text);
  }

  #join() {
    if (this.socket?.readyState < 2) return;
    const socket = new WebSocket(`ws://${location.host}/api/lessons/${this.lesson}/terminal`, ['grader', `key.${secret()}`]);
    Object.assign(this, { socket, over: false, room: '' });
    this.shown = new Promise((done) => { this.showing = done; });
    socket.onopen = () => {
      this.screen.clear();
      this.#say('');
      this.#size();
    };
    // A page that nobody sees shows nothing, and gets nothing more until somebody does.
    socket.onmessage = ({ data }) => requestAnimationFrame(() => this.#frame(JSON.parse(data)));
    // A browser also breaks off when a network comes or goes, as Docker's do: the shell is still there.
    socket.onclose = () => this.over || setTimeout(() => this.#again(), AGAIN_AFTER);
  }

  async #again() {
    const info = await ask(`lessons/${this.lesson}`).catch(() => null);
    if (this.over) return;
    if (!info) return this.#say('There is no connection to the shell. It is looked for again.');
    this.fresh = false;
    if (info.terminal === 'running') this.#join();
    else this.#ended('The shell ended with the course’s server.');
  }

  #frame(frame) {
    this.screen.show(frame);
    this.holds = frame.holds;
    // A shell that has just begun says first how it wants to be talked to.
    if (!this.fresh || frame.cursor?.column) this.showing();
    const title = frame.title && `: ${frame.title}`;
    this.body.querySelector('h3').textContent = `Terminal${title}`;
    if (frame.over) this.#ended(frame.over);
    else this.#send({ do: 'shown' });
  }

  #ended(how) {
    this.over = true;
    this.#say(how);
    this.ending.textContent = 'Open a new shell';
  }

  #end() {
    if (this.over) this.open();
    else this.#send({ do: 'end' });
  }

  #show(yes) {
    this.body.hidden = !yes;
    this.#pin(yes && this.pinned);
    this.#told();
  }

  /** At the foot of the window, beside whatever is being read. */
  #pin(yes) {
    this.pinned = yes;
    this.body.classList.toggle('tt-pinned', yes);
    this.pin.setAttribute('aria-pressed', String(yes));
    this.screen.lines = yes ? [5, 0.3] : undefined;
    this.#size();
    const { style: root } = document.documentElement;
    root.scrollPaddingBlockEnd = yes ? `${this.body.offsetHeight}px` : '';
    document.body.style.paddingBlockEnd = root.scrollPaddingBlockEnd;
  }

  #told() {
    this.door.setAttribute('aria-expanded', String(!this.body.hidden));
    this.door.textContent = this.body.hidden ? 'Show the terminal' : 'Hide the terminal';
    this.ending.textContent = 'End the shell';
  }

  #say(text) {
    this.state.textContent = text;
  }

  #send(wish) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(wish));
  }

  #size() {
    if (this.body.hidden || this.socket?.readyState !== 1) return;
    const room = this.screen.room();
    const key = JSON.stringify(room);
    if (key !== this.room) this.#send({ do: 'resize', ...room });
    this.room = key;
  }

  #listen(box, keys) {
    new ResizeObserver(() => this.#size()).observe(box);
    keys.addEventListener('keydown', (event) => this.#key(event));
    for (const kind of ['input', 'compositionend']) keys.addEventListener(kind, (event) => event.isComposing || this.#typed());
    keys.addEventListener('paste', (event) => {
      event.preventDefault();
      this.#paste(event.clipboardData.getData('text'));
    });
    // Another page may have made it as wide as that one is.
    keys.addEventListener('focus', () => { this.room = ''; this.#size(); });
    box.addEventListener('mouseup', () => getSelection().isCollapsed && keys.focus({ preventScroll: true }));
    // Text that is selected is copied as everywhere; any other key is for the shell.
    box.addEventListener('keydown', ({ target, key, ctrlKey, metaKey }) => {
      if (target === box && !ctrlKey && !metaKey && key !== 'Tab' && key !== 'Shift') keys.focus({ preventScroll: true });
    });
  }

  #typed() {
    const { keys } = this.screen;
    if (keys.value) this.#send({ do: 'type', text: keys.value });
    keys.value = '';
  }

  #paste(text) {
    if (text.length > PASTED) return this.#say('That is too long to be pasted. Put it into a file.');
    this.#send({ do: 'paste', text });
  }

  #key(event) {
    const { key, ctrlKey: ctrl, altKey: alt, shiftKey: shift, metaKey } = event;
    const isLetter = [...key].length === 1;
    const ofBrowser = metaKey || event.isComposing || event.getModifierState('AltGraph') || this.over
      || (key === 'Tab' && shift) || (ctrl && isLetter && (shift || key === 'v'));
    if (ofBrowser || (isLetter ? !ctrl && !alt : !KEYS.test(key))) return;
    event.preventDefault();
    if (shift && key.startsWith('Page')) return this.screen.box.scrollBy(0, (key === 'PageUp' ? -0.9 : 0.9) * this.screen.box.clientHeight);
    if (CHANGE_LINE.test(key)) this.screen.sayLine();
    this.screen.box.scrollTop = this.screen.box.scrollHeight;
    this.#send({ do: 'press', name: key, ctrl, alt, shift });
  }
}
