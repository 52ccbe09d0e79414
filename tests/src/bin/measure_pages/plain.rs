//! The plain book over HTTP.
//!
//! Owns: the smallest server that a browser needs for a folder of files. Must not: do more; what it
//! leaves out makes the plain book quicker, never ours.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

/// Serves a folder until the program ends; gives the port.
pub fn serve(folder: PathBuf) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let folder = Arc::new(folder);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = folder.clone();
            thread::spawn(move || answer(&stream, &folder));
        }
    });
    port
}

/// Answers the requests of one connection, one after the other.
fn answer(stream: &TcpStream, folder: &Path) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut lines = BufReader::new(stream).lines();
    loop {
        let request = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let path = request.split(' ').nth(1)?.split('?').next()?.trim_start_matches('/').to_owned();
        let (status, body) =
            fs::read(folder.join(&path)).map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n", kind(&path), body.len());
        let mut stream = stream;
        stream.write_all(&[head.as_bytes(), &body].concat()).ok()?;
    }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
