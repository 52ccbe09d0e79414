//! The terminal in watch mode.
//!
//! Owns: raw mode, the other screen, keys, and giving the terminal back as it was, also after a
//! panic. Must not: know what is shown.

use std::io::{self, IsTerminal, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{execute, queue};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::view::View;
use crate::fault::Fault;

/// Whether the terminal is ours at the moment.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What a person has done.
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// The window has another size.
    Resized,
}

/// The terminal, ours until this is dropped.
pub struct Screen {
    inputs: UnboundedReceiver<Input>,
    coloured: bool,
    shown: Vec<String>,
}

impl Screen {
    /// Takes the terminal; `None` when keys or pictures do not come from and go to one.
    pub fn open() -> Result<Option<Self>, Fault> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        restore_after_panic();
        let take = || -> io::Result<()> {
            terminal::enable_raw_mode()?;
            TAKEN.store(true, Ordering::SeqCst);
            execute!(io::stdout(), EnterAlternateScreen, Hide)
        };
        if let Err(error) = take() {
            give_back();
            return Err(Fault::file("the terminal")(error));
        }
        let (sender, inputs) = unbounded_channel();
        std::thread::spawn(move || read_keys(&sender));
        let coloured = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        Ok(Some(Self { inputs, coloured, shown: Vec::new() }))
    }

    /// The next thing that the person does.
    pub async fn input(&mut self) -> Input {
        match self.inputs.recv().await {
            Some(input) => {
                if matches!(input, Input::Resized) {
                    self.shown.clear();
                }
                input
            }
            None => std::future::pending().await,
        }
    }

    /// Shows the view, if it looks different from what is there.
    pub fn draw(&mut self, view: &mut View) -> io::Result<()> {
        let (columns, rows) = terminal::size()?;
        let mut lines = view.lines(columns.into(), rows.into());
        if !self.coloured {
            lines = lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        }
        if lines == self.shown {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        queue!(out, BeginSynchronizedUpdate)?;
        for (row, line) in (0_u16..).zip(&lines) {
            queue!(out, MoveTo(0, row))?;
            write!(out, "{line}")?;
            // A style does not go on in the next line.
            if self.coloured {
                write!(out, "{}", anstyle::Reset)?;
            }
            queue!(out, Clear(ClearType::UntilNewLine))?;
        }
        queue!(out, Clear(ClearType::FromCursorDown), EndSynchronizedUpdate)?;
        out.flush()?;
        self.shown = lines;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was. Nothing can be done about a terminal that is gone.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _ = terminal::disable_raw_mode();
    }
}

/// A panic's message must stand on the person's own screen, and be readable.
fn restore_after_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            usual(info);
        }));
    });
}

/// Reads keys until nobody wants them any more.
fn read_keys(to: &UnboundedSender<Input>) {
    while !to.is_closed() {
        // Not for ever, so that this thread sees its end.
        let input = match event::poll(Duration::from_millis(200)) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        let sent = match input {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => to.send(Input::Key(key)),
            Ok(Event::Resize(..)) => to.send(Input::Resized),
            Ok(_) => Ok(()),
            // The terminal is gone; its hang-up signal ends the program.
            Err(_) => return,
        };
        if sent.is_err() {
            return;
        }
    }
}
