/* Owns: where the lines of a curve and of a timeline stand, for a given width. Must not: say anything that
   is not also in words beside it; colours are the style sheet's. */
import { millis, spoken } from './words.js';

const LETTER = 7.4;
const LINE = 18;

/** A curve below its limit. */
export function curve({ quantity, limit, highest, samples }, width) {
  const [left, right, top, bottom, height] = [quantity === 'memory' ? 62 : 44, 10, 26, 26, 210];
  const end = Math.max(samples.at(-1).at_ms, 100);
  const most = Math.max(limit ?? 0, highest, ...samples.map(({ value }) => value), 1) * 1.08;
  const x = (at) => left + (at / end) * (width - left - right);
  const y = (value) => height - bottom - (value / most) * (height - top - bottom);
  const path = samples.map(({ at_ms: at, value }, index) => `${index ? 'L' : 'M'}${fixed(x(at))} ${fixed(y(value))}`).join('');
  const newest = samples.at(-1);
  const unit = quantity === 'memory' ? 1 << 20 : 1000;
  return picture(width, height,
    ticks(0, most / unit, 4, quantity === 'memory' ? 2 : 10).map((value) => [
      shape('path', { class: 'pl-grid', d: `M${left} ${fixed(y(value * unit))}H${width - right}` }),
      text(left - 6, y(value * unit) + 4, short(quantity, value), 'pl-end'),
    ]),
    ticks(0, end, width < 400 ? 3 : 6, 10).map((at) => text(x(at), height - 6, millis(at), x(at) > width - 40 ? 'pl-end' : 'pl-middle')),
    shape('path', { class: 'pl-area', d: `${path}V${fixed(y(0))}H${fixed(x(samples[0].at_ms))}Z` }),
    shape('path', { class: 'pl-curve', d: path }),
    shape('circle', { class: 'pl-dot', cx: fixed(x(newest.at_ms)), cy: fixed(y(newest.value)), r: 4 }),
    limit != null && [
      shape('path', { class: 'pl-limit', d: `M${left} ${fixed(y(limit))}H${width - right}` }),
      // Named above all, where no curve comes.
      shape('path', { class: 'pl-limit', d: `M${left} 14h26` }),
      text(left + 34, 18, `limit ${spoken(quantity, limit)}`, 'pl-strong'),
    ]);
}

/** Spans one below the other, with moments through all of them. */
export function timeline({ zero, spans, marks, limit }, width) {
  const [left, right] = [8, 8];
  const begin = Math.min(0, ...spans.map((span) => span.from_ms));
  const over = Math.max(1, ...spans.map((span) => span.to_ms), ...marks.map((mark) => mark.at_ms));
  // A limit that lies far off would leave no room for what happened: then it is only named.
  const isFar = limit && limit.at_ms - begin > 3 * (over - begin);
  const end = begin + (Math.max(over, limit && !isFar ? limit.at_ms : 0) - begin) * 1.06;
  const x = (at) => left + ((at - begin) / (end - begin)) * (width - left - right);
  const moments = [{ label: zero, at_ms: 0, kind: 'zero' }, ...marks.map((mark) => ({ ...mark, kind: 'mark' })), ...(limit && !isFar ? [{ ...limit, kind: 'limit' }] : [])];
  const parts = [];
  let y = LINE;
  if (isFar) {
    parts.push(text(width - right, y - 4, `${limit.label}: ${millis(limit.at_ms)} →`, 'pl-end pl-strong'));
    y += LINE;
  }
  const heads = moments.map((moment, index) => ({ ...moment, top: y + index * LINE }));
  y += heads.length * LINE + 6;
  for (const { label, from_ms: from, to_ms: to } of spans) {
    for (const line of wrapped(`${label} (${millis(to - from)})`, (width - left - right - 6) / LETTER)) {
      parts.push(text(left + 6, y, line, 'pl-label'));
      y += LINE;
    }
    parts.push(shape('rect', { class: 'pl-span', x: fixed(x(from)), y: y - 10, width: fixed(Math.max(2, x(to) - x(from))), height: 14, rx: 2 }));
    y += 26;
  }
  const lines = heads.map(({ label, at_ms: at, kind, top }) => {
    const isLeft = x(at) > width / 2;
    return [
      shape('path', { class: `pl-${kind}`, d: `M${fixed(x(at))} ${top - 14}V${y - 8}` }),
      text(x(at) + (isLeft ? -6 : 6), top - 4, at ? `${label}: ${millis(at)}` : label, `pl-strong ${isLeft ? 'pl-end' : ''}`),
    ];
  });
  const scale = ticks(begin, end, width < 400 ? 3 : 6, 10).map((at) => [
    shape('path', { class: 'pl-grid', d: `M${fixed(x(at))} ${y - 8}v5` }),
    text(x(at), y + 10, millis(at), x(at) < 30 ? '' : x(at) > width - 40 ? 'pl-end' : 'pl-middle'),
  ]);
  return picture(width, y + 18, shape('path', { class: 'pl-grid', d: `M${left} ${y - 8}H${width - right}` }), scale, lines, parts);
}

const fixed = (number) => Number(number.toFixed(1));

function shape(tag, props, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
  node.append(...children.flat(4).filter(Boolean));
  return node;
}

const text = (x, y, words, kind = '') => shape('text', { class: kind, x: fixed(x), y: fixed(y) }, words);

/** Its words stand beside it, so the drawing itself is not read out. */
const picture = (width, height, ...children) =>
  shape('svg', { class: 'pl-svg', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, ...children);

/** Round numbers from `begin` to `end`, about `count` of them: powers of two, or those of people. */
function ticks(begin, end, count, base) {
  const steps = base === 2 ? [1] : [1, 2, 5];
  let [power, found] = [1 / (base === 2 ? 16 : 1000)];
  for (; !found; power *= base) found = steps.map((step) => step * power).find((step) => step * count >= end - begin);
  const first = Math.ceil(begin / found);
  return Array.from({ length: Math.floor(end / found) - first + 1 }, (_, index) => (first + index) * found);
}

/** On the axis, without what the reader knows from its neighbours. */
const short = (quantity, value) => (quantity === 'memory' ? `${fixed(value)} MiB` : String(Number(value.toFixed(2))));

function wrapped(words, most) {
  const found = [''];
  for (const word of words.split(' ')) {
    if (found.at(-1) && (found.at(-1) + word).length + 1 > most) found.push(word);
    else found[found.length - 1] += `${found.at(-1) ? ' ' : ''}${word}`;
  }
  return found;
}
