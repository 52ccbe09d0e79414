//! Layers where they lie: the folders of the storage driver `overlay2`.
//!
//! Owns: finding them, and reading them by the helper container. Must not: be relied upon: another driver, a
//! daemon that sees another disk, or a marker that is not known gives `None`, and the image is saved instead.
//!
//! The formats are the kernel's (Documentation/filesystems/overlayfs.rst): a device 0/0 hides a name of lower
//! layers, and the attribute `trusted.overlay.opaque` what lies below a folder.

use std::collections::BTreeMap;
use std::io::Read;

use bollard::Docker;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::super::facts::{Entry, ImageFacts, LayerFile};
use super::super::probe::Probe;
use super::{LayerScan, Needle, kind, normal};

/// `save` switches this way of reading off, to compare both.
const SWITCH: &str = "GRADER_LAYERS";

/// The folder of each layer on the machine's disk, by the layer's digest.
pub type Folders = BTreeMap<String, String>;

/// Where the layers of an image lie, if that can be known.
pub async fn of(client: &Docker, reference: &str, image: &ImageFacts) -> Option<Folders> {
    if std::env::var(SWITCH).is_ok_and(|way| way == "save") {
        return None;
    }
    let driver = client.inspect_image(reference).await.ok()?.graph_driver?;
    if driver.name != "overlay2" {
        return None;
    }
    paired(&image.layers, driver.data.get("UpperDir")?, driver.data.get("LowerDir"))
}

/// Pairs digests, lowest first, with folders: the driver names the highest by itself, and the others from above.
fn paired(layers: &[String], upper: &str, lower: Option<&String>) -> Option<Folders> {
    let below = lower.into_iter().flat_map(|all| all.split(':')).collect::<Vec<_>>();
    let folders: Vec<&str> = below.into_iter().rev().chain([upper]).collect();
    let relative = |folder: &&str| folder.trim_start_matches('/').to_owned();
    let all: Folders = layers.iter().cloned().zip(folders.iter().map(relative)).collect();
    let is_plain = |folder: &String| !folder.contains("..") && folder.ends_with("/diff");
    (folders.len() == layers.len() && all.values().all(is_plain)).then_some(all)
}

/// Archives folders of the machine. The parent of what is run in a container is the program of the daemon's that has
/// started it, which sees the daemon's disk. Exit code 4: they are not there, or the tool is not the one that keeps attributes.
const SCRIPT: &str = r#"
cd "/proc/$PPID/root/" 2>/dev/null || exit 4
case "$(tar --version 2>/dev/null)" in *"GNU tar"*) ;; *) exit 4 ;; esac
for folder in "$@"; do [ -d "./$folder" ] || exit 4; done
mark() { echo "--xattrs-include=trusted.overlay.$1"; }
# In the order of names, a file with several has its bytes under the same one as in a saved image.
exec tar --create --format posix --sort name --numeric-owner --xattrs "$(mark opaque)" "$(mark redirect)" "$(mark metacopy)" -- "$@"
"#;

/// The most that reading may take, milliseconds of a quiet machine.
const READ_MS: u64 = 120_000;

/// Reads layers by their digests. `None` where it cannot be done in this way.
pub async fn read(
    probe: &Probe,
    folders: &Folders,
    digests: &[&String],
    needles: &[Needle],
) -> Option<BTreeMap<String, LayerScan>> {
    let places: Vec<(String, String)> =
        digests.iter().map(|digest| Some((folders.get(*digest)?.clone(), (*digest).clone()))).collect::<Option<_>>()?;
    let arguments: Vec<String> = places.iter().map(|(folder, _)| folder.clone()).collect();
    let (output, ended) = probe.helper().stream(SCRIPT, &arguments, READ_MS).await.ok()?;
    let bridge = SyncIoBridge::new(StreamReader::new(output));
    let needles = needles.to_vec();
    let read = tokio::task::spawn_blocking(move || archive(bridge, &places, &needles)).await.ok()?.ok()??;
    ended.await.is_ok_and(|code| code == 0).then_some(read)
}

