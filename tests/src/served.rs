//! A learner whose course is open in a browser.
//!
//! Owns: a course that is served, and a browser that reaches it. Must not: know what is on the pages.

use std::ops::{Deref, DerefMut};

use crate::browser::{Browser, Tab};
use crate::serving::Serving;

/// The course, its server and a browser; all end when it is dropped.
pub struct Served {
    // The browser ends first: it would complain that the server is gone.
    browser: Browser,
    serving: Serving,
}

impl Served {
    /// Writes a course, serves it, and starts a browser that reaches only that.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[], &[])
    }

    /// The same, with more arguments for `grader serve`, and a browser that reaches other ports, too.
    #[must_use]
    pub fn with(more: &[&str], others: &[u16]) -> Self {
        let serving = Serving::with(more);
        let browser = Browser::reaching(&[&[serving.port()], others].concat());
        Self { browser, serving }
    }

    /// A tab that has come in by an address from the terminal, and is on the first page.
    #[must_use]
    pub fn tab(&self) -> Tab {
        let tab = self.browser.tab();
        tab.go(&self.another());
        tab.until("location.pathname === '/' && document.readyState === 'complete'");
        tab
    }

    /// A tab that shows nothing yet.
    #[must_use]
    pub fn empty_tab(&self) -> Tab {
        self.browser.tab()
    }

    /// A tab on one of the course's pages.
    #[must_use]
    pub fn tab_on(&self, page: &str) -> Tab {
        let tab = self.tab();
        tab.go(&self.page(page));
        tab
    }

    /// The address of a page, as links have it.
    #[must_use]
    pub fn page(&self, page: &str) -> String {
        format!("http://{}/{page}", self.address)
    }
}

impl Deref for Served {
    type Target = Serving;
    fn deref(&self) -> &Serving {
        &self.serving
    }
}

impl DerefMut for Served {
    fn deref_mut(&mut self) -> &mut Serving {
        &mut self.serving
    }
}
