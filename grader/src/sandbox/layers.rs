//! What each layer of an image holds.
//!
//! Owns: reading layers as streams, and remembering what they hold: a layer's digest names its content, so it
//! never has to be read twice. Must not: decide what may be in a layer.
//!
//! They are read where they lie ([`folders`]), where that is possible: `docker image save` writes and reads the
//! whole base image each time.

mod folders;
mod search;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use bollard::Docker;
use flate2::read::GzDecoder;
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::facts::{Entry, ImageFacts, LayerFile, LayerFiles};
use super::probe::Probe;
use crate::fault::Fault;
use search::search;

/// How a file begins that gzip has compressed (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A value to look for in every file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    /// What it is called in reports.
    pub key: String,
    /// The value.
    pub value: String,
}

/// What was read from a layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerScan {
    /// Its files.
    pub files: LayerFiles,
    /// Needles (by key) and the paths in which they were found.
    pub found: Vec<(String, String)>,
    /// Bytes that compressed files of it were unpacked to.
    #[serde(skip)]
    unpacked: u64,
}

/// Reads an image's layers, lowest first. `probe` sees the machine's disk; it is only asked for where something has
/// to be read.
pub async fn scan(
    client: &Docker,
    reference: &str,
    image: &ImageFacts,
    needles: &[Needle],
    cache: &Path,
    probe: BoxFuture<'_, Result<Probe, Fault>>,
) -> Result<Vec<LayerScan>, Fault> {
    let remembered = Remembered::new(cache, needles)?;
    let known: BTreeMap<String, LayerScan> =
        image.layers.iter().filter_map(|digest| Some((digest.clone(), remembered.get(digest)?))).collect();
    let all = |scans: &BTreeMap<String, LayerScan>| {
        image.layers.iter().map(|digest| scans.get(digest).cloned()).collect::<Option<Vec<_>>>()
    };
    if let Some(all) = all(&known) {
        return Ok(all);
    }
    let unknown: Vec<&String> = image.layers.iter().filter(|digest| !known.contains_key(*digest)).collect();
    let read = match folders::of(client, reference, image).await {
        Some(places) => folders::read(&probe.await?, &places, &unknown, needles).await,
        None => None,
    };
    if let Some(mut scans) = read {
        scans.values().try_for_each(|scan| remembered.put(scan))?;
        scans.extend(known);
        if let Some(all) = all(&scans) {
            return Ok(all);
        }
        return Err(Fault::Unreadable {
            what: format!("the layers of {reference}"),
            reason: "some were not found".into(),
        });
    }
    let scans = saved(client, reference, image, needles, known).await?;
    scans.iter().try_for_each(|scan| remembered.put(scan))?;
    Ok(scans)
}

/// Reads the layers from `docker image save`.
async fn saved(
    client: &Docker,
    reference: &str,
    image: &ImageFacts,
    needles: &[Needle],
    known: BTreeMap<String, LayerScan>,
) -> Result<Vec<LayerScan>, Fault> {
    let stream = client.export_image(reference).map_err(std::io::Error::other);
    let bridge = SyncIoBridge::new(StreamReader::new(Box::pin(stream)));
    let needles = needles.to_vec();
    let unreadable = |reason: String| Fault::Unreadable { what: format!("the saved image {reference}"), reason };
    let saved = tokio::task::spawn_blocking(move || Saved::read(bridge, &needles, &known))
        .await
        .map_err(|error| unreadable(error.to_string()))?
        .map_err(|error| unreadable(error.to_string()))?;
    saved.in_order(&image.layers).ok_or_else(|| unreadable("its manifest names layers that are not in it".into()))
}

/// Scans kept on disk, by the layer's digest and what was looked for.
struct Remembered(PathBuf);

impl Remembered {
    fn new(cache: &Path, needles: &[Needle]) -> Result<Self, Fault> {
        // What a scan holds has changed with this number: older ones are read again.
        let mut hash = Sha256::new_with_prefix(b"4\n");
        for needle in needles {
            hash.update(format!("{}={}\n", needle.key, needle.value));
        }
        let name = hex::encode(&hash.finalize()[..8]);
        let folder = cache.join("layers").join(name);
        crate::paths::own_folder(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.0.join(digest.replace(':', "-")).with_extension("json")
    }

    /// A file that cannot be read is as good as none: the layer is read again.
    fn get(&self, digest: &str) -> Option<LayerScan> {
        serde_json::from_slice(&fs::read(self.path(digest)).ok()?).ok()
    }

    fn put(&self, scan: &LayerScan) -> Result<(), Fault> {
        let path = self.path(&scan.files.digest);
        let unfinished = tempfile::NamedTempFile::new_in(&self.0).map_err(Fault::file(&path))?;
        serde_json::to_writer(&unfinished, scan).map_err(|error| Fault::file(&path)(error.into()))?;
        unfinished.persist(&path).map_err(|error| Fault::file(&path)(error.error))?;
        Ok(())
    }
}

/// A saved image as it is read: layers by their names in the archive.
#[derive(Default)]
struct Saved {
    layers: BTreeMap<String, LayerScan>,
    links: BTreeMap<String, String>,
    manifest: Vec<ManifestEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ManifestEntry {
    layers: Vec<String>,
}

impl Saved {
    /// Reads all but the layers that are `known` by their digests: engines from 25 on call a layer by it.
    fn read(archive: impl Read, needles: &[Needle], known: &BTreeMap<String, LayerScan>) -> std::io::Result<Self> {
        let mut saved = Self::default();
        for entry in tar::Archive::new(archive).entries()? {
            let mut entry = entry?;
            let name = entry.path()?.display().to_string();
            if name == "manifest.json" {
                saved.manifest = serde_json::from_reader(&mut entry)?;
            } else if entry.header().entry_type().is_symlink() {
                // Engines before 25 write a layer that occurs twice as a link.
                if let Some(to) = entry.link_name()? {
                    saved.links.insert(name, to.display().to_string().trim_start_matches("../").to_owned());
                }
            } else if let Some(scan) = known.get(&name.replacen("blobs/sha256/", "sha256:", 1)) {
                saved.layers.insert(name, scan.clone());
            } else if entry.size() > 0
                && (name.ends_with("layer.tar") || name.starts_with("blobs/"))
                && let Some(scan) = read_layer(entry, needles)?
            {
                saved.layers.insert(name, scan);
            }
        }
        Ok(saved)
    }