/// Reads an archive of several folders, each with the digest of its layer. `None`: it has a marker that is not known.
fn archive(
    archive: impl Read,
    places: &[(String, String)],
    needles: &[Needle],
) -> std::io::Result<Option<BTreeMap<String, LayerScan>>> {
    let mut scans: BTreeMap<String, LayerScan> = BTreeMap::new();
    for (_, digest) in places {
        scans.entry(digest.clone()).or_default().files.digest.clone_from(digest);
    }
    let inside = |path: &str| {
        let (folder, digest) = places.iter().find(|(folder, _)| {
            path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })?;
        Some((digest, normal(&path[folder.len()..])))
    };
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let Some((digest, path)) = inside(&normal(&entry.path()?.display().to_string())) else { return Ok(None) };
        let Some(opaque) = overlay_marks(&mut entry)? else { return Ok(None) };
        let header = entry.header();
        let is_hidden = header.entry_type() == tar::EntryType::Char
            && header.device_major()? == Some(0)
            && header.device_minor()? == Some(0);
        let kind = match kind(&entry)? {
            _ if is_hidden => Entry::Whiteout,
            Entry::HardLink(to) => match inside(&to) {
                Some((_, to)) => Entry::HardLink(to),
                None => return Ok(None),
            },
            kind => kind,
        };
        let (uid, gid, mode) = (header.uid().unwrap_or(0), header.gid().unwrap_or(0), header.mode()? & 0o7777);
        let file = LayerFile { path, kind, bytes: entry.size(), uid, gid, mode, changed: header.mtime().unwrap_or(0) };
        let Some(scan) = scans.get_mut(digest) else { return Ok(None) };
        if opaque {
            let mark = LayerFile { kind: Entry::Opaque, bytes: 0, changed: 0, ..file.clone() };
            scan.add(mark, &mut std::io::empty(), needles)?;
        }
        scan.add(file, &mut entry, needles)?;
    }
    Ok(Some(scans))
}

/// Whether an entry hides what lower layers have below it; `None` where the driver has left something else to read.
fn overlay_marks(entry: &mut tar::Entry<'_, impl Read>) -> std::io::Result<Option<bool>> {
    let mut opaque = false;
    for extension in entry.pax_extensions()?.into_iter().flatten() {
        let extension = extension?;
        match extension.key().unwrap_or_default().strip_prefix("SCHILY.xattr.trusted.overlay.") {
            Some("opaque") => opaque = extension.value_bytes() == b"y",
            Some("redirect" | "metacopy") => return Ok(None),
            _ => {}
        }
    }
    Ok(Some(opaque))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_paired_from_below_and_a_number_that_differs_is_not_known() {
        let layers = ["sha256:a", "sha256:b", "sha256:c"].map(str::to_owned);
        let lower = "/var/lib/docker/overlay2/2/diff:/var/lib/docker/overlay2/1/diff".to_owned();
        let all = paired(&layers, "/var/lib/docker/overlay2/3/diff", Some(&lower)).expect("folders");
        let shown: Vec<&str> = all.values().map(|folder| &folder["var/lib/docker/overlay2/".len()..]).collect();
        assert_eq!(shown, ["1/diff", "2/diff", "3/diff"]);
        assert_eq!(paired(&layers[..2], "/var/lib/docker/overlay2/3/diff", Some(&lower)), None);
        assert!(paired(&layers[..1], "/var/lib/docker/overlay2/3/diff", None).is_some());
        assert_eq!(paired(&layers[..1], "/var/lib/docker/overlay2/../diff", None), None);
    }

    fn header(kind: tar::EntryType) -> tar::Header {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(0);
        header
    }

    #[test]
    fn marks_of_the_driver_are_read_and_one_that_is_not_known_ends_it() {
        let read = |mark: &str, value: &[u8]| {
            let mut tar = tar::Builder::new(Vec::new());
            tar.append_pax_extensions([(mark, value)]).expect("extension");
            tar.append_data(&mut header(tar::EntryType::Directory), "x/diff/app/", std::io::empty()).expect("entry");
            let mut gone = header(tar::EntryType::Char);
            gone.set_device_major(0).expect("major");
            gone.set_device_minor(0).expect("minor");
            tar.append_data(&mut gone, "x/diff/app/.env", std::io::empty()).expect("entry");
            let places = [("x/diff".to_owned(), "sha256:a".to_owned())];
            let data = tar.into_inner().expect("archive");
            archive(data.as_slice(), &places, &[]).expect("read")
        };
        let scans = read("SCHILY.xattr.trusted.overlay.opaque", b"y").expect("known");
        let files = &scans["sha256:a"].files.files;
        let shown: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.kind.clone())).collect();
        assert_eq!(shown, [("app", Entry::Opaque), ("app", Entry::Folder), ("app/.env", Entry::Whiteout)]);
        assert_eq!(read("SCHILY.xattr.trusted.overlay.redirect", b"/a"), None);
    }
}
