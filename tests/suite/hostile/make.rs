//! Files that git cannot hold: pipes, sockets, devices, odd names, large and deep things.
//!
//! Owns: the actions of `hostile.toml`. Must not: know what they are for.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// One action, in the submission's folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Action {
    /// A symbolic link; `{{dir}}` stands for the submission's folder.
    Link { link: String, to: String },
    /// A file of zeros that takes no room on disk.
    File { file: String, bytes: u64 },
    /// A file whose name is given in hexadecimal.
    BytesName { bytes_name: String, bytes: u64 },
    /// A named pipe.
    Fifo { fifo: String },
    /// A socket that nobody listens to any more.
    Socket { socket: String },
    /// A device like /dev/zero.
    Device { device: String },
    /// A folder, in the place of whatever is there.
    Folder { folder: String },
    /// A folder with this many empty files.
    Files { files: String, count: usize },
    /// This many folders in each other.
    Deep { deep: String, levels: usize },
    /// Takes something away.
    Remove { remove: String },
}

impl Action {
    /// Carries it out.
    pub fn act(&self, dir: &Path) {
        match self {
            Self::Link { link, to } => {
                let at = free(dir, link.as_ref());
                symlink(to.replace("{{dir}}", &dir.display().to_string()), at).expect("link");
            }
            Self::File { file, bytes } => sparse(&free(dir, file.as_ref()), *bytes),
            Self::BytesName { bytes_name, bytes } => {
                let pairs = bytes_name.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hex"));
                let name: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect();
                sparse(&dir.join(OsStr::from_bytes(&name)), *bytes);
            }
            Self::Fifo { fifo } => run(Command::new("mkfifo").arg(free(dir, fifo.as_ref()))),
            Self::Socket { socket } => drop(UnixListener::bind(free(dir, socket.as_ref())).expect("socket")),
            Self::Device { device } => run(Command::new("mknod").arg(free(dir, device.as_ref())).args(["c", "1", "5"])),
            Self::Folder { folder } => fs::create_dir(free(dir, folder.as_ref())).expect("folder"),
            Self::Files { files, count } => {
                fs::create_dir(dir.join(files)).expect("folder");
                (0..*count).for_each(|number| sparse(&dir.join(files).join(number.to_string()), 0));
            }
            Self::Deep { deep, levels } => {
                let path = vec![deep.as_str(); *levels].join("/");
                run(Command::new("mkdir").args(["-p", &path]).current_dir(dir));
            }
            Self::Remove { remove } => drop(free(dir, remove.as_ref())),
        }
    }
}

/// The path, with what was there taken away and the folders above it made.
fn free(dir: &Path, name: &Path) -> std::path::PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
    if path.is_dir() {
        fs::remove_dir_all(&path).expect("remove");
    } else {
        let _ = fs::remove_file(&path);
    }
    path
}

fn sparse(path: &Path, bytes: u64) {
    fs::File::create(path).and_then(|file| file.set_len(bytes)).expect("file");
}

fn run(command: &mut Command) {
    assert!(command.status().expect("it starts").success(), "{command:?} (the corpus needs root)");
}