    /// The manifest lists layers in the same order as the image's configuration.
    fn in_order(mut self, digests: &[String]) -> Option<Vec<LayerScan>> {
        let names = self.manifest.into_iter().next()?.layers;
        digests
            .iter()
            .enumerate()
            .map(|(index, digest)| {
                let name = names.get(index)?;
                let name = self.links.get(name).unwrap_or(name);
                // Empty layers may share one entry, so nothing is taken out.
                let mut scan = self.layers.get_mut(name)?.clone();
                scan.files.digest.clone_from(digest);
                Some(scan)
            })
            .collect()
    }
}

/// Reads a layer, compressed or not; `None` for a blob that is no archive (JSON).
fn read_layer(blob: impl Read, needles: &[Needle]) -> std::io::Result<Option<LayerScan>> {
    let mut blob = BufReader::new(blob);
    let begin = blob.fill_buf()?;
    if begin.first() == Some(&b'{') {
        return Ok(None);
    }
    if begin.starts_with(&GZIP) { read_tar(GzDecoder::new(blob), needles) } else { read_tar(blob, needles) }.map(Some)
}

fn read_tar(layer: impl Read, needles: &[Needle]) -> std::io::Result<LayerScan> {
    let mut scan = LayerScan::default();
    for entry in tar::Archive::new(layer).entries()? {
        let mut entry = entry?;
        let stored = normal(&entry.path()?.display().to_string());
        let header = entry.header();
        // A field that was left empty stands for 0.
        let (uid, gid, mode) = (header.uid().unwrap_or(0), header.gid().unwrap_or(0), header.mode()? & 0o7777);
        let (changed, kind, bytes) = (header.mtime().unwrap_or(0), kind(&entry)?, entry.size());
        let Some((path, kind)) = marker(&stored, bytes, mode, kind) else { continue };
        let file = LayerFile { path, kind, bytes, uid, gid, mode, changed };
        scan.add(file, &mut entry, needles)?;
    }
    Ok(scan)
}

impl LayerScan {
    /// Takes a file in, and looks for needles in its name and in what it holds.
    fn add(&mut self, file: LayerFile, content: &mut impl Read, needles: &[Needle]) -> std::io::Result<()> {
        // The root itself has nothing to say.
        if file.path.is_empty() && file.kind != Entry::Opaque {
            return Ok(());
        }
        let said = format!("{}\n{}", file.path, if let Entry::Link(to) = &file.kind { to } else { "" });
        let mut keys = search(&mut said.as_bytes(), needles)?;
        keys.extend(self.search_unpacked(content, needles)?);
        keys.dedup();
        self.found.extend(keys.into_iter().map(|key| (key, file.path.clone())));
        self.files.files.push(file);
        Ok(())
    }
}

fn kind(entry: &tar::Entry<'_, impl Read>) -> std::io::Result<Entry> {
    let to = || Ok::<_, std::io::Error>(entry.link_name()?.map(|to| to.display().to_string()).unwrap_or_default());
    Ok(match entry.header().entry_type() {
        tar::EntryType::Directory => Entry::Folder,
        tar::EntryType::Symlink => Entry::Link(to()?),
        tar::EntryType::Link => Entry::HardLink(normal(&to()?)),
        tar::EntryType::Char | tar::EntryType::Block | tar::EntryType::Fifo => Entry::Special,
        _ => Entry::File,
    })
}

/// A path of an archive without `./`, doubled slashes and a slash at its end.
fn normal(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// What an entry means: markers hide a path of lower layers (OCI image layer specification, "Whiteouts").
/// `None` for what is neither a file nor a marker.
fn marker(path: &str, bytes: u64, mode: u32, kind: Entry) -> Option<(String, Entry)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(hidden) = name.strip_prefix(".wh.") else { return Some((path.to_owned(), kind)) };
    if hidden == ".wh..opq" {
        return Some((folder.to_owned(), Entry::Opaque));
    }
    // What else begins so is the storage driver's own business.
    if hidden.starts_with(".wh.") || ["", ".", ".."].contains(&hidden) {
        return None;
    }
    // Builders write markers that are empty and nobody else's to read. A file that somebody has made
    // under such a name hides nothing from a container.
    if kind != Entry::File || bytes > 0 || mode & 0o077 != 0 {
        return Some((path.to_owned(), kind));
    }
    Some((if folder.is_empty() { hidden.to_owned() } else { format!("{folder}/{hidden}") }, Entry::Whiteout))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn needle(value: &str) -> Vec<Needle> {
        vec![Needle { key: "KEY".into(), value: value.into() }]
    }

    #[test]
    fn markers_name_what_they_hide_and_files_of_such_names_hide_nothing() {
        let told = |path: &str, bytes, mode| marker(path, bytes, mode, Entry::File);
        assert_eq!(told("app/.wh..env", 0, 0o600), Some(("app/.env".into(), Entry::Whiteout)));
        assert_eq!(told(".wh.app", 0, 0), Some(("app".into(), Entry::Whiteout)));
        assert_eq!(told("app/.wh..wh..opq", 0, 0o755), Some(("app".into(), Entry::Opaque)));
        assert_eq!(told("app/.wh..env", 0, 0o644), Some(("app/.wh..env".into(), Entry::File)));
        assert_eq!(told("app/.wh..env", 5, 0o600), Some(("app/.wh..env".into(), Entry::File)));
        assert_eq!((told(".wh..wh.aufs", 0, 0o600), told("app/.wh..", 0, 0o600)), (None, None));
        assert_eq!(normal("./app//x/"), "app/x");
    }

    #[test]
    fn folders_links_and_hard_links_are_kept_and_names_are_searched() {
        let mut layer = tar::Builder::new(Vec::new());
        let mut add = |path: &str, kind: tar::EntryType, to: Option<&str>| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_mode(0o750);
            header.set_uid(1000);
            header.set_gid(1000);
            header.set_mtime(7);
            header.set_size(0);
            match to {
                Some(to) => layer.append_link(&mut header, path, to),
                None => layer.append_data(&mut header, path, std::io::empty()),
            }
            .expect("entry");
        };
        add("./app/uploads/", tar::EntryType::Directory, None);
        add("app/link", tar::EntryType::Symlink, Some("/run/secret-value"));
        add("app/other", tar::EntryType::Link, Some("app/first"));
        add("app/secret-value.txt", tar::EntryType::Regular, None);
        let layer = layer.into_inner().expect("layer");
        let scan = read_tar(layer.as_slice(), &needle("secret-value")).expect("read");
        let kinds: Vec<_> = scan.files.files.iter().map(|file| file.kind.clone()).collect();
        let link = Entry::Link("/run/secret-value".into());
        assert_eq!(kinds, [Entry::Folder, link, Entry::HardLink("app/first".into()), Entry::File]);
        let folder = &scan.files.files[0];
        assert_eq!((folder.path.as_str(), folder.uid, folder.mode, folder.changed), ("app/uploads", 1000, 0o750, 7));
        let found: Vec<_> = scan.found.iter().map(|(_, path)| path.as_str()).collect();
        assert_eq!(found, ["app/link", "app/secret-value.txt"]);
    }

