//! Reading files that somebody else may have put there.
//!
//! Owns: opening plain files only (no link is followed, no pipe is waited for), and reading no more than is wanted. Must
//! not: know what files mean.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use sha2::{Digest, Sha256};

/// How much is read at once, bytes.
const PIECE_BYTES: usize = 64 << 10;

/// The content of a plain file that has at most so many bytes (else `FileTooLarge`).
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // It may grow while it is read.
    open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// How many bytes a plain file has, and their SHA-256; `FileTooLarge` where they are more than these.
pub fn digest(path: &Path, most: u64) -> io::Result<(u64, [u8; 32])> {
    let mut file = open(path)?.take(most.saturating_add(1));
    let (mut all, mut length, mut piece) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => {
                all.update(&piece[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if length > most { Err(ErrorKind::FileTooLarge.into()) } else { Ok((length, all.finalize().into())) }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(ErrorKind::InvalidData.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_files_are_read_up_to_the_bound_and_nothing_else_is() {
        let dir = tempfile::tempdir().expect("folder");
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a"), "abc").expect("write");
        assert_eq!(read(&at("a"), 3).expect("read"), b"abc");
        let (length, digest_of) = digest(&at("a"), 3).expect("read");
        assert_eq!((length, digest_of.to_vec()), (3, Sha256::digest(b"abc").to_vec()));
        let too_large = |error: io::Error| error.kind() == ErrorKind::FileTooLarge;
        assert!(read(&at("a"), 2).is_err_and(too_large) && digest(&at("a"), 2).is_err_and(too_large));
        std::os::unix::fs::symlink("a", at("link")).expect("link");
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), Mode::RWXU).expect("pipe");
        for other in ["link", "pipe", ".", "none"] {
            assert!(read(&at(other), 3).is_err() && digest(&at(other), 3).is_err(), "{other}");
        }
        // Has no length, and never ends.
        assert!(read(Path::new("/dev/zero"), 3).is_err());
    }
}
