/* Owns: judging answers in a page that has no server, by what the page has sealed (`book/alone/seal.rs`
   says how), and keeping them in this browser. Must not: show anything. */

/** The judge of a lesson's questions; the same as the server's, for `quiz.js`. */
export function judge(lesson, fieldsets) {
  const place = `from-kitchen-to-restaurant/${lesson}`;
  const find = (id) => fieldsets.find((fieldset) => fieldset.id === `${lesson}-${id}`);
  return {
    async kept() {
      const judged = {};
      for (const [id, { salt, answer }] of Object.entries(stored(place))) {
        const fieldset = find(id);
        // Another salt: the question is another one than it was, and its numbers may be.
        if (fieldset?.dataset.salt === salt) judged[id] = { answer, ...(await opened(fieldset, answer)) };
      }
      return judged;
    },
    async give(id, answer) {
      const fieldset = find(id);
      const judged = await opened(fieldset, answer);
      save(place, { ...stored(place), [id]: { salt: fieldset.dataset.salt, answer } });
      return judged;
    },
    /** Another tab keeps its answers at the same place. */
    onNews: (news) => addEventListener('storage', (event) => event.key === place && news()),
  };
}

function stored(place) {
  try {
    return JSON.parse(localStorage.getItem(place)) ?? {};
  } catch {
    return {};
  }
}

function save(place, answers) {
  try {
    localStorage.setItem(place, JSON.stringify(answers));
  } catch {
    // Who lets no page keep anything can answer all the same.
  }
}

/** What an answer is worth, and why. */
function opened(fieldset, answer) {
  const kind = KINDS[fieldset.querySelector('input')?.type] ?? order;
  return kind((key) => open(fieldset.dataset, key), answer, fieldset.dataset);
}

const choice = (open, answer) => open(`one:${answer}`);

async function multi(open, answer) {
  const all = await open(`all:${answer}`);
  if (all) return all;
  const chosen = await Promise.all(answer.split(',').map((number) => open(`one:${number}`)));
  const wrong = chosen.filter((one) => !one.right).sort((a, b) => a.at - b.at);
  const { missing } = chosen[0];
  const still = missing[missing.length - 1 - (chosen.length - wrong.length)];
  return { right: false, because: [...wrong.map((one) => one.because), still].filter(Boolean).join('\n') };
}

async function order(open, answer) {
  const all = await open(`all:${answer}`);
  if (all) return all;
  const places = await Promise.all(answer.split(',').map((number, index) => open(`place:${index + 1}:${number}`)));
  const { because } = await open('any:');
  return { right: false, because: because.replace('{placed}', places.filter(Boolean).length) };
}

const short = async (open, answer, { case: ofLetters }) => (await open(`text:${plain(answer, ofLetters)}`)) ?? open('any:');

const KINDS = { radio: choice, checkbox: multi, text: short };

/** A text as it is compared: `plain` in `course/quiz/judge.rs`. */
function plain(text, ofLetters) {
  const spaced = text.split(/\p{White_Space}+/u).filter(Boolean).join(' ');
  const inner = spaced.match(/^`(.*)`$/)?.[1] ?? spaced;
  return ofLetters === 'any' ? inner.toLowerCase() : inner;
}

/** What a key opens; null when it opens nothing. */
async function open({ salt, sealed }, key) {
  const text = await crypto.subtle.importKey('raw', new TextEncoder().encode(key), 'HKDF', false, ['deriveKey']);
  const made = { name: 'HKDF', hash: 'SHA-256', salt: bytes(salt), info: new Uint8Array() };
  const opener = await crypto.subtle.deriveKey(made, text, { name: 'AES-GCM', length: 256 }, false, ['decrypt']);
  for (const one of sealed.split(' ')) {
    const inside = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, opener, bytes(one)).catch(() => null);
    if (inside) return JSON.parse(new TextDecoder().decode(inside));
  }
  return null;
}

const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
