//! Compiles the crate again when a file is added to `src/checks`: `automod` lists that folder.

fn main() {
    println!("cargo::rerun-if-changed=src/checks");
}
