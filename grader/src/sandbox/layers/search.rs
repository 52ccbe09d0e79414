//! Values in what a layer's files hold.
//!
//! Owns: searching streams, and unpacking what gzip has compressed, within bounds. Must not: know layers or archives.

use std::io::{BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use memchr::memmem;

use super::{GZIP, LayerScan, Needle};

/// The most of a compressed file that is unpacked, bytes.
const MOST_PACKED: u64 = 16_000_000;
/// The most that all compressed files of a layer are unpacked to, bytes.
const MOST_UNPACKED: u64 = 256_000_000;

impl LayerScan {
    /// Looks for needles in what a file holds, and, where it is compressed by gzip, in what it unpacks to.
    pub(super) fn search_unpacked(
        &mut self,
        content: &mut impl Read,
        needles: &[Needle],
    ) -> std::io::Result<Vec<String>> {
        let mut content = BufReader::new(content);
        if needles.is_empty() || !content.fill_buf()?.starts_with(&GZIP) {
            return search(&mut content, needles);
        }
        let mut packed = Vec::new();
        (&mut content).take(MOST_PACKED).read_to_end(&mut packed)?;
        let mut unpacked = MultiGzDecoder::new(packed.as_slice()).take(MOST_UNPACKED.saturating_sub(self.unpacked));
        // What is cut off or broken was searched as far as it goes.
        let mut keys = Vec::new();
        let _ = search_into(&mut unpacked, needles, &mut keys);
        self.unpacked += MOST_UNPACKED.saturating_sub(self.unpacked) - unpacked.limit();
        keys.extend(search(&mut packed.as_slice().chain(content), needles)?);
        keys.sort();
        Ok(keys)
    }
}

/// The keys of the needles that occur, read in pieces that overlap by the longest needle.
pub(super) fn search(file: &mut impl Read, needles: &[Needle]) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    search_into(file, needles, &mut found).map(|()| found)
}

/// The same; what was found before a reading failed is kept.
fn search_into(file: &mut impl Read, needles: &[Needle], found: &mut Vec<String>) -> std::io::Result<()> {
    let longest = needles.iter().map(|needle| needle.value.len()).max().unwrap_or(0);
    if longest == 0 {
        return Ok(());
    }
    let mut window = vec![0_u8; 64 * 1024 + longest];
    let mut kept = 0;
    loop {
        let read = file.read(&mut window[kept..])?;
        if read == 0 {
            return Ok(());
        }
        let filled = kept + read;
        for needle in needles.iter().filter(|needle| !needle.value.is_empty()) {
            if !found.contains(&needle.key) && memmem::find(&window[..filled], needle.value.as_bytes()).is_some() {
                found.push(needle.key.clone());
            }
        }
        kept = filled.min(longest - 1);
        window.copy_within(filled - kept..filled, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::needle;
    use super::*;

    #[test]
    fn a_value_across_the_border_of_two_pieces_is_found() {
        let mut text = vec![b'x'; 64 * 1024 - 3];
        text.extend_from_slice(b"secret-value");
        assert_eq!(search(&mut text.as_slice(), &needle("secret-value")).expect("read"), ["KEY"]);
        assert!(search(&mut text.as_slice(), &needle("secret-valuf")).expect("read").is_empty());
    }

    #[test]
    fn what_gzip_has_compressed_is_searched_as_it_unpacks() {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&[vec![b'x'; 100_000], b"secret-value".to_vec()].concat()).expect("packed");
        let packed = packed.finish().expect("packed");
        let found = |bytes: &[u8]| {
            let mut scan = LayerScan::default();
            let keys = scan.search_unpacked(&mut &*bytes, &needle("secret-value")).expect("read");
            (keys, scan.unpacked)
        };
        assert_eq!(found(&packed), (vec!["KEY".to_owned()], 100_012));
        assert_eq!(found(&packed[..packed.len() / 2]).0, Vec::<String>::new());
        let behind = [packed[..40].to_vec(), b"secret-value".to_vec()].concat();
        assert_eq!(found(&behind).0, ["KEY"], "what stands behind it as it is");
    }
}
