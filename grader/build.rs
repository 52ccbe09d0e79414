//! Packs the course's files into one archive, which the program carries with it (`grader init`), and
//! tells the program which sources it is made of (`grader --version`, reports).

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

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
    archive.finish()?;
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rustc-env=GRADER_SOURCES={}", sources()?);
    Ok(())
}

/// The beginning of the digest of the sources: 12 hexadecimal digits.
fn sources() -> std::io::Result<String> {
    let mut hash = Sha256::new();
    add_sources(&mut hash, Path::new(env!("CARGO_MANIFEST_DIR")), Path::new("src"))?;
    add_sources(&mut hash, Path::new(env!("CARGO_MANIFEST_DIR")), Path::new("web"))?;
    Ok(hex::encode(&hash.finalize()[..6]))
}

fn add_sources(hash: &mut Sha256, root: &Path, folder: &Path) -> std::io::Result<()> {
    for name in names(&root.join(folder))? {
        let path = folder.join(name);
        if root.join(&path).is_dir() {
            add_sources(hash, root, &path)?;
        } else {
            hash.update(path.as_os_str().as_encoded_bytes());
            hash.update(Sha256::digest(std::fs::read(root.join(&path))?));
        }
    }
    Ok(())
}

/// The names in a folder, in their order.
fn names(folder: &Path) -> std::io::Result<Vec<std::ffi::OsString>> {
    let mut names: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    Ok(names)
}

/// A folder's files in the order of their names, without what was built there.
fn add(archive: &mut tar::Builder<std::fs::File>, root: &Path, folder: &Path) -> std::io::Result<()> {
    for name in names(&root.join(folder))? {
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
