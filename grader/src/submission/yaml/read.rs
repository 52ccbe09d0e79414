//! From a file's text to its tree.
//!
//! Owns: what YAML may say in a Compose file: documents, keys that are texts and stand there once,
//! merge keys (resolved here, as Compose resolves them), the tags `!reset` and `!override`. Must not:
//! go on where Compose might read something else.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use libyaml_safer::{Event, EventData, MappingStyle, Parser, ScalarStyle, SequenceStyle};

use super::characters::unseen;
use super::{Data, Entry, Mistake, Node, Scalar, TOO_MUCH};

const NOT_YAML: &str =
    "Compose cannot read the file. Indentation is by spaces, and each key needs a colon and a value.";
const TAGS: &str =
    "Compose gives a meaning to `!reset` and `!override`; nothing else that begins with `!` is needed. Leave it out.";
const KEYS: &str = "A key is one word or text. Write it out, followed by a colon.";
const TWICE: &str = "Only one of them could count. Keep one, and move into it what belongs to both.";
const MERGE: &str = "`<<:` takes an alias of a mapping (`<<: *name`), or a list of them.";
const QUESTION: &str = "Compose takes it for the beginning of a key. Put the whole text into quotes.";
/// Lists and mappings within each other.
const MOST_LEVELS: usize = 50;
/// What the scanner may find in a file: keys, values, and where lists and mappings begin and end.
const MOST_EVENTS: usize = 20_000;
/// Entries that merge keys may bring in, all together.
const MOST_MERGED: usize = 20_000;

/// Reads a file's documents, which Compose merges like files of their own: none when it says nothing.
pub fn read(text: &str) -> Result<Vec<Rc<Node>>, Mistake> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(mistake) = unseen(text) {
        return Err(mistake);
    }
    // The scanner needs a line's end behind a block of text (`|`, `>`).
    let ended = if text.ends_with(['\n', '\r']) { text.to_owned() } else { format!("{text}\n") };
    let is_cut = ended.len() > text.len() && text.lines().last().is_some_and(|line| !line.trim().is_empty());
    let mut bytes = ended.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    let mut tree = Tree { cut: is_cut.then_some(text.len()), ..Tree::default() };
    loop {
        let event = parser.parse().map_err(|error| {
            let line = error.problem_mark().map_or(1, |mark| at(mark.line)).min(text.lines().count().max(1));
            let context = error.context().map(|context| format!(" ({context})")).unwrap_or_default();
            Mistake::new(line, format!("is not valid YAML: {}{context}", error.problem()), NOT_YAML)
        })?;
        if matches!(event.data, EventData::StreamEnd) {
            return Ok(tree.documents);
        }
        tree.read_alike(&event, text)?;
        tree.take(event)?;
    }
}

/// The line, from 1, of a mark that counts from 0.
fn at(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX - 1) + 1
}

/// A list or mapping that is not complete yet.
struct Open {
    line: usize,
    tag: Option<&'static str>,
    anchor: Option<String>,
    data: Data,
    /// The key whose value comes next.
    key: Option<(Scalar, usize)>,
    /// Whether it is written in brackets.
    flow: bool,
}

#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    anchors: HashMap<String, Rc<Node>>,
    documents: Vec<Rc<Node>>,
    merged: usize,
    events: usize,
    /// The bytes of a file whose last line has no end: a block of text that reaches it has none either.
    cut: Option<usize>,
}

