//! The terminal of a lesson.
//!
//! Owns: opening it, and one connection of a page to it. Must not: run anything; `terminal` does.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};

use super::super::asked::Path;
use super::super::problem::{Problem, answered};
use super::super::terminal::Terminals;
use super::super::terminal::frames::{Seen, Wish, obey};
use super::super::terminal::shell::Shell;
use super::super::{App, Session};
use super::lesson;
use crate::workspace;

/// The most that one message may bring, bytes.
const MESSAGE_BYTES: usize = 128 << 10;
/// How much time lies between two frames at least.
const BETWEEN_FRAMES: Duration = Duration::from_millis(16);

/// Whether a lesson has a terminal.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Has {
    /// The server was started without `--terminal`.
    Off,
    /// It has none yet.
    None,
    /// A shell runs in it.
    Running,
}

/// Where the shell runs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Opened {
    /// Whether it has begun now; `false` when there was one.
    pub began: bool,
    /// The folder in which it began.
    pub folder: String,
}

/// How it stands with the terminal of a lesson.
pub fn has(session: &Session, id: &str) -> Has {
    match &session.terminals {
        None => Has::Off,
        Some(all) if all.of(id).is_some() => Has::Running,
        Some(_) => Has::None,
    }
}

/// Starts a shell in the learner's copy, which is made if there is none.
pub async fn open(State(session): State<App>, Path(id): Path<String>) -> Result<Json<Opened>, Problem> {
    answered(move || -> Result<_, Problem> {
        let terminals = switched_on(&session)?;
        let lesson = lesson(&session, &id)?;
        let (folder, _) = workspace::start(&session.course, &lesson)?;
        let began = terminals.begin(&lesson.spec.id, &folder)?;
        Ok(Opened { began, folder: folder.display().to_string() })
    })
    .await
}

/// Joins the shell that runs.
pub async fn join(
    State(session): State<App>,
    Path(id): Path<String>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let terminals = switched_on(&session)?;
    let lesson = lesson(&session, &id)?;
    let Some(shell) = terminals.of(&lesson.spec.id) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "this lesson has no shell that runs", "Open its terminal."));
    };
    let upgrade = upgrade.map_err(|error| {
        Problem::new(StatusCode::UPGRADE_REQUIRED, error.to_string(), "A terminal is reached by a WebSocket.")
    })?;
    let Ok(place) = shell.pages.clone().try_acquire_owned() else {
        let remedy = "Close one of the pages that show this terminal.";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many pages show this terminal", remedy));
    };
    Ok(upgrade
        // The other one that a page names is the key, which is not said aloud.
        .protocols(["grader"])
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
        .on_upgrade(move |socket| talk(socket, shell, place)))
}

fn switched_on(session: &Session) -> Result<&Terminals, Problem> {
    session.terminals.as_ref().ok_or_else(|| {
        let remedy = "Start the course with `grader serve --terminal` to have terminals in the page.";
        Problem::new(StatusCode::NOT_FOUND, "terminals are switched off", remedy)
    })
}

/// Carries keys to the shell and frames to the page. The next frame waits until the page has shown the
/// last one, so that a program that writes without end fills neither the page nor the memory.
async fn talk(mut socket: WebSocket, shell: Arc<Shell>, place: OwnedSemaphorePermit) {
    let (mut seen, mut news) = (Seen::default(), shell.news());
    let (mut has_changed, mut is_shown, mut next) = (true, true, Instant::now());
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(Wish::Shown) => is_shown = true,
                    Ok(wish) => obey(&shell, wish),
                    Err(_) => break,
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => break,
            },
            changed = news.changed(), if !has_changed => match changed {
                Ok(()) => has_changed = true,
                Err(_) => break,
            },
            () = sleep_until(next), if has_changed && is_shown => {
                news.mark_unchanged();
                has_changed = false;
                let Some(frame) = seen.news(&shell) else { continue };
                let text = serde_json::to_string(&frame).unwrap_or_default();
                if socket.send(Message::Text(text.into())).await.is_err() || frame.over.is_some() {
                    break;
                }
                (is_shown, next) = (false, Instant::now() + BETWEEN_FRAMES);
            }
        }
    }
    drop(place);
    // A closing message, so that the page knows the end from a break.
    let _ = socket.send(Message::Close(None)).await;
}
