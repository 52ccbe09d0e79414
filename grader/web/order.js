/* Owns: a list that is put in order with buttons. Must not: know which order is right. */
import { button, el, heard, said } from './dom.js';

/** Makes a list sortable. Items keep the numbers that they had at first, which are the answer. */
export function sortable(list) {
  const news = said({ class: 'g-heard' });
  const items = [...list.children];
  items.forEach((item, index) => {
    const text = el('div', { class: 'order-text' });
    text.append(...item.childNodes);
    item.dataset.number = index + 1;
    const short = text.textContent.trim().slice(0, 60);
    const move = (by, sign, word) => button([el('span', { 'aria-hidden': 'true' }, sign), heard(`${word}: ${short}`)], (event) => shift(item, by, event.currentTarget), { class: `g-button order-${by < 0 ? 'up' : 'down'}` });
    item.append(text, el('div', { class: 'order-buttons' }, move(-1, '↑', 'Up'), move(1, '↓', 'Down')));
  });
  list.classList.add('order');
  list.after(news);

  function shift(item, by, pressed) {
    const other = by < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    if (by < 0) other.before(item);
    else other.after(item);
    ends();
    pressed.focus();
    news.textContent = `Now at ${[...list.children].indexOf(item) + 1} of ${items.length}.`;
    list.dispatchEvent(new Event('input', { bubbles: true }));
  }

  /** The first cannot go up and the last not down; they can still be focused, so that nobody gets lost. */
  function ends() {
    for (const item of items) {
      item.querySelector('.order-up').setAttribute('aria-disabled', String(!item.previousElementSibling));
      item.querySelector('.order-down').setAttribute('aria-disabled', String(!item.nextElementSibling));
    }
  }

  ends();
  return {
    read: () => [...list.children].map((item) => item.dataset.number).join(','),
    put(answer) {
      list.append(...answer.split(',').map((number) => items[number - 1]).filter(Boolean));
      ends();
    },
  };
}
