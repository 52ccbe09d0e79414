//! `grader serve`: the course in a browser, on this machine.
//!
//! Owns: one session: its token, the book, the runs, and the HTTP server on loopback. Must not:
//! grade or judge in another way than the commands do; `api` calls what they call.
//!
//! ```text
//! request → guard (host, origin, session, size, rate) → book pages | api → the same library
//! ```

mod api;
mod asked;
mod book;
mod files;
mod guard;
mod looks;
mod own;
mod problem;
mod routes;
mod runs;
mod terminal;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use crate::cli::ServeArgs;
use crate::commands::interrupted;
use crate::course::Course;
use crate::fault::Fault;
use crate::sandbox::build::BuildSettings;
use book::Book;
use runs::Runs;
use terminal::Terminals;

/// What all requests share.
pub struct Session {
    /// The course.
    pub course: Course,
    /// How builds run.
    pub settings: BuildSettings,
    /// Where the server listens.
    pub address: SocketAddr,
    /// What a browser has to show.
    pub token: String,
    /// The pages.
    pub book: Book,
    /// The checks that run, and the last one of each lesson.
    pub runs: Runs,
    /// Shells in the page; `None` unless the person has asked for them.
    pub terminals: Option<Terminals>,
    /// How many requests may still come.
    pub rate: guard::Rate,
}

/// What handlers get.
pub type App = Arc<Session>;

/// Builds the book, and serves it until the person has had enough.
pub async fn run(args: &ServeArgs, course: Course, out: &mut dyn Write) -> Result<u8, Fault> {
    let book = Book::build(&course)?;
    let listener = listen(args.port).await?;
    let address = listener.local_addr().map_err(Fault::file("the socket"))?;
    let session = Arc::new(Session {
        course,
        settings: args.builds.settings(),
        address,
        token: token()?,
        book,
        runs: Runs::default(),
        terminals: args.terminal.then(Terminals::default),
        rate: guard::Rate::default(),
    });
    let url = format!("http://{address}/?token={}", session.token);
    let terminals = if session.terminals.is_some() {
        "Terminals are on: whoever can open this address can run commands as you.\n"
    } else {
        ""
    };
    let text = format!(
        "The course is at\n\n  {url}\n\nThe address is yours alone, as long as this runs.\n{terminals}Ctrl-C ends it.\n"
    );
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Fault::file("standard output"))?;
    if !args.no_open && open::that_detached(&url).is_err() {
        eprintln!("note: no browser could be opened; open the address yourself");
    }
    let watching = tokio::spawn(book::rebuild_on_changes(session.clone()));
    let served = axum::serve(listener, router(session.clone())).with_graceful_shutdown(ended(session.clone()));
    served.await.map_err(Fault::file("the server"))?;
    watching.abort();
    if let Some(terminals) = &session.terminals {
        terminals.end().await;
    }
    session.runs.finished().await;
    Ok(0)
}

/// Everything that is answered.
fn router(session: App) -> Router {
    let guarded = axum::middleware::from_fn_with_state(session.clone(), guard::guard);
    Router::new().merge(api::router()).fallback(book::page).layer(guarded).with_state(session)
}

/// Ends when the person wants it; checks that run are given up, and clear away what they made.
async fn ended(session: App) {
    interrupted().await;
    session.runs.stop();
}

/// The port when none is named. Always the same one, because browsers keep a reader's theme by port, and
/// because pages that are still open find a server that was started again.
const USUAL_PORT: u16 = 8636;

async fn listen(port: Option<u16>) -> Result<TcpListener, Fault> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let (wanted, bound) = match port {
        Some(port) => (port, bind(port).await),
        None => match bind(USUAL_PORT).await {
            Ok(listener) => (USUAL_PORT, Ok(listener)),
            Err(_) => (0, bind(0).await),
        },
    };
    bound.map_err(|error| Fault::Usage {
        message: format!("port {wanted} of this machine cannot be used: {error}. Name another one with `--port`"),
    })
}

/// 256 random bits.
fn token() -> Result<String, Fault> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::Unreadable { what: "random bytes".into(), reason: error.to_string() })?;
    Ok(hex::encode(bytes))
}
