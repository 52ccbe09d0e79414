//! Enter, in the terminal, prints another address.
//!
//! Owns: reading the terminal. Must not: take it from anybody: a program in the background that reads its
//! terminal is stopped by the system.

use std::io::{IsTerminal, Write};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::tcgetpgrp;

use super::App;
use crate::fault::Fault;

/// How often to look whether this has come to the foreground, while somebody types to another program.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Prints another address for each line, as long as there are any.
pub fn listen(session: App) {
    // A thread of its own: nobody waits for it when the server ends.
    thread::spawn(move || {
        while let Some(typed) = typed() {
            let lines = typed.iter().filter(|byte| **byte == b'\n').count();
            // Whoever leans on the key wants one.
            if lines > 0
                && let Err(fault) = print(&session)
            {
                eprintln!("note: {fault}");
            }
        }
    });
}

fn print(session: &App) -> Result<(), Fault> {
    let address = session.entrance.another()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "Another address, for one browser:\n\n  {address}\n")
        .and_then(|()| out.flush())
        .map_err(Fault::file("standard output"))
}

/// What was typed; `None` when nothing will be.
fn typed() -> Option<Vec<u8>> {
    let (terminal, mut bytes) = (stdin(), [0; 256]);
    loop {
        let mut fds = [PollFd::new(&terminal, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return None,
            Ok(_) => {}
        }
        // Where it is no terminal, nobody else reads it.
        if tcgetpgrp(terminal).is_ok_and(|group| group != getpgrp()) {
            thread::sleep(LOOK_EVERY);
            continue;
        }
        return match rustix::io::read(terminal, &mut bytes) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(count @ 1..) => Some(bytes[..count].to_vec()),
            // Ctrl-D, in a terminal that is still there.
            Ok(0) if terminal.is_terminal() && !fds[0].revents().contains(PollFlags::HUP) => continue,
            Ok(0) | Err(_) => None,
        };
    }
}
