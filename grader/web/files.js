/* Owns: the texts of an exercise: what is on disk, what was typed, and that neither gets lost.
   Must not: show anything. */
import { Problem, ask, isHere } from './api.js';

const REST = 2000;
/** SHA-256 of nothing: what the server says of a file that is not there. */
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * Each file: `path`, `given`, `digest` and `text` (as last seen on disk; `null` is no text), `draft`
 * (typed and not saved, or `null`), `other` (what is on disk, where both were changed).
 */
export class Files {
  constructor(lesson, changed) {
    Object.assign(this, { lesson, changed, all: new Map(), state: null });
  }

  shown = (file) => (file.draft ?? file.text)?.replaceAll('\r\n', '\n');

  unsaved = () => [...this.all.values()].filter((file) => file.draft !== null);

  /** Reads all files, and takes over what was changed elsewhere. */
  async load() {
    const { files, state } = await ask(`lessons/${this.lesson}/files`);
    const before = this.all;
    this.all = new Map();
    for (const now of files) {
      const file = before.get(now.path) ?? { ...now, draft: null, other: null };
      this.all.set(now.path, file);
      if (!before.has(now.path)) this.#remembered(file);
      this.#meet(file, now);
    }
    for (const [path, file] of before) {
      if (this.all.has(path) || file.draft === null) continue;
      this.all.set(path, file);
      this.#meet(file, { ...file, digest: NOTHING, text: '' });
    }
    this.state = state;
    this.changed();
  }

  /** Makes an empty file on disk. */
  async add(path) {
    if (this.all.has(path)) throw new Problem(409, { error: `\`${path}\` is there already` });
    await ask(`lessons/${this.lesson}/files`, { method: 'PUT', body: { path, text: '', base: NOTHING } });
    await this.load();
  }

  /** Takes what was typed, and saves it after a rest. */
  edit(file, text) {
    // A textarea has only line feeds; the file keeps the line ends that it had.
    const whole = file.text?.includes('\r\n') ? text.replaceAll('\n', '\r\n') : text;
    file.draft = whole === file.text ? null : whole;
    this.#remember(file);
    clearTimeout(file.timer);
    file.timer = setTimeout(() => this.save(file).catch(() => {}), REST);
    this.changed();
  }

  /** Saves a file, one request after the other. */
  save(file) {
    clearTimeout(file.timer);
    const saved = (file.saving ?? Promise.resolve()).catch(() => {}).then(() => this.#put(file));
    file.saving = saved;
    return saved;
  }

  /** Saves everything; `false` where two versions have to be looked at first. */
  async saveAll() {
    await Promise.all(this.unsaved().map((file) => this.save(file)));
    return this.unsaved().length === 0;
  }

  /** Ends a conflict: what was typed stays, or what is on disk. */
  async resolve(file, mine) {
    Object.assign(file, file.other, { other: null });
    if (!mine || file.draft === file.text) file.draft = null;
    this.#remember(file);
    this.changed();
    await this.save(file);
  }

  /** The page goes: what can still be saved is sent, and all of it is remembered. */
  leave() {
    for (const file of this.unsaved()) {
      if (file.other || !isHere()) continue;
      const body = { path: file.path, text: file.draft, base: file.digest };
      ask(`lessons/${this.lesson}/files`, { method: 'PUT', body, keepalive: true }).catch(() => {});
    }
  }

  /** Forgets what was typed: the starter was put back. */
  forget() {
    for (const file of this.unsaved()) {
      clearTimeout(file.timer);
      file.draft = null;
      this.#remember(file);
    }
    this.all.clear();
  }

  async #put(file) {
    if (file.draft === null || file.other) return;
    const text = file.draft;
    const body = { path: file.path, text, base: file.digest };
    try {
      const { digest } = await ask(`lessons/${this.lesson}/files`, { method: 'PUT', body });
      Object.assign(file, { digest, text, draft: file.draft === text ? null : file.draft, trouble: null });
      this.#remember(file);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      file.trouble = problem.status ? problem.message : 'Not saved yet: the server does not answer.';
      if (problem.status !== 409) throw problem;
      file.trouble = null;
      await this.load();
    } finally {
      this.changed();
    }
  }

  /** Brings together what we know and what is on disk now. */
  #meet(file, { digest, text, given }) {
    file.given = given;
    if (digest === file.digest) {
      file.other = null;
    } else if (file.draft === null || file.draft === text) {
      Object.assign(file, { digest, text, draft: null, other: null });
      this.#remember(file);
    } else {
      file.other = { digest, text };
    }
  }

  #key = (file) => `grader:${this.lesson}:${file.path}`;

  #remember(file) {
    if (file.draft === null) sessionStorage.removeItem(this.#key(file));
    else sessionStorage.setItem(this.#key(file), JSON.stringify({ draft: file.draft, digest: file.digest }));
  }

  #remembered(file) {
    const kept = sessionStorage.getItem(this.#key(file));
    if (!kept) return;
    Object.assign(file, JSON.parse(kept));
    file.timer = setTimeout(() => this.save(file).catch(() => {}), REST);
  }
}
