/* Owns: the session's key, which a browser keeps by host and port: no server on another port gets it.
   Must not: send it anywhere itself. */
const PLACE = 'grader-key';

/** The key; empty where there is none, or where the browser keeps nothing. */
export function key() {
  try {
    return localStorage.getItem(PLACE) ?? '';
  } catch {
    return '';
  }
}

/** Keeps it for all tabs. Throws where the browser keeps nothing. */
export const keep = (value) => localStorage.setItem(PLACE, value);

/** What each request to the API says. */
export const bearer = (value = key()) => ({ authorization: `Bearer ${value}` });
