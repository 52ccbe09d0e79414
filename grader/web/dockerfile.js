/* Owns: highlighting for Dockerfiles, which the book's highlight.js does not bring. Must not: check
   a Dockerfile. */

const WORDS =
  'from|run|cmd|label|expose|env|add|copy|entrypoint|volume|user|workdir|arg|onbuild|stopsignal|healthcheck|shell|maintainer';

export function dockerfile(hljs) {
  const variable = { className: 'variable', begin: /\$(\w+|\{[^}]*\})/ };
  const string = { className: 'string', begin: /"/, end: /"|$/, contains: [hljs.BACKSLASH_ESCAPE, variable] };
  return {
    name: 'Dockerfile',
    case_insensitive: true,
    contains: [
      { className: 'comment', begin: /^\s*#/, end: /$/ },
      { className: 'keyword', begin: `^\\s*(${WORDS})\\b` },
      { className: 'keyword', begin: /\bas\b(?=\s+[\w.-]+\s*$)/ },
      { className: 'attr', begin: /--[a-z-]+(?==|\s)/ },
      { className: 'string', begin: /'/, end: /'|$/ },
      string,
      variable,
    ],
  };
}
