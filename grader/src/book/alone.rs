//! What a book needs to judge answers without a server.
//!
//! Owns: writing our script and styles beside the pages, and linking them where questions are. Must
//! not: know what a question is (`seal` does), or write a script into a page: a host may forbid that.
//!
//! All addresses are relative, so the book works below any path and from a disk. (mdBook's page for
//! what is not found is the exception: it stands on `output.html.site-url`.)

mod script;
pub(super) mod seal;

use std::fs;
use std::io::Error;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::{QUESTION, has};

/// The styles that a live question needs: those of every page of the server, and its own.
const STYLES: [(&str, &str); 2] =
    [("app.css", include_str!("../../web/app.css")), ("quiz.css", include_str!("../../web/quiz.css"))];

/// Gives the built book in `folder` what it needs. The error names the file.
pub(super) fn equip(folder: &Path) -> Result<(), (PathBuf, Error)> {
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |error| (path, error)
    };
    let script = script::classic();
    let ours = Path::new("grader").join(version(&script));
    let there = folder.join(&ours);
    fs::create_dir_all(&there).map_err(at(&there))?;
    for (name, text) in STYLES.into_iter().chain([("quiz.js", script.as_str())]) {
        fs::write(there.join(name), text).map_err(at(&there.join(name)))?;
    }
    for entry in WalkDir::new(folder) {
        let entry = entry.map_err(|error| (folder.to_path_buf(), error.into()))?;
        let path = entry.path();
        // On the page for printing, all lessons stand below each other: that is for paper.
        if path.extension().is_none_or(|end| end != "html") || entry.file_name() == "print.html" {
            continue;
        }
        let page = fs::read_to_string(path).map_err(at(path))?;
        if has(&page, QUESTION) {
            // The folder itself has depth 0, and its pages 1.
            let links = links(&"../".repeat(entry.depth() - 1), &ours.display().to_string());
            fs::write(path, page.replacen("</head>", &links, 1)).map_err(at(path))?;
        }
    }
    Ok(())
}

fn links(up: &str, ours: &str) -> String {
    format!(
        "<link rel=\"stylesheet\" href=\"{up}{ours}/app.css\"><script defer src=\"{up}{ours}/quiz.js\"></script></head>"
    )
}

/// Changes with every change of our files; it stands in their addresses, so that browsers may keep
/// what they got.
fn version(script: &str) -> String {
    let mut all = Sha256::new_with_prefix(script);
    for (_, text) in STYLES {
        all.update(text);
    }
    hex::encode(all.finalize())[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_with_questions_get_the_files_by_relative_addresses_and_others_get_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let with = format!("<head></head>{QUESTION}></fieldset>");
        fs::create_dir(folder.path().join("a")).expect("a");
        for (name, text) in
            [("top.html", &*with), ("a/deep.html", &with), ("print.html", &with), ("no.html", "<head></head>")]
        {
            fs::write(folder.path().join(name), text).expect(name);
        }
        equip(folder.path()).expect("equipped");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect(name);
        for (name, up) in [("top.html", ""), ("a/deep.html", "../")] {
            let page = read(name);
            for address in ["href=\"", "src=\""].map(|start| page.split_once(start).expect(start).1) {
                let address = address.split('"').next().expect("an end");
                assert!(address.starts_with(&format!("{up}grader/")), "{page}");
                assert!(folder.path().join(name).with_file_name(address).is_file(), "{page}");
            }
            assert!(!page.contains("<script>"), "{page}");
        }
        assert_eq!((read("print.html"), read("no.html")), (with, "<head></head>".into()));
    }
}