    #[test]
    fn a_saved_image_gives_its_layers_in_order_with_what_was_found() {
        let mut layer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(6);
        header.set_uid(1000);
        header.set_gid(10);
        header.set_mode(0o100_640);
        header.set_cksum();
        layer.append_data(&mut header, "app/.env", b"a=1234".as_slice()).expect("layer");
        let layer = layer.into_inner().expect("layer");
        let mut saved = tar::Builder::new(Vec::new());
        for (name, data) in [
            ("blobs/sha256/aa", layer.as_slice()),
            ("blobs/sha256/bb", b"{}".as_slice()),
            ("manifest.json", br#"[{"Config":"c","Layers":["blobs/sha256/aa"]}]"#.as_slice()),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            header.set_cksum();
            saved.append_data(&mut header, name, data).expect("entry");
        }
        let archive = saved.into_inner().expect("archive");
        let scans = Saved::read(archive.as_slice(), &needle("1234"), &BTreeMap::new())
            .expect("read")
            .in_order(&["sha256:aa".into()])
            .expect("order");
        let file = &scans[0].files.files[0];
        assert_eq!((file.path.as_str(), file.uid, file.gid, file.mode), ("app/.env", 1000, 10, 0o640));
        assert_eq!(scans[0].found, [("KEY".to_owned(), "app/.env".to_owned())]);
        // One that was read before is not read again.
        let before = LayerScan { found: vec![("KEY".into(), "before".into())], ..LayerScan::default() };
        let known = BTreeMap::from([("sha256:aa".to_owned(), before)]);
        let again = Saved::read(archive.as_slice(), &needle("1234"), &known).expect("read");
        let again = again.in_order(&["sha256:aa".into()]).expect("order");
        assert_eq!(again[0].found[0].1, "before");
    }
}
