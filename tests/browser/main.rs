//! The course in a real browser: a headless Chromium at `grader serve`, and a real Docker daemon behind it.
//!
//! One file per thing that a person does. To add a test: make a [`Served`](tests::served::Served), take a
//! tab, and use it. A state of a page that everybody has to be able to read, in both themes and at
//! all widths, is one more line in `states.rs`.

mod alone;
mod door;
mod exercise;
mod hands;
mod interrupted;
mod keyboard;
mod motion;
mod pages;
mod pictures;
mod quiz;
mod reading;
mod states;
mod terminal;
