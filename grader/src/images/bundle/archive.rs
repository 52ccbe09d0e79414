//! The form of a bundle's file.
//!
//! Owns: writing it to and reading it from any stream. Must not: know Docker's daemon.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

/// The version of the form. It changes when an older grader could not read the file.
pub const FORMAT: &str = "course-images/1";
/// The name of the first entry.
const LIST: &str = "course-images.json";
/// The entry of `docker save` that names its images.
const DOCKER_LIST: &str = "manifest.json";
/// The size of a header and the unit of contents in a tar archive.
const BLOCK: usize = 512;

/// What a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The version of the form.
    pub format: String,
    /// The images.
    pub images: Vec<Entry>,
}

/// One image of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name and tag.
    pub reference: String,
    /// Its id on the machine where the bundle was written.
    pub id: String,
    /// The fingerprint of the recipe, if it is a stand-in.
    pub fingerprint: Option<String>,
    /// Its size before compression.
    pub bytes: u64,
    /// The processor that it is for.
    pub architecture: String,
}

/// Why a file is no bundle that can be loaded.
#[derive(Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Something else.
    Foreign,
    /// A bundle of which a part is missing or wrong.
    Damaged(String),
    /// A bundle of a form that is not known.
    Newer(String),
}

#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "RepoTags", default)]
    tags: Option<Vec<String>>,
}

/// Writes a bundle out of what `docker save` writes.
pub fn write(contents: &Contents, mut saved: impl Read, to: impl Write) -> io::Result<()> {
    let list = serde_json::to_vec_pretty(contents)?;
    let mut header = tar::Header::new_gnu();
    header.set_path(LIST)?;
    header.set_size(list.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    // What has been packed by gzip once shrinks little more with a higher level, at twice the time.
    let mut packed = GzEncoder::new(to, Compression::fast());
    packed.write_all(header.as_bytes())?;
    packed.write_all(&list)?;
    packed.write_all(&vec![0; list.len().next_multiple_of(BLOCK) - list.len()])?;
    io::copy(&mut saved, &mut packed)?;
    packed.finish()?.flush()
}

/// Reads a bundle to its last byte and checks that it holds what its list says, and only that.
pub fn check(file: impl Read) -> Result<Contents, Flaw> {
    let damaged = |error: io::Error| Flaw::Damaged(error.to_string());
    let mut unpacked = GzDecoder::new(io::BufReader::with_capacity(1 << 16, file));
    if unpacked.header().is_none() {
        return Err(Flaw::Foreign);
    }
    let mut archive = tar::Archive::new(&mut unpacked);
    let mut entries = archive.entries().map_err(damaged)?;
    let contents: Contents = match entries.next() {
        Some(Ok(mut first)) if first.path().is_ok_and(|path| path.as_os_str() == LIST) => {
            let mut text = String::new();
            first.read_to_string(&mut text).map_err(damaged)?;
            let read: serde_json::Value = serde_json::from_str(&text).map_err(|error| damaged(error.into()))?;
            let format = read["format"].as_str().unwrap_or_default();
            if format != FORMAT {
                return Err(Flaw::Newer(format.to_owned()));
            }
            serde_json::from_value(read).map_err(|error| damaged(error.into()))?
        }
        Some(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => return Err(damaged(error)),
        _ => return Err(Flaw::Foreign),
    };
    let mut tags = BTreeSet::new();
    for entry in entries {
        let mut entry = entry.map_err(damaged)?;
        if entry.path().is_ok_and(|path| path.as_os_str() == DOCKER_LIST) {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(damaged)?;
            let saved: Vec<Saved> = serde_json::from_str(&text).map_err(|error| damaged(error.into()))?;
            tags.extend(saved.into_iter().filter_map(|image| image.tags).flatten());
        }
    }
    // The check sum stands at the very end.
    io::copy(&mut unpacked, &mut io::sink()).map_err(damaged)?;
    let listed: BTreeSet<String> = contents.images.iter().map(|image| image.reference.clone()).collect();
    if tags != listed {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        return Err(Flaw::Damaged(format!("its list names {}, it holds {}", list(&listed), list(&tags))));
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents() -> Contents {
        let entry = Entry {
            reference: "base:1".into(),
            id: "sha256:1".into(),
            fingerprint: Some("abc".into()),
            bytes: 7,
            architecture: "amd64".into(),
        };
        Contents { format: FORMAT.into(), images: vec![entry] }
    }

    /// What `docker save` would write for one image.
    fn saved(tag: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut add = |name: &str, data: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, data).unwrap();
        };
        let layer: Vec<u8> =
            (0..50_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        add("blobs/sha256/1", &layer);
        add("manifest.json", format!("[{{\"Config\":\"blobs/sha256/2\",\"RepoTags\":[\"{tag}\"]}}]").as_bytes());
        builder.into_inner().unwrap()
    }

    fn bundle(contents: &Contents, tag: &str) -> Vec<u8> {
        let mut file = Vec::new();
        write(contents, saved(tag).as_slice(), &mut file).unwrap();
        file
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(check(bundle(&contents(), "base:1").as_slice()), Ok(contents()));
    }

    #[test]
    fn a_bundle_is_an_archive_that_docker_load_reads() {
        let file = bundle(&contents(), "base:1");
        let mut archive = tar::Archive::new(GzDecoder::new(file.as_slice()));
        let names: Vec<_> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned()).collect();
        assert_eq!(names.len(), 3);
    }

    #[test]
    fn a_truncated_bundle_is_told_wherever_it_ends() {
        let file = bundle(&contents(), "base:1");
        for end in [11, 60, file.len() / 2, file.len() - 200, file.len() - 9, file.len() - 1] {
            assert!(matches!(check(&file[..end]), Err(Flaw::Damaged(_))), "{end} of {}", file.len());
        }
    }

    #[test]
    fn a_changed_byte_is_told() {
        let mut file = bundle(&contents(), "base:1");
        let middle = file.len() / 2;
        file[middle] ^= 0x55;
        assert!(matches!(check(file.as_slice()), Err(Flaw::Damaged(_))));
    }

    #[test]
    fn what_is_no_bundle_is_foreign() {
        assert_eq!(check(&b""[..]), Err(Flaw::Foreign));
        assert_eq!(check(&b"not packed at all"[..]), Err(Flaw::Foreign));
        assert_eq!(check(saved("base:1").as_slice()), Err(Flaw::Foreign));
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&saved("base:1")).unwrap();
        assert_eq!(check(packed.finish().unwrap().as_slice()), Err(Flaw::Foreign));
        let mut text = GzEncoder::new(Vec::new(), Compression::fast());
        text.write_all(&[b'x'; 2000]).unwrap();
        assert_eq!(check(text.finish().unwrap().as_slice()), Err(Flaw::Foreign));
    }

    #[test]
    fn another_image_than_the_list_says_is_told() {
        let Err(Flaw::Damaged(how)) = check(bundle(&contents(), "other:1").as_slice()) else { panic!("accepted") };
        assert_eq!(how, "its list names base:1, it holds other:1");
    }

    #[test]
    fn a_newer_form_is_told() {
        let newer = Contents { format: "course-images/2".into(), ..contents() };
        assert_eq!(check(bundle(&newer, "base:1").as_slice()), Err(Flaw::Newer("course-images/2".into())));
    }
}
