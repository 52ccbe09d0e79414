//! Makes new inputs out of old ones.
//!
//! Owns: choosing what is changed, always the same for the same number. Must not: know a target.

/// Inputs longer than this are cut: small ones are read more easily when something does not hold.
const MOST_BYTES: usize = 1_500;

/// An endless row of inputs.
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    pieces: &'static [&'static str],
    given: usize,
    state: u64,
}

impl Mutator {
    /// Begins with the seeds themselves.
    pub fn new(seeds: Vec<Vec<u8>>, pieces: &'static [&'static str], number: u64) -> Self {
        // No number may be 0 in what follows; neighbours must not begin alike.
        Self { seeds, pieces, given: 0, state: number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// The next one.
    pub fn next_input(&mut self) -> Vec<u8> {
        if let Some(seed) = self.seeds.get(self.given) {
            self.given += 1;
            return seed.clone();
        }
        let mut input = if self.below(6) == 0 { self.of_pieces() } else { self.of_a_seed() };
        for _ in 0..=self.below(5) {
            self.change(&mut input);
        }
        input
    }

    fn of_pieces(&mut self) -> Vec<u8> {
        let count = 1 + self.below(14);
        (0..count).flat_map(|_| self.piece().as_bytes()).copied().collect()
    }

    fn of_a_seed(&mut self) -> Vec<u8> {
        let seed = self.below(self.seeds.len());
        let seed = self.seeds.get(seed).cloned().unwrap_or_default();
        let start = if seed.len() > MOST_BYTES { self.below(seed.len() - MOST_BYTES) } else { 0 };
        seed.into_iter().skip(start).take(MOST_BYTES).collect()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(8) {
            0..4 => {
                let piece = self.piece();
                input.splice(at..at, piece.bytes());
            }
            4 | 5 => {
                let end = (at + 1 + self.below(6)).min(input.len());
                input.drain(at.min(end)..end);
            }
            6 => {
                let mut lines: Vec<Vec<u8>> =
                    input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                if !lines.is_empty() {
                    let (from, to) = (self.below(lines.len()), self.below(lines.len()));
                    if self.below(2) == 0 {
                        lines.swap(from, to);
                    } else {
                        lines.insert(to, lines[from].clone());
                    }
                    *input = lines.concat();
                }
            }
            _ => {
                let byte = u8::try_from(self.below(256)).unwrap_or_default();
                if let Some(there) = input.get_mut(at) {
                    *there = byte;
                }
            }
        }
    }

    fn piece(&mut self) -> &'static str {
        let at = self.below(self.pieces.len());
        self.pieces.get(at).copied().unwrap_or_default()
    }

    /// A number below `end`; 0 for 0. (Marsaglia's xorshift; chance only has to be the same each time.)
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % (end.max(1) as u64)).unwrap_or_default()
    }
}
