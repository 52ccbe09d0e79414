/* Owns: the buttons beside the page's commands that put them into the terminal. Must not: run one; that
   is the learner's Enter. */
import { el } from './dom.js';

/** Gives each block of commands a button. A block that shows several gives them one by one. */
export function offer(terminal) {
  for (const code of document.querySelectorAll('main pre > code:is(.language-console, .language-sh, .language-bash)')) {
    const commands = code.classList.contains('language-console') ? typed(code.textContent) : [code.textContent.trimEnd()];
    if (!commands.length) continue;
    let next = 0;
    const put = el('button', { type: 'button', class: 'tt-put', onclick: () => {
      terminal.put(commands[next], put);
      next = (next + 1) % commands.length;
      name();
    } }, '>_');
    const name = () => {
      const of = commands.length > 1 ? ` (${next + 1} of ${commands.length})` : '';
      put.title = `Put into the terminal${of}: ${commands[next].split('\n')[0]}`;
      put.setAttribute('aria-label', put.title);
    };
    name();
    const { parentElement: pre } = code;
    (pre.querySelector('.buttons') ?? pre.insertBefore(el('div', { class: 'buttons' }), code)).prepend(put);
  }
}

/** The commands of what a terminal has shown: lines after `$ `, and those after `> ` that belong to them. */
function typed(text) {
  const commands = [];
  let open = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('$ ')) commands.push(line.slice(2));
    else if (open && line.startsWith('> ')) commands.push(`${commands.pop()}\n${line.slice(2)}`);
    open = /^\$ /.test(line) || (open && line.startsWith('> '));
  }
  // A shell takes an escaped line end away itself.
  return commands.map((command) => command.replaceAll('\\\n', ''));
}
