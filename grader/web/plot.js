/* Owns: curves and timelines as SVG, with the table behind each. Must not: choose which is shown, or move
   anything that no measurement moves. */
import { el, prose, style } from './dom.js';
import { table } from './evidence.js';
import { curve, timeline } from './shapes.js';
import { millis, spoken } from './words.js';

const NARROWEST = 200;
const styled = style('plot.css');

/** A piece of evidence as a figure. */
export async function draw(detail) {
  await styled;
  const [shape, words, rows] = detail.type === 'curve' ? ofCurve(detail) : ofTimeline(detail);
  return el('figure', { class: 'g-figure' },
    el('figcaption', {}, prose(detail.title)),
    plot(shape, words),
    detail.type === 'curve' && el('p', { class: 'pl-words' }, words),
    el('details', { class: 'g-table' }, el('summary', {}, 'As a table'), table(rows)));
}

/** A curve that grows. Whoever wants less motion reads the newest value instead. */
export async function live(box, { quantity, limit }, samples) {
  await styled;
  const newest = samples.at(-1);
  const bound = limit == null ? 'no limit' : `limit ${spoken(quantity, limit)}`;
  const words = `${NAMES[quantity]} now: ${spoken(quantity, newest.value)} (${bound})`;
  const place = el('div', { class: 'pl', role: 'img', 'aria-label': words });
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  box.replaceChildren(...(isCalm ? [] : [place]), el('p', { class: 'pl-words' }, words));
  if (!isCalm) place.append(curve({ quantity, limit, samples, highest: 0 }, Math.max(NARROWEST, place.clientWidth)));
}

const NAMES = { memory: 'Memory', cpu: 'CPU use' };

/** A drawing that fits its place, whenever that changes. */
function plot(shape, words) {
  const place = el('div', { class: 'pl', role: 'img', 'aria-label': words });
  const fill = (width) => width > 0 && place.replaceChildren(shape(Math.max(NARROWEST, Math.floor(width))));
  new ResizeObserver(([entry]) => fill(entry.contentRect.width)).observe(place);
  return place;
}

function ofCurve(detail) {
  const { title, quantity, limit, highest, samples } = detail;
  const bound = limit == null ? 'There is no limit.' : `The limit is ${spoken(quantity, limit)}.`;
  const [first, last] = [samples[0], samples.at(-1)];
  const words = `${spoken(quantity, first.value)} at first, ${spoken(quantity, highest)} at the most, ${spoken(quantity, last.value)} in the end, after ${millis(last.at_ms)}. ${bound}`;
  const rows = samples.map(({ at_ms: at, value }) => [millis(at), spoken(quantity, value)]);
  return [(width) => curve(detail, width), words, { title, head: ['after', NAMES[quantity].toLowerCase()], rows }];
}

function ofTimeline(detail) {
  const { title, zero, spans, marks, limit } = detail;
  const moments = [{ label: zero, at_ms: 0 }, ...marks, ...(limit ? [limit] : [])].map(({ label, at_ms: at }) => [at, label, millis(at), '']);
  const lasting = spans.map(({ label, from_ms: from, to_ms: to }) => [from, label, `${millis(from)} to ${millis(to)}`, millis(to - from)]);
  const all = [...moments, ...lasting].sort(([a], [b]) => a - b).map(([, ...cells]) => cells);
  const words = `Counted from ${zero}. ${all.map(([label, when]) => `${label}: ${when}`).join('. ')}.`;
  return [(width) => timeline(detail, width), words, { title, head: ['what', 'when', 'lasts'], rows: all }];
}
