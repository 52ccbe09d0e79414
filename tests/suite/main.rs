//! End-to-end tests: the `grader` program against a real Docker daemon.
//!
//! One file per thing that must hold. To add a test: write a function in the file that it fits,
//! make a [`Learner`](tests::Learner), run the program, look at what it says and at the daemon.

mod bad_input;
mod book;
mod bounds;
mod cli;
mod families;
mod faults;
mod fuzz;
mod gate;
mod hostile;
mod hygiene;
mod init;
mod kills;
mod kinds;
mod lesson36;
mod lessons;
mod looks;
mod memory;
mod new_check;
mod new_lesson;
mod pages;
mod pictures;
mod progress;
mod reference;
mod schema;
mod serve;
mod terminal;
mod watch;
