//! The book's pages as the server shows them.
//!
//! Owns: building them, taking inline scripts out of them, and building them again when their
//! sources have changed. Must not: know what a lesson is.
//!
//! A strict content security policy lets no script stand in a page. mdBook writes some; they are
//! moved to files of their own, named by their content, and do the same there.

use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;
use walkdir::WalkDir;

use super::problem::Problem;
use super::{App, own};
use crate::book::{Site, has};
use crate::course::Course;
use crate::fault::Fault;
use crate::memory::tree::Tree;

/// How often the sources are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Files of at most so many bytes are read whole; nearly all are. Others come in pieces of so many.
const AT_ONCE_BYTES: u64 = 256 << 10;
const PIECE_BYTES: usize = 64 << 10;

/// The pages that were built last.
pub struct Book(Mutex<Arc<Built>>);

/// What is served: the pages of one build, perhaps with a newer complaint. Their folder goes when nobody
/// reads from it any more.
pub struct Built {
    folder: Arc<TempDir>,
    /// Counts builds of this session, from 1.
    pub version: u32,
    /// Why the sources as they are now cannot be built; then the pages are older.
    pub complaint: Option<String>,
}

impl Book {
    /// Builds the book of a course.
    pub fn build(course: &Course) -> Result<Self, Fault> {
        let folder = Arc::new(built(course)?);
        Ok(Self(Mutex::new(Arc::new(Built { folder, version: 1, complaint: None }))))
    }

    /// The pages as they are now.
    pub fn now(&self) -> Arc<Built> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, built: Built) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(built);
    }
}

/// Builds the book again whenever its sources have changed. A mistake in them is kept for the page,
/// which shows it to the author; the pages stay as they were.
pub async fn rebuild_on_changes(session: App) {
    let folders = ["book/src", "book/theme", "exercises"].map(|folder| session.course.root.join(folder));
    let look =
        move || folders.iter().map(|folder| Tree::glance(folder).ok().map(|tree| tree.key())).collect::<Vec<_>>();
    let mut seen = look();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // Requests do not wait for the disk.
        let Ok(now) = tokio::task::spawn_blocking(look.clone()).await else { continue };
        if now == seen {
            continue;
        }
        seen = now;
        let course = session.course.clone();
        let version = session.book.now().version + 1;
        let Ok(done) = tokio::task::spawn_blocking(move || built(&course)).await else { continue };
        match done {
            Ok(folder) => session.book.put(Built { folder: Arc::new(folder), version, complaint: None }),
            Err(fault) => {
                eprintln!("{fault}");
                let folder = session.book.now().folder.clone();
                session.book.put(Built { folder, version, complaint: Some(fault.to_string()) });
            }
        }
    }
}

fn built(course: &Course) -> Result<TempDir, Fault> {
    let folder = tempfile::Builder::new().prefix("grader-book-").tempdir();
    let folder = folder.map_err(Fault::file(std::env::temp_dir()))?;
    let pages = pages(&folder);
    crate::book::build(&course.root, Some(&pages), Site::Served)?;
    for entry in WalkDir::new(&pages).into_iter().flatten() {
        if entry.path().extension().is_some_and(|end| end == "html") {
            let text = fs::read_to_string(entry.path()).map_err(Fault::file(entry.path()))?;
            let (page, scripts) = without_inline_scripts(&text);
            for (name, script) in scripts {
                let path = pages.join(name);
                fs::write(&path, script).map_err(Fault::file(path))?;
            }
            fs::write(entry.path(), own::linked(&without_inline_styles(&page))).map_err(Fault::file(entry.path()))?;
        }
        if entry.file_name().to_string_lossy().starts_with("searcher-") {
            let text = fs::read_to_string(entry.path()).map_err(Fault::file(entry.path()))?;
            // mdBook's search writes one inline style, which the policy does not let in: `app.css` has it.
            let text = text
                .replace("tmp.setAttribute('style', 'position: absolute; opacity: 0;')", "tmp.className = 'g-heard'");
            fs::write(entry.path(), text).map_err(Fault::file(entry.path()))?;
        }
    }
    Ok(folder)
}

/// Where the pages are: mdBook makes this folder anew, as open as folders are, and nobody else may enter
/// the one around it.
fn pages(folder: &TempDir) -> PathBuf {
    folder.path().join("pages")
}

/// The page with its inline scripts replaced by files, and those files.
fn without_inline_scripts(page: &str) -> (String, Vec<(String, String)>) {
    let (open, close) = ("<script>", "</script>");
    let (mut out, mut scripts) = (String::new(), Vec::new());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(open) {
        let (script, after) = after.split_once(close).unwrap_or((after, ""));
        let name = format!("inline-{}.js", &hex::encode(Sha256::digest(script))[..12]);
        out.push_str(before);
        out.extend(["<script src=\"/", &name, "\"></script>"]);
        scripts.push((name, script.to_owned()));
        rest = after;
    }
    out.push_str(rest);
    (out, scripts)
}

/// mdBook writes styles into pages, which the policy does not let in: `app.css` has them.
fn without_inline_styles(page: &str) -> String {
    if !has(page, " style=\"") {
        return page.to_owned();
    }
    page.replace("<div style=\"clear: both\">", "<div class=\"g-clear\">")
        .replace("<div style=\"break-before: page; page-break-before: always;\">", "<div class=\"g-page\">")
}

