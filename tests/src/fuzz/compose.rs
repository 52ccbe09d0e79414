//! Compose files, beside Compose itself: what it reads out of a submission, and out of the texts that the gate hands
//! to it, is the same.
//!
//! Changes are small, unlike those of the other targets: each input costs two runs of Compose, and most large ones
//! would only show that both complain.

mod oracle;

pub use oracle::{Treated, look};

/// What is put into files: what YAML and Compose have special readings for.
const PIECES: [&str; 24] = [
    " ", "\t", "#", ": ", "- ", "'", "\"", "&x ", "*x", "<<: ", "!reset ", "!!str ", "~", "yes", "0x1", "|\n", ">-\n",
    "{", "}", "[", "]", ",", "$A", "${B:-c}",
];

/// Compose files with their further files, as the oracle reads them.
#[must_use]
pub fn seeds() -> Vec<String> {
    super::seeds("compose").into_iter().map(|seed| String::from_utf8(seed).expect("a seed is text")).collect()
}

/// Numbers that look random and are the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most.max(1)).expect("small")).expect("small")
    }
}

/// One to three small changes: a piece put in, a character or a line taken out, a line said twice,
/// moved, or indented otherwise.
fn changed(seed: &str, numbers: &mut Numbers) -> String {
    let mut lines: Vec<String> = seed.lines().map(str::to_owned).collect();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(lines.len());
        let Some(line) = lines.get(at).cloned() else { break };
        let places: Vec<usize> = line.char_indices().map(|(place, _)| place).chain([line.len()]).collect();
        let place = places[numbers.below(places.len())];
        match numbers.below(6) {
            0 => lines[at].insert_str(place, PIECES[numbers.below(PIECES.len())]),
            1 if place < line.len() => drop(lines[at].remove(place)),
            2 => drop(lines.remove(at)),
            3 => lines.insert(numbers.below(lines.len()), line),
            4 => lines[at] = format!("  {line}"),
            _ => line.strip_prefix("  ").unwrap_or(&line).clone_into(&mut lines[at]),
        }
    }
    lines.join("\n") + "\n"
}

/// Looks at `count` inputs that are made from the seeds by `number`; gives what differs, with the input.
#[must_use]
pub fn go(number: u64, count: u64) -> Vec<String> {
    let mut numbers = Numbers(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let seeds = seeds();
    let inputs = seeds.iter().cycle().take(usize::try_from(count).expect("a count"));
    let looked = inputs.filter_map(|seed| {
        let input = changed(seed, &mut numbers);
        look(&input).err().map(|difference| format!("{difference}\n---\n{input}"))
    });
    looked.collect()
}
