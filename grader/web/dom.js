/* Owns: making elements. Must not: know the course, or put text into a page as HTML. */

/** An element. `on...` are listeners, `true` and `false` set or leave out an attribute. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(3).filter((child) => child != null && child !== false));
  return node;
}

export const button = (text, onclick, props = {}) => el('button', { type: 'button', class: 'g-button', onclick, ...props }, text);

/** Text that only screen readers say. */
export const heard = (text) => el('span', { class: 'g-heard' }, text);

/** A region whose changes are said when nothing else is being said. */
export const said = (props = {}) => el('p', { role: 'status', ...props });

/** One line of our Markdown: words, and `code`. */
export function prose(text) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? el('code', {}, part) : part));
}

/** Imports a module, also when the browser breaks off the first time: it does when Docker makes a network. */
export const load = (name) => import(name).catch(() => new Promise((wait) => setTimeout(wait, 500)).then(() => import(name)));

/** Loads a style sheet before what it styles is shown. */
export function style(name) {
  const { href } = new URL(name, import.meta.url);
  return new Promise((done) => document.head.append(el('link', { rel: 'stylesheet', href, onload: done, onerror: done })));
}

/** Keys that are typed in here are not the book's shortcuts (arrows turn its pages). */
export function keepKeys(node) {
  node.addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
}