/// Answers with a file of the book.
pub async fn page(State(session): State<App>, uri: Uri) -> Response {
    let own = own::file(uri.path());
    let path = uri.path().trim_start_matches('/');
    if let Some((name, text)) = own {
        return ([(CONTENT_TYPE, kind(name)), (CACHE_CONTROL, cached(path))], text).into_response();
    }
    let built = session.book.now();
    let Some(file) = inside(&pages(&built.folder), path) else { return missing(&built) };
    let kind = kind(&file.to_string_lossy());
    // Requests do not wait for the disk.
    match tokio::task::spawn_blocking(move || opened(&file)).await {
        Ok(Ok((length, body))) => {
            let head = [
                (CONTENT_TYPE, HeaderValue::from_static(kind)),
                (CACHE_CONTROL, HeaderValue::from_static(cached(path))),
                (CONTENT_LENGTH, length.into()),
            ];
            (head, body).into_response()
        }
        _ => missing(&built),
    }
}

/// A file's length, and what it holds: not all at once where that is much, since a browser may read slowly.
fn opened(file: &Path) -> std::io::Result<(u64, Body)> {
    let mut file = fs::File::open(file)?;
    let data = file.metadata()?;
    let length = data.len();
    if !data.is_file() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    if length <= AT_ONCE_BYTES {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        return Ok((bytes.len() as u64, bytes.into()));
    }
    let pieces = tokio::fs::File::from_std(file).take(length);
    Ok((length, Body::from_stream(ReaderStream::with_capacity(pieces, PIECE_BYTES))))
}

/// How long a browser may keep what it got. Files that have a digest of their content in their address are
/// kept: whenever Docker makes a network, a browser breaks off what it is loading, and what it has
/// need not be loaded.
fn cached(path: &str) -> &'static str {
    let is_edited = std::env::var_os("GRADER_WEB").is_some();
    let is_hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let digest = stem.rsplit('-').next().unwrap_or_default();
    let own = path.strip_prefix("grader/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    match () {
        () if is_hex(digest, 8) || is_hex(digest, 12) => "private, max-age=31536000, immutable",
        () if is_hex(own, 12) && !is_edited => "private, max-age=31536000, immutable",
        () if name.is_empty() || kind(path).starts_with("text/html") => "no-store",
        () => "no-cache",
    }
}

fn missing(built: &Built) -> Response {
    let page = fs::read(pages(&built.folder).join("404.html")).unwrap_or_default();
    if page.is_empty() {
        return Problem::new(StatusCode::NOT_FOUND, "there is no such page", "Begin at the first page.")
            .into_response();
    }
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// The file of a path, if it cannot lead out of the folder.
fn inside(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = if path.is_empty() { "index.html" } else { path };
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    plain.then(|| folder.join(path))
}

pub(super) fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_become_files_of_their_content_and_others_stay() {
        let page = "<head><script>a()</script></head><script src=\"x.js\"></script><script>\nb()\n</script>z";
        let (out, scripts) = without_inline_scripts(page);
        assert_eq!(scripts.iter().map(|(_, script)| script.as_str()).collect::<Vec<_>>(), ["a()", "\nb()\n"]);
        assert!(!out.contains("<script>") && out.contains("src=\"x.js\"") && out.ends_with("</script>z"), "{out}");
        assert!(out.contains(&format!("<script src=\"/{}\"></script>", scripts[1].0)), "{out}");
    }

    #[test]
    fn what_has_its_digest_in_its_address_is_kept_and_pages_are_not() {
        for kept in
            ["highlight-abc7f01d.js", "css/chrome-d279d366.css", "inline-3501575bf118.js", "clipboard-1626706a.min.js"]
        {
            assert!(cached(kept).ends_with("immutable"), "{kept}");
        }
        assert!(cached("grader/0123456789ab/app.js").ends_with("immutable"));
        assert_eq!(
            (cached(""), cached("a-0123456789.html"), cached("pictures/a.svg")),
            ("no-store", "no-store", "no-cache")
        );
    }

    #[test]
    fn the_course_is_served_without_anything_by_which_answers_are_judged() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the course").to_path_buf();
        let folder = built(&Course { root }).expect("a book");
        let mut questions = 0;
        for entry in WalkDir::new(folder.path()).into_iter().flatten() {
            assert!(entry.file_name() != "quiz.js", "{}", entry.path().display());
            if entry.path().extension().is_some_and(|end| end == "html") {
                let page = fs::read_to_string(entry.path()).expect("a page");
                questions += page.matches("<fieldset class=\"quiz\"").count();
                assert!(!page.contains("data-sealed") && !page.contains("data-salt"), "{}", entry.path().display());
            }
        }
        assert!(questions > 40, "{questions} questions");
    }

    #[test]
    fn no_path_leads_out_of_the_book() {
        let folder = Path::new("/book");
        assert_eq!(inside(folder, ""), Some(PathBuf::from("/book/index.html")));
        assert_eq!(inside(folder, "a/b.css"), Some(PathBuf::from("/book/a/b.css")));
        for out in ["../x", "a/../../x", "/etc/passwd"] {
            assert_eq!(inside(folder, out), None, "{out}");
        }
    }
}
