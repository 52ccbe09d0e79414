//! What opens the course to a browser, and what a request may do with it.
//!
//! Owns: addresses that work once, and the two secrets of a session. Must not: know what is asked for.
//!
//! - An *address* is printed, or stands in a file that only its owner can read and that leads a browser on. It
//!   is worth nothing after its first use: whatever a browser is started with, others can read in the list of
//!   processes.
//! - The *key* opens everything. Pages keep it where a browser keeps things by host *and port*, and send it
//!   with what they ask of the API.
//! - The *cookie* opens the book's pages, which a browser loads without asking any script. A browser sends it to every
//!   port of this machine, so it opens nothing else.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::header::{AUTHORIZATION, COOKIE, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, HeaderName};
use tempfile::TempPath;

use super::door;
use crate::fault::Fault;

/// Addresses that have not been used yet. The oldest one goes for a new one.
const UNUSED: usize = 8;
/// Before the key, where a WebSocket names protocols: a page can send no other header with one.
const KEY_PROTOCOL: &str = "key.";

/// What a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing but be told how to come in.
    Stranger,
    /// Read the book.
    Reader,
    /// Everything that the learner may.
    Learner,
}

/// By what somebody came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// An address that works once.
    Address,
    /// The key that the browser had already.
    Key,
}

/// The addresses and secrets of one session.
pub struct Entrance {
    address: SocketAddr,
    cookie: String,
    key: String,
    unused: Mutex<Vec<String>>,
    /// Leads a browser here, as long as its token has not been used.
    file: Mutex<Option<(String, TempPath)>>,
}

impl Entrance {
    /// With secrets of its own.
    pub fn new(address: SocketAddr) -> Result<Self, Fault> {
        let [cookie, key] = [secret()?, secret()?];
        Ok(Self { address, cookie, key, unused: Mutex::default(), file: Mutex::default() })
    }

    /// Another address that works once.
    pub fn another(&self) -> Result<String, Fault> {
        Ok(self.leading_here(&self.token()?))
    }

    fn token(&self) -> Result<String, Fault> {
        let token = secret()?;
        let mut unused = held(&self.unused);
        let too_many = (unused.len() + 1).saturating_sub(UNUSED);
        unused.drain(..too_many);
        unused.push(token.clone());
        Ok(token)
    }

    fn leading_here(&self, token: &str) -> String {
        format!("http://{}{}#{token}", self.address, door::PATH)
    }

    /// A file that leads a browser here, which only its owner can read. It goes when it has been used, or with the
    /// session.
    pub fn file(&self, folder: &Path) -> Result<PathBuf, Fault> {
        let token = self.token()?;
        let address = self.leading_here(&token);
        std::fs::create_dir_all(folder).map_err(Fault::file(folder))?;
        // Without a dot in front: some systems let browsers read no hidden files.
        let file = tempfile::Builder::new().prefix("open-the-course-").suffix(".html").tempfile_in(folder);
        let mut file = file.map_err(Fault::file(folder))?;
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>The course</title>\
             <meta http-equiv=\"refresh\" content=\"0; url={address}\">\
             <p><a href=\"{address}\">Open the course</a>\n"
        );
        file.write_all(page.as_bytes()).map_err(Fault::file(file.path()))?;
        let path = file.into_temp_path();
        let place = path.to_path_buf();
        *held(&self.file) = Some((token, path));
        Ok(place)
    }

    /// Lets somebody in, and uses up the address that was shown.
    pub fn let_in(&self, headers: &HeaderMap) -> Option<By> {
        if self.standing(headers) == Standing::Learner {
            return Some(By::Key);
        }
        let shown = bearer(headers)?;
        let mut unused = held(&self.unused);
        let at = unused.iter().position(|token| same(shown, token))?;
        unused.remove(at);
        held(&self.file).take_if(|(token, _)| token == shown);
        Some(By::Address)
    }

    /// What a request with these headers may do.
    pub fn standing(&self, headers: &HeaderMap) -> Standing {
        let mut protocols = list(headers, &SEC_WEBSOCKET_PROTOCOL, ',');
        let has_key = bearer(headers).is_some_and(|key| same(key, &self.key))
            || protocols.any(|name| name.strip_prefix(KEY_PROTOCOL).is_some_and(|key| same(key, &self.key)));
        let name = self.cookie_name();
        let has_cookie = || {
            let mut cookies = list(headers, &COOKIE, ';').filter_map(|pair| pair.split_once('='));
            cookies.any(|(key, value)| key == name && same(value, &self.cookie))
        };
        match () {
            () if has_key => Standing::Learner,
            () if has_cookie() => Standing::Reader,
            () => Standing::Stranger,
        }
    }

    /// The session's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The cookie, as a browser is told it.
    pub fn cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie_name(), self.cookie)
    }

    /// The name keeps two sessions on one machine apart.
    fn cookie_name(&self) -> String {
        format!("grader-{}", self.address.port())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The parts of a header that is a list, also where it comes more than once.
fn list<'h>(headers: &'h HeaderMap, name: &HeaderName, between: char) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(move |all| all.split(between)).map(str::trim)
}

