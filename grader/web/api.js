/* Owns: requests to the course's server, and the news that it is gone or is another one.
   Must not: know what is asked for. */
import { button, el } from './dom.js';
import { bearer } from './key.js';

const TEXT = {
  gone: 'The course’s server has ended. Start grader serve again; what you typed is still here.',
  stranger: 'The course’s server was started again. Open the address that it has printed, in this browser. This page goes on by itself then.',
};
const LOOK_EVERY = 2000;
const AGAIN_AFTER = 300;
const backs = new Set();
let state = 'here';
let banner;
let timer;

/** Why a request was not answered as asked. `status` is 0 where nobody answered. */
export class Problem extends Error {
  constructor(status, { error = 'The server gave no reason.', remedy = '', current } = {}) {
    super(remedy ? `${error}. ${remedy}` : error);
    Object.assign(this, { status, current });
  }
}

/** The answer to a request. Throws a `Problem`. */
export async function ask(path, { method = 'GET', body, keepalive } = {}) {
  const response = await send(path, {
    method,
    keepalive,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return response.json().catch(lost);
}

/** The lines of an answer that comes bit by bit, each as JSON. */
export async function* lines(path) {
  const reader = (await send(path, {})).body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    // A browser also breaks off when a network comes or goes, as Docker's do: that alone is no news.
    const { done, value } = await reader.read().catch(() => broken());
    if (done) return;
    const parts = (rest + value).split('\n');
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}

/** Whether the server answers us. */
export const isHere = () => state === 'here';

/** Calls back whenever the server answers again. */
export const onBack = (back) => backs.add(back);

async function send(path, options) {
  // The key is looked up each time: another tab may have come in anew.
  const fetched = () => fetch(`/api/${path}`, { ...options, headers: { ...options.headers, ...bearer() } });
  const retried = () => new Promise((wait) => setTimeout(wait, AGAIN_AFTER)).then(fetched);
  const twice = options.method !== 'POST' || path.endsWith('/check');
  const response = await fetched().catch((error) => (twice ? retried() : Promise.reject(error))).catch(lost);
  if (response.ok) {
    turn('here');
    return response;
  }
  if (response.status === 401) turn('stranger');
  throw new Problem(response.status, await response.json().catch(() => undefined));
}

function lost() {
  turn('gone');
  broken();
}

function broken() {
  throw new Problem(0, { error: TEXT.gone });
}

function turn(next) {
  if (next === state) return;
  state = next;
  banner ??= document.body.appendChild(el('div', { class: 'g-banner', role: 'alert' }));
  banner.hidden = state === 'here';
  banner.replaceChildren(...(state === 'here' ? [] : [el('p', {}, TEXT[state]), button('Look again', look)]));
  if (state === 'here') backs.forEach((back) => back());
  else lookLater();
}

async function look() {
  if (state === 'here') return;
  const response = document.hidden ? null : await fetch('/api/lessons', { headers: bearer() }).catch(() => null);
  if (response?.ok) return turn('here');
  if (response?.status === 401) turn('stranger');
  lookLater();
}

function lookLater() {
  clearTimeout(timer);
  timer = setTimeout(look, LOOK_EVERY);
}