impl Tree {
    fn take(&mut self, event: Event) -> Result<(), Mistake> {
        let line = at(event.start_mark.line);
        self.events += 1;
        if self.events > MOST_EVENTS {
            return Err(Mistake::new(line, "holds more than 20,000 keys and values", TOO_MUCH));
        }
        match event.data {
            // An anchor is of its document.
            EventData::DocumentStart { .. } => {
                self.anchors.clear();
                Ok(())
            }
            EventData::Scalar { anchor, tag, mut value, style, .. } => {
                let is_text = tag.as_deref() == Some("tag:yaml.org,2002:str");
                let plain = style == ScalarStyle::Plain && !is_text;
                let tag = if is_text { None } else { known(tag, line)? };
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if is_block && self.cut.is_some_and(|end| event.end_mark.index >= end as u64) && value.ends_with('\n') {
                    value.pop();
                }
                let data = Data::Scalar(Scalar { text: value, plain });
                self.place(Rc::new(Node { line, tag, data, levels: 0 }), anchor, line, false)
            }
            EventData::Alias { anchor } => {
                let why = "An alias (`*name`) stands behind the anchor (`&name`) that it repeats, and not within it.";
                let missing =
                    || Mistake::new(line, format!("has the alias `*{anchor}` without an anchor before it"), why);
                // Shared and not copied: thousands of aliases of a large mapping cost nothing here.
                let node = self.anchors.get(&anchor).ok_or_else(missing)?;
                self.place(Rc::clone(node), None, line, true)
            }
            EventData::SequenceStart { anchor, tag, style, .. } => {
                self.open(line, tag, anchor, (Data::List(Vec::new()), style == SequenceStyle::Flow))
            }
            EventData::MappingStart { anchor, tag, style, .. } => {
                self.open(line, tag, anchor, (Data::Map(Vec::new()), style == MappingStyle::Flow))
            }
            EventData::SequenceEnd | EventData::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    /// In brackets, a question mark before a blank begins a key for Compose's reader (go-yaml), wherever it stands
    /// in a text without quotes, and belongs to that text for this one.
    fn read_alike(&self, event: &Event, text: &str) -> Result<(), Mistake> {
        let EventData::Scalar { value, style: ScalarStyle::Plain, .. } = &event.data else { return Ok(()) };
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let behind = || {
            let line = text.lines().nth(place(event.end_mark.line)).unwrap_or_default();
            line.chars().nth(place(event.end_mark.column)).is_none_or(char::is_whitespace)
        };
        let is_in_brackets = self.open.last().is_some_and(|open| open.flow);
        if is_in_brackets && (value.contains("? ") || (value.ends_with('?') && behind())) {
            let what = "has a question mark before a blank in brackets, without quotes";
            return Err(Mistake::new(at(event.start_mark.line), what, QUESTION));
        }
        Ok(())
    }

    fn open(
        &mut self,
        line: usize,
        tag: Option<String>,
        anchor: Option<String>,
        (data, flow): (Data, bool),
    ) -> Result<(), Mistake> {
        if self.open.last().is_some_and(|open| matches!(open.data, Data::Map(_)) && open.key.is_none()) {
            return Err(Mistake::new(line, "has a list or a mapping in the place of a key", KEYS));
        }
        if self.open.len() >= MOST_LEVELS {
            return Err(too_deep(line));
        }
        let tag = known(tag, line)?;
        self.open.push(Open { line, tag, anchor, data, key: None, flow });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Mistake> {
        let Some(Open { line, tag, anchor, data, .. }) = self.open.pop() else { return Ok(()) };
        let data = match data {
            Data::Map(entries) => Data::Map(self.resolved(entries)?),
            other => other,
        };
        let deepest = match &data {
            Data::Scalar(_) => 0,
            Data::List(items) => items.iter().map(|item| item.levels).max().unwrap_or(0),
            Data::Map(entries) => entries.iter().map(|entry| entry.value.levels).max().unwrap_or(0),
        };
        // Aliases of aliases lie within each other, too, and what is that deep cannot even be dropped.
        if deepest >= MOST_LEVELS {
            return Err(too_deep(line));
        }
        self.place(Rc::new(Node { line, tag, data, levels: deepest + 1 }), anchor, line, false)
    }

    /// Puts a complete node where it belongs. `at` is the line of what stands there.
    fn place(&mut self, node: Rc<Node>, anchor: Option<String>, at: usize, is_alias: bool) -> Result<(), Mistake> {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open { data: Data::List(items), .. }) => items.push(node),
            Some(Open { data: Data::Map(entries), key, .. }) => match key.take() {
                Some((key, line)) => entries.push(Entry { key, line, value: node }),
                None => match &node.data {
                    Data::Scalar(scalar) if !is_alias && node.tag.is_none() => *key = Some((scalar.clone(), node.line)),
                    _ => return Err(Mistake::new(at, "has a tag or an alias in the place of a key", KEYS)),
                },
            },
            Some(_) => {}
        }
        Ok(())
    }

    /// A mapping's entries with those that its merge key brings in behind them. Its own count before
    /// merged ones, and of several mappings the first that has a key.
    fn resolved(&mut self, entries: Vec<Entry>) -> Result<Vec<Entry>, Mistake> {
        let mut lines: HashMap<&str, usize> = HashMap::new();
        for entry in &entries {
            if let Some(first) = lines.insert(&entry.key.text, entry.line) {
                let what =
                    format!("has the key `{}` twice in one place, in lines {first} and {}", entry.key.text, entry.line);
                return Err(Mistake::new(entry.line, what, TWICE));
            }
        }
        let (merges, mut own): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|entry| entry.key.plain && entry.key.text == "<<");
        let Some(Entry { line, value, .. }) = merges.into_iter().next() else { return Ok(own) };
        let sources: Vec<&Node> = match &value.data {
            Data::List(items) => items.iter().map(Rc::as_ref).collect(),
            _ => vec![&value],
        };
        let mut known: HashSet<String> = own.iter().map(|entry| entry.key.text.clone()).collect();
        for source in sources {
            if !matches!(source.data, Data::Map(_)) || source.tag.is_some() || value.tag.is_some() {
                return Err(Mistake::new(line, "merges something that is no mapping", MERGE));
            }
            self.merged += source.entries().len();
            if self.merged > MOST_MERGED {
                return Err(Mistake::new(line, format!("merges more than {MOST_MERGED} keys"), TOO_MUCH));
            }
            own.extend(source.entries().iter().filter(|entry| known.insert(entry.key.text.clone())).cloned());
        }
        Ok(own)
    }
}

fn too_deep(line: usize) -> Mistake {
    Mistake::new(line, format!("has more than {MOST_LEVELS} levels within each other"), TOO_MUCH)
}

/// A tag that Compose gives a meaning to.
fn known(tag: Option<String>, line: usize) -> Result<Option<&'static str>, Mistake> {
    match tag.as_deref() {
        None => Ok(None),
        Some("!reset") => Ok(Some("!reset")),
        Some("!override") => Ok(Some("!override")),
        Some(tag) => {
            let shown = tag.replace("tag:yaml.org,2002:", "!!");
            Err(Mistake::new(line, format!("has the tag `{shown}`"), TAGS))
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
