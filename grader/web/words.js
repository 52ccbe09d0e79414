/* Owns: numbers, times and states in words. Must not: touch the page. */

const STAGES = { build: ['Building the image', 'Built the image'], stack: ['Starting the stack', 'Started the stack'] };

/** What a check's state is called, with a sign beside its colour. */
export const STATES = {
  none: ['·', 'not measured'],
  waiting: ['…', 'waiting'],
  pass: ['✓', 'passed'],
  partial: ['◐', 'partly'],
  fail: ['✗', 'not yet'],
  blocked: ['–', 'blocked'],
  fault: ['!', 'fault of the machine'],
};

export const RESULTS = { passed: 'everything passed', failed: '', refused: 'not let in', fault: 'fault of the machine' };

export const seconds = (millis) => (millis < 9950 ? `${(millis / 1000).toFixed(1)} s` : `${Math.round(millis / 1000)} s`);

/** Milliseconds, before or after a moment. */
export const millis = (at) => `${at < 0 ? '−' : ''}${Math.abs(at) < 1000 ? `${Math.round(Math.abs(at))} ms` : `${(Math.abs(at) / 1000).toFixed(1)} s`}`;

/** A value of a curve with its unit: bytes of memory, thousandths of a CPU. */
export const spoken = (quantity, value) => (quantity === 'memory' ? `${(value / (1 << 20)).toFixed(1)} MiB` : `${(value / 1000).toFixed(2)} CPUs`);

export const count = (number, one, more = `${one}s`) => `${number} ${number === 1 ? one : more}`;

export const points = (earned, of) => `${earned} of ${count(of, 'point')}`;

/** A stage such as `build:production`, while it lasts or (`over`) afterwards. */
export function stage(name, over = false) {
  const [kind, what] = name.split(/:(.*)/s);
  return STAGES[kind] ? `${STAGES[kind][over ? 1 : 0]} ${what}` : name;
}

export function when(at) {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at));
}
