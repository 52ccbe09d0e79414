//! `grader serve`: the course in a browser, on this machine.
//!
//! Owns: one session: its secrets, the book, the runs, and the HTTP server on loopback. Must not:
//! grade or judge in another way than the commands do; `api` calls what they call.
//!
//! ```text
//! connection → guard (host, origin, session, size, rate) → book pages | api → the same library
//!                └─ not let in → door
//! ```

mod again;
mod api;
mod asked;
mod book;
mod connections;
mod door;
mod entrance;
mod files;
mod guard;
mod looks;
mod own;
mod problem;
mod routes;
mod runs;
mod terminal;

use std::io::{IsTerminal, Write};
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
use connections::Connections;
use entrance::Entrance;
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
    /// How a browser comes in.
    pub entrance: Entrance,
    /// The pages.
    pub book: Book,
    /// The checks that run, and the last one of each lesson.
    pub runs: Runs,
    /// Shells in the page; `None` unless the person has asked for them.
    pub terminals: Option<Terminals>,
    /// How many requests may still come.
    pub rates: guard::Rates,
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
        entrance: Entrance::new(address)?,
        book,
        runs: Runs::default(),
        terminals: args.terminal.then(Terminals::default),
        rates: guard::Rates::default(),
    });
    let text = welcome(&session)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Fault::file("standard output"))?;
    if !args.no_open && !opened(&session) {
        eprintln!("note: no browser could be opened; open the address yourself");
    }
    again::listen(session.clone());
    let watching = tokio::spawn(book::rebuild_on_changes(session.clone()));
    let (connections, router) = (Connections::default(), router(session.clone()));
    tokio::select! {
        () = interrupted() => {}
        () = connections.take(&listener, &router) => {}
    }
    drop(listener);
    connections.end();
    watching.abort();
    // Checks that run are given up, and clear away what they made; who follows them hears of it.
    session.runs.stop();
    if let Some(terminals) = &session.terminals {
        terminals.end().await;
    }
    session.runs.finished().await;
    connections.closed().await;
    Ok(0)
}

/// What is printed first.
fn welcome(session: &Session) -> Result<String, Fault> {
    let address = session.entrance.another()?;
    let again = if std::io::stdin().is_terminal() { " Press Enter for another one." } else { "" };
    let terminals = if session.terminals.is_some() {
        "Terminals are on: whoever opens this address can run commands as you.\n"
    } else {
        ""
    };
    Ok(format!(
        "The course is at\n\n  {address}\n\nThe address is for one browser, and works once.{again}\n{terminals}Ctrl-C ends it.\n"
    ))
}

/// Opens the course in the person's browser. The browser gets a file that leads it here: others can read what
/// a program is started with, and whoever is quickest would be the one that is let in.
fn opened(session: &Session) -> bool {
    session.entrance.file(&session.course.workspace()).is_ok_and(|file| open::that_detached(file).is_ok())
}

/// Everything that is answered.
fn router(session: App) -> Router {
    let guarded = axum::middleware::from_fn_with_state(session.clone(), guard::guard);
    Router::new().merge(api::router()).fallback(book::page).layer(guarded).with_state(session)
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
