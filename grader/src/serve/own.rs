//! What of ours runs in a page: the files of `grader/web`.
//!
//! Owns: the files, their addresses, and linking them from a page. Must not: know what they do.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::book::{EXERCISE, QUESTION, has};

/// Names the files of `grader/web`, with their texts.
macro_rules! own {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../web/", $name)))),+]
    };
}

/// Our own files. Every page loads `app`, which asks for the others where they are needed.
const OWN: &[(&str, &str)] = &own![
    "api.js",
    "app.css",
    "app.js",
    "attempts.js",
    "author.js",
    "checks.js",
    "commands.js",
    "conflict.js",
    "dockerfile.js",
    "dom.js",
    "door.css",
    "door.js",
    "editor.js",
    "evidence.js",
    "files.js",
    "hints.js",
    "judge.js",
    "key.js",
    "looks.js",
    "menu.js",
    "order.js",
    "panel.css",
    "panel.js",
    "plot.css",
    "plot.js",
    "progress.js",
    "quiz.css",
    "quiz.js",
    "run.js",
    "screen.js",
    "shapes.js",
    "slate.css",
    "start.js",
    "terminal.css",
    "terminal.js",
    "words.js",
    "workbench.js",
];

/// What a page has, and the module that `app` loads for it.
const FOR: [(&str, &str); 3] = [(QUESTION, "judge.js"), (QUESTION, "quiz.js"), (EXERCISE, "panel.js")];

/// A page that loads our files. The modules that it will need are named at once: a browser that finds one
/// in the other would ask for them in turn.
pub fn linked(page: &str) -> String {
    let mut modules = BTreeSet::new();
    let needed = FOR.iter().filter(|(part, _)| has(page, part)).map(|(_, module)| *module);
    needed.chain(["app.js"]).for_each(|module| gather(module, &mut modules));
    let early = modules.iter().map(|module| format!("<link rel=\"modulepreload\" href=\"{}\">", address(module)));
    let early: String = early.collect();
    let own = format!(
        "{early}<link rel=\"stylesheet\" href=\"{}\"><script type=\"module\" src=\"{}\"></script></head>",
        address("app.css"),
        address("app.js")
    );
    page.replacen("</head>", &own, 1)
}

/// A module with all that it imports.
fn gather(module: &'static str, all: &mut BTreeSet<&'static str>) {
    if !all.insert(module) {
        return;
    }
    let text = OWN.iter().find(|(name, _)| *name == module).map_or("", |(_, text)| text);
    let imports = text.lines().filter(|line| line.starts_with("import "));
    imports.filter_map(|line| line.split("'./").nth(1)?.split('\'').next()).for_each(|name| gather(name, all));
}

/// Changes with every change of our own files; it stands in their addresses.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = Sha256::new();
    for (_, text) in OWN {
        all.update(text);
    }
    hex::encode(all.finalize())[..12].to_owned()
});

/// Where one of our own files is.
pub fn address(name: &str) -> String {
    format!("/grader/{}/{name}", *VERSION)
}

/// The name of one of our own files, by `/grader/VERSION/NAME`.
pub fn name(path: &str) -> Option<&'static str> {
    let (_, file) = path.strip_prefix("/grader/")?.split_once('/')?;
    OWN.iter().map(|(name, _)| *name).find(|name| *name == file)
}

/// One of our own files, by `/grader/VERSION/NAME`. Whoever works on them names their folder in
/// `GRADER_WEB`, and needs no build.
pub fn file(path: &str) -> Option<(&'static str, String)> {
    let name = name(path)?;
    let (name, text) = OWN.iter().find(|(own, _)| *own == name)?;
    let folder = std::env::var_os("GRADER_WEB").map(PathBuf::from);
    let edited = folder.and_then(|folder| fs::read_to_string(folder.join(name)).ok());
    Some((name, edited.unwrap_or_else(|| (*text).to_owned())))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::serve::book::kind;

    #[test]
    fn every_file_of_ours_is_served_and_says_what_it_owns() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        // `alone` is for pages without a server.
        let mut there: Vec<_> = fs::read_dir(folder)
            .expect("grader/web")
            .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "alone")
            .collect();
        there.sort();
        assert_eq!(OWN.iter().map(|(name, _)| *name).collect::<Vec<_>>(), there);
        for (name, text) in OWN {
            assert!(text.starts_with("/*") && text.contains("Must not:"), "{name}");
        }
        let scripts = OWN.iter().filter(|(name, _)| kind(name).starts_with("text/javascript"));
        let bytes: usize = scripts.map(|(_, text)| text.len()).sum();
        assert!(bytes < 94_000, "{bytes} bytes of JavaScript");
    }

    #[test]
    fn a_page_names_what_it_will_load_and_nothing_else() {
        let named = |page: &str| {
            let page = linked(&format!("<head></head>{page}"));
            let all: Vec<String> = page
                .split("modulepreload\" href=\"")
                .skip(1)
                .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
                .collect();
            for address in &all {
                assert!(file(address).is_some(), "{address}");
            }
            all.iter().map(|address| address.rsplit('/').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(named(""), ["api.js", "app.js", "author.js", "dom.js", "key.js", "progress.js", "words.js"]);
        let quiz = named("<fieldset class=\"quiz\" id=\"x\">");
        assert!(quiz.contains(&"order.js".into()) && !quiz.contains(&"panel.js".into()), "{quiz:?}");
        let panel = named("<section class=\"exercise\">");
        assert!(panel.contains(&"editor.js".into()) && !panel.contains(&"terminal.js".into()), "{panel:?}");
    }

    #[test]
    fn a_file_is_found_by_its_address_only() {
        let page = linked("<head></head>");
        let address = page.split('"').find(|text| text.ends_with("app.js")).expect("our script");
        assert!(file(address).is_some_and(|(name, _)| name == "app.js"), "{page}");
        assert!(file("/grader/app.js").is_none() && file("/grader/x/../app.js").is_none());
    }
}