/// Compares without telling by its time how far two texts are alike.
fn same(given: &str, right: &str) -> bool {
    let differ = given.bytes().zip(right.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    given.len() == right.len() && differ == 0
}

/// 256 random bits.
fn secret() -> Result<String, Fault> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::Unreadable { what: "random bytes".into(), reason: error.to_string() })?;
    Ok(hex::encode(bytes))
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn entrance() -> Entrance {
        Entrance::new(([127, 0, 0, 1], 8636).into()).expect("random bytes")
    }

    fn headers(pairs: &[(HeaderName, String)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a header"))).collect()
    }

    fn shown(token: &str) -> HeaderMap {
        headers(&[(AUTHORIZATION, format!("Bearer {token}"))])
    }

    fn token(address: &str) -> &str {
        address.split_once('#').expect("a token").1
    }

    #[test]
    fn texts_are_the_same_or_not() {
        assert!(same("abc", "abc"));
        for other in ["abd", "ab", "abcd", ""] {
            assert!(!same(other, "abc"), "{other}");
        }
    }

    #[test]
    fn an_address_lets_one_in_and_the_key_again_and_again() {
        let entrance = entrance();
        let address = entrance.another().expect("an address");
        assert!(address.starts_with("http://127.0.0.1:8636/enter#"), "{address}");
        assert_eq!(entrance.let_in(&shown(token(&address))), Some(By::Address));
        assert_eq!(entrance.let_in(&shown(token(&address))), None, "once");
        for _ in 0..2 {
            assert_eq!(entrance.let_in(&shown(entrance.key())), Some(By::Key));
        }
        let last = entrance.another().expect("an address");
        for other in ["", &"0".repeat(64), &entrance.cookie, &token(&last)[1..]] {
            assert_eq!(entrance.let_in(&shown(other)), None, "{other}");
        }
        assert_eq!(entrance.let_in(&HeaderMap::new()), None);
    }

    #[test]
    fn the_last_addresses_work_in_any_order_and_older_ones_do_not() {
        let entrance = entrance();
        let all: Vec<String> = (0..=UNUSED).map(|_| entrance.another().expect("an address")).collect();
        assert_eq!(entrance.let_in(&shown(token(&all[0]))), None);
        for address in all[1..].iter().rev() {
            assert_eq!(entrance.let_in(&shown(token(address))), Some(By::Address));
        }
    }

    #[test]
    fn the_file_is_its_owners_alone_and_goes_with_its_first_use() {
        let (entrance, folder) = (entrance(), tempfile::tempdir().expect("folder"));
        let path = entrance.file(&folder.path().join("workspace")).expect("a file");
        let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let page = std::fs::read_to_string(&path).expect("a page");
        let shown_there =
            page.split_once("url=http://127.0.0.1:8636/enter#").and_then(|(_, rest)| rest.split('"').next());
        let other = entrance.another().expect("an address");
        assert_eq!(entrance.let_in(&shown(token(&other))), Some(By::Address));
        assert!(path.exists(), "it may still be on its way to a browser");
        assert_eq!(entrance.let_in(&shown(shown_there.expect("a token"))), Some(By::Address));
        assert!(!path.exists());
    }

    #[test]
    fn the_cookie_opens_the_book_and_the_key_everything() {
        let entrance = entrance();
        let pair = entrance.cookie().split(';').next().expect("a pair").to_owned();
        let key = entrance.key();
        let standing = |name: HeaderName, value: &str| entrance.standing(&headers(&[(name, value.to_owned())]));
        assert_eq!(standing(COOKIE, &format!("a=b; {pair}; grader-8636=0")), Standing::Reader);
        assert_eq!(standing(COOKIE, &pair.replace("8636", "8637")), Standing::Stranger);
        assert_eq!(standing(COOKIE, &format!("grader-8636={key}")), Standing::Stranger);
        assert_eq!(standing(AUTHORIZATION, &format!("Bearer {key}")), Standing::Learner);
        assert_eq!(standing(AUTHORIZATION, &format!("Bearer {}", entrance.cookie)), Standing::Stranger);
        assert_eq!(standing(SEC_WEBSOCKET_PROTOCOL, &format!("grader, key.{key}")), Standing::Learner);
        assert_eq!(standing(SEC_WEBSOCKET_PROTOCOL, key), Standing::Stranger);
        assert_eq!(entrance.standing(&HeaderMap::new()), Standing::Stranger);
    }
}
