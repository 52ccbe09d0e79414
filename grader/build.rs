//! Packs the course's files into one archive, which the program carries with it (`grader init`).

use std::path::{Path, PathBuf};

/// What a course consists of, from the root of the repository.
const PARTS: [&str; 4] = ["book", "exercises", "images", "scripts"];

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let to = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("course.tar");
    let mut archive = tar::Builder::new(std::fs::File::create(to)?);
    // Without dates and owners, the same files give the same bytes.
    archive.mode(tar::HeaderMode::Deterministic);
    for part in PARTS {
        println!("cargo::rerun-if-changed=../{part}");
        add(&mut archive, &root, Path::new(part))?;
    }
    archive.finish()
}

/// A folder's files in the order of their names, without what was built there.
fn add(archive: &mut tar::Builder<std::fs::File>, root: &Path, folder: &Path) -> std::io::Result<()> {
    let mut names: Vec<_> = std::fs::read_dir(root.join(folder))?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let is_built = path == Path::new("book/book") || name == "node_modules";
        match root.join(&path) {
            from if from.is_dir() && !is_built => add(archive, root, &path)?,
            from if from.is_file() => archive.append_path_with_name(from, &path)?,
            _ => {}
        }
    }
    Ok(())
}
