/* Owns: what mdBook's own page lacks for those who use a keyboard or a screen reader: roles, names, and
   places that can be reached. Must not: know lessons, or talk to a server. */
(() => {
  const set = (selector, attributes) => {
    const node = document.querySelector(selector);
    if (node) Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    return node;
  };

  set('#mdbook-menu-bar', { role: 'banner' });
  set('#mdbook-search-wrapper', { role: 'search' });
  set('#mdbook-searchbar', { 'aria-label': 'Search this book', 'aria-describedby': 'mdbook-searchresults-header' });
  set('#mdbook-help-container', { role: 'dialog', 'aria-label': 'Keyboard shortcuts' });

  // The switch of the table of contents is a label, which no key reaches. A button works it.
  const label = document.getElementById('mdbook-sidebar-toggle');
  if (label) {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', id: 'course-contents', className: 'icon-button', title: 'Table of contents' });
    button.setAttribute('aria-controls', 'mdbook-sidebar');
    button.append(...label.childNodes);
    const tell = () => (button.ariaExpanded = label.getAttribute('aria-expanded'));
    tell();
    new MutationObserver(tell).observe(label, { attributeFilter: ['aria-expanded'] });
    button.addEventListener('click', () => label.click());
    label.before(button);
    label.classList.add('hidden');
  }

  // What is wider than the page is scrolled by keys too, once it can be reached.
  const wide = () => {
    for (const node of document.querySelectorAll('.content :is(pre > code, .table-wrapper)')) {
      if (node.scrollWidth > node.clientWidth) node.tabIndex = 0;
      else node.removeAttribute('tabindex');
    }
  };
  wide();
  addEventListener('load', wide);
  addEventListener('resize', wide);
  document.fonts.addEventListener('loadingdone', wide);
})();
