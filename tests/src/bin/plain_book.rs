//! Builds the course's book as plain mdBook does: the same sources and theme, and nothing of ours.
//!
//! usage: `plain_book COURSE OUT`; the benchmark times it beside `grader book build`.

use std::collections::BTreeMap;
use std::path::Path;

use mdbook_driver::MDBook;
use mdbook_driver::config::Config;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, course, out] = arguments.as_slice() else { panic!("usage: plain_book COURSE OUT") };
    let folder = Path::new(course).join("book");
    let mut config = Config::from_disk(folder.join("book.toml")).expect("book.toml");
    // Without our preprocessor, its blocks are code blocks like others.
    config.set("preprocessor", BTreeMap::<String, String>::new()).expect("settings");
    config.build.build_dir = std::path::absolute(out).expect("a folder");
    let book = MDBook::load_with_config(folder, config).expect("the book loads");
    book.build().expect("the book is built");
}
