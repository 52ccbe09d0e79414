//! Compose and the gate read the same files alike: seeds (`fuzz/seeds/compose`), and small changes to them.
//!
//! `COMPOSE_INPUTS=2000 COMPOSE_NUMBER=7 cargo test --release -p tests --test suite -- compose_reader` tries
//! more of them, and others.

mod oracle;

use std::path::Path;

use oracle::{Treated, look};

/// Changed seeds that are looked at. Each costs two runs of Compose.
const CHANGED: u64 = 40;

/// What is put into files: what YAML and Compose have special readings for.
const PIECES: [&str; 24] = [
    " ", "\t", "#", ": ", "- ", "'", "\"", "&x ", "*x", "<<: ", "!reset ", "!!str ", "~", "yes", "0x1", "|\n", ">-\n",
    "{", "}", "[", "]", ",", "$A", "${B:-c}",
];

fn seeds() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/compose");
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("the seeds").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a seed")).collect()
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
            _ => lines[at] = line.strip_prefix("  ").unwrap_or(&line).to_owned(),
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn compose_reads_the_same_out_of_each_seed_and_out_of_what_it_is_given() {
    for seed in seeds() {
        assert_eq!(look(&seed), Ok(Treated::Same), "{seed}");
    }
}

#[test]
fn what_small_changes_do_to_a_file_they_do_to_what_compose_is_given() {
    let asked = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = asked("COMPOSE_INPUTS").unwrap_or(CHANGED);
    let mut numbers = Numbers(asked("COMPOSE_NUMBER").unwrap_or(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let seeds = seeds();
    let mut wrong = Vec::new();
    for seed in seeds.iter().cycle().take(usize::try_from(count).expect("a count")) {
        let input = changed(seed, &mut numbers);
        if let Err(difference) = look(&input) {
            wrong.push(format!("{difference}\n---\n{input}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n=====\n"));
}
