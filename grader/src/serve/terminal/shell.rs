//! One shell in a terminal.
//!
//! Owns: starting it, what it writes and reads, and its end, with everything that it has started. Must not:
//! know who looks: pages come and go, and the shell stays.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pty_process::{OwnedReadPty, OwnedWritePty, Pty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::{Semaphore, mpsc, watch};

use super::keys::{Key, Modes, pasted};
use super::leftovers;
use super::rows::Size;
use super::screen::{PIECE_BYTES, Screen};
use crate::fault::Fault;

/// The size until a page says its own.
const FIRST: Size = Size { columns: 80, lines: 24 };
/// Sizes that a page may ask for.
const COLUMNS: std::ops::RangeInclusive<u16> = 10..=500;
const LINES: std::ops::RangeInclusive<u16> = 2..=200;
/// Messages that wait to be read by the program. What comes after them is lost, as in any terminal.
const WAITING: usize = 64;
/// Pages that may look at the same time.
const PAGES: usize = 8;
/// What the last words of a shell may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A shell that runs, or has run.
pub struct Shell {
    screen: Mutex<Screen>,
    input: mpsc::Sender<Input>,
    /// Counts changes of the screen.
    news: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    /// How it ended.
    over: watch::Sender<Option<String>>,
    /// One for each page that may still come.
    pub pages: Arc<Semaphore>,
}

enum Input {
    Bytes(Vec<u8>),
    Size(Size),
}

impl Shell {
    /// Starts the person's shell in a folder.
    pub fn start(folder: &Path) -> Result<Arc<Self>, Fault> {
        let unable = |error: pty_process::Error| Fault::file("a terminal")(std::io::Error::other(error));
        let (pty, inside) = pty_process::open().map_err(unable)?;
        pty.resize(pty_size(FIRST)).map_err(unable)?;
        let command = pty_process::Command::new(program())
            .current_dir(folder)
            .envs([("TERM", "xterm-256color"), ("COLORTERM", "truecolor")])
            .env("PATH", path_with_us())
            .env_remove("COLUMNS")
            .env_remove("LINES");
        let child = command.spawn(inside).map_err(unable)?;
        let (input, inputs) = mpsc::channel(WAITING);
        let shell = Arc::new(Self {
            screen: Mutex::new(Screen::new(FIRST)),
            input,
            news: watch::Sender::new(0),
            stop: watch::Sender::new(false),
            over: watch::Sender::new(None),
            pages: Arc::new(Semaphore::new(PAGES)),
        });
        tokio::spawn(shell.clone().live(pty, child, inputs));
        Ok(shell)
    }

    /// The screen as it is now.
    pub fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever the screen does.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// How it ended; `None` while it runs.
    pub fn over(&self) -> Option<String> {
        self.over.borrow().clone()
    }

    /// Types a text as it is.
    pub fn type_text(&self, text: String) {
        self.send(Input::Bytes(text.into_bytes()));
    }

    /// Presses a key.
    pub fn press(&self, key: &Key) {
        let bytes = key.bytes(self.modes());
        self.send(Input::Bytes(bytes));
    }

    /// Pastes a text.
    pub fn paste(&self, text: &str) {
        let bytes = pasted(text, self.modes());
        self.send(Input::Bytes(bytes));
    }

    /// Takes another size.
    pub fn resize(&self, size: Size) {
        let size = Size {
            columns: size.columns.clamp(*COLUMNS.start(), *COLUMNS.end()),
            lines: size.lines.clamp(*LINES.start(), *LINES.end()),
        };
        if self.screen().size() != size {
            self.screen().resize(size);
            self.send(Input::Size(size));
            self.changed();
        }
    }

    /// Asks it to end, with all that it has started.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until nothing of it is left.
    pub async fn ended(&self) {
        let _ = self.over.subscribe().wait_for(Option::is_some).await;
    }

    fn modes(&self) -> Modes {
        self.screen().modes()
    }

    fn send(&self, input: Input) {
        let _ = self.input.try_send(input);
    }

    fn changed(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    async fn live(self: Arc<Self>, pty: Pty, mut child: Child, inputs: mpsc::Receiver<Input>) {
        let leader = child.id();
        let (mut read, write) = pty.into_split();
        let mut stop = self.stop.subscribe();
        let ended = tokio::select! {
            ended = child.wait() => Some(ended),
            _ = stop.wait_for(|stop| *stop) => None,
            () = async { tokio::join!(self.hear(&mut read), obey(write, inputs)); std::future::pending().await } => None,
        };
        if ended.is_some() {
            let _ = tokio::time::timeout(LAST_WORDS, self.hear(&mut read)).await;
        }
        if let Some(leader) = leader {
            leftovers::end(leader).await;
        }
        let how = match ended {
            Some(Ok(status)) => match status.code() {
                Some(0) => "The shell has ended.".to_owned(),
                Some(code) => format!("The shell has ended with exit code {code}."),
                None => "The shell was killed.".to_owned(),
            },
            _ => "The shell was ended.".to_owned(),
        };
        let _ = child.wait().await;
        self.over.send_replace(Some(how));
        self.changed();
    }

    /// Reads what is written, until nobody can write any more.
    async fn hear(&self, read: &mut OwnedReadPty) {
        let mut piece = [0; PIECE_BYTES];
        while let Ok(length @ 1..) = read.read(&mut piece).await {
            let answer = self.screen().write(&piece[..length]);
            if !answer.is_empty() {
                self.send(Input::Bytes(answer.into_bytes()));
            }
            self.changed();
        }
    }
}

async fn obey(mut write: OwnedWritePty, mut inputs: mpsc::Receiver<Input>) {
    while let Some(input) = inputs.recv().await {
        let done = match input {
            Input::Bytes(bytes) => write.write_all(&bytes).await.is_ok(),
            Input::Size(size) => write.resize(pty_size(size)).is_ok(),
        };
        if !done {
            return;
        }
    }
}

fn pty_size(size: Size) -> pty_process::Size {
    pty_process::Size::new(size.lines, size.columns)
}

/// The person's own shell, or one that every system has.
fn program() -> PathBuf {
    let own = std::env::var_os("SHELL").map(PathBuf::from);
    let all = own.into_iter().chain(["/bin/bash", "/bin/sh"].map(PathBuf::from));
    all.into_iter().find(|shell| shell.is_file()).unwrap_or_else(|| PathBuf::from("sh"))
}

/// Programs are found where they always are, and this one, too: pages say `grader check`.
fn path_with_us() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::current_exe().ok().and_then(|own| own.parent().map(Path::to_path_buf));
    std::env::join_paths(std::env::split_paths(&path).chain(own)).unwrap_or(path)
}
