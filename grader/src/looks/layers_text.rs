//! The layers of images in a terminal.
//!
//! Owns: bars, columns and widths. Must not: compute sizes. Colour only repeats what a sign says.

use std::io::{self, Write};

use super::layers::{Folder, ImageLayers, Layer, Layers};
use super::{begin, end};
use crate::report::terminal::{FAINT, ODD, STRONG, write_trouble};
use crate::verdict::bytes;

/// Columns of the widest bar.
const BAR: usize = 24;
/// The indentation of what belongs to a layer.
const INDENT: &str = "      ";

impl Layers {
    /// Writes all images. Layers of the base are one line, unless `base` asks for them.
    pub fn write(&self, base: bool, columns: usize, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n{STRONG}{}  {}{STRONG:#}", self.lesson, self.title)?;
        for image in &self.images {
            writeln!(out)?;
            write_image(image, base, columns, out)?;
        }
        for trouble in &self.troubles {
            writeln!(out)?;
            write_trouble(&trouble.message, trouble.at.as_ref(), &trouble.log, out)?;
        }
        Ok(())
    }
}

fn write_image(image: &ImageLayers, base: bool, columns: usize, out: &mut dyn Write) -> io::Result<()> {
    let stands =
        image.base.as_deref().map_or_else(|| "on no base image of the course".to_owned(), |on| format!("on {on}"));
    writeln!(out, "{STRONG}{}{STRONG:#}  {stands}; the lowest layer first", image.name)?;
    writeln!(out, "{INDENT}█ stays   ░ wasted: a later layer overwrites or deletes it\n")?;
    let folded = image.base_layers().count();
    if folded > 0 && !base {
        let numbers = if folded == 1 { "1".to_owned() } else { format!("1-{folded}") };
        let more = if folded == 1 { "1 layer" } else { &format!("{folded} layers") };
        writeln!(
            out,
            "{numbers:>4}  the base image: {}, {more} {FAINT}(--base shows them){FAINT:#}",
            bytes(image.base_bytes())
        )?;
    }
    let shown: Vec<&Layer> = image.layers.iter().filter(|layer| base || !layer.of_base).collect();
    let widest = shown.iter().flat_map(|layer| &layer.largest).map(|one| one.bytes).max().unwrap_or(0);
    for layer in shown {
        write_layer(layer, widest, columns, out)?;
    }
    let wasted = bytes(image.wasted_bytes);
    let style = if image.wasted_bytes > 0 { ODD } else { STRONG };
    writeln!(
        out,
        "\n{INDENT}total {STRONG}{}{STRONG:#}   added over the base {STRONG}{}{STRONG:#}   wasted of that {style}{wasted}{style:#}",
        bytes(image.total_bytes),
        bytes(image.added_bytes),
    )
}

fn write_layer(layer: &Layer, widest: u64, columns: usize, out: &mut dyn Write) -> io::Result<()> {
    let place = layer.at.as_ref().map(|at| format!("{}:{}", at.file, at.line)).unwrap_or_default();
    let instruction = match layer.instruction.as_str() {
        "" => "(its history does not say what made it)".to_owned(),
        text => text.to_owned(),
    };
    // The place stands beside the first line, if there is room for it.
    let room = columns.saturating_sub(INDENT.len() + place.chars().count() + 2).max(20);
    let lines = super::lines(&instruction, room);
    for (index, line) in lines.iter().enumerate() {
        if index == 0 {
            let gap = " ".repeat(room.saturating_sub(line.chars().count()) + 2);
            let text = format!("{:>4}  {STRONG}{line}{STRONG:#}{gap}{FAINT}{place}{FAINT:#}", layer.number);
            writeln!(out, "{}", text.trim_end())?;
        } else if index == MOST_LINES {
            writeln!(out, "{INDENT}…")?;
            break;
        } else {
            writeln!(out, "{INDENT}{STRONG}{line}{STRONG:#}")?;
        }
    }
    let size = bytes(layer.bytes);
    let fates = layer.fates();
    if fates.is_empty() {
        writeln!(out, "{INDENT}{size}")?;
    } else {
        let told: Vec<String> = match fates.as_slice() {
            [(_, only)] => vec![format!("{only} it")],
            all => all.iter().map(|(amount, fate)| format!("{fate} {}", bytes(*amount))).collect(),
        };
        let text = format!("{size}, of which {} wasted: {}", bytes(layer.wasted_bytes), told.join(", "));
        for line in super::lines(&text, columns.saturating_sub(INDENT.len())) {
            writeln!(out, "{INDENT}{ODD}{line}{ODD:#}")?;
        }
    }
    for folder in &layer.largest {
        let room = columns.saturating_sub(INDENT.len() + BAR + 2 + 8 + 2).max(12);
        let bar = bar(folder, widest);
        let gap = " ".repeat(BAR - bar.chars().count());
        writeln!(out, "{INDENT}{bar}{gap}  {:>8}  {}", bytes(folder.bytes), end(&folder.path, room))?;
    }
    Ok(())
}

/// The most lines of one instruction.
const MOST_LINES: usize = 4;

/// A bar as long as the path is large, with its wasted part at the end.
fn bar(folder: &Folder, widest: u64) -> String {
    let cells =
        |part: u64| usize::try_from((part * BAR as u64 + widest / 2).checked_div(widest).unwrap_or(0)).unwrap_or(BAR);
    let all = cells(folder.bytes);
    if all == 0 {
        return begin(if folder.wasted_bytes == folder.bytes { "░" } else { "▏" }, 1);
    }
    let wasted = if folder.wasted_bytes == folder.bytes { all } else { cells(folder.wasted_bytes).min(all) };
    format!("{}{}", "█".repeat(all - wasted), "░".repeat(wasted))
}

#[cfg(test)]
mod tests {
    use super::super::layers::samples::image;
    use super::*;

    fn written(base: bool, columns: usize) -> String {
        let layers = Layers {
            schema: "",
            lesson: "lesson36".into(),
            title: "T".into(),
            images: vec![image()],
            troubles: Vec::new(),
        };
        let mut out = Vec::new();
        layers.write(base, columns, &mut out).expect("write");
        anstream::adapter::strip_str(&String::from_utf8(out).expect("text")).to_string()
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        for columns in [80, 120] {
            for line in written(true, columns).lines() {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn the_base_is_one_line_unless_it_is_asked_for() {
        let folded = written(false, 80);
        assert!(
            folded.contains("   1  the base image: 100.0 MB, 1 layer") && !folded.contains("/usr/bin/node"),
            "{folded}"
        );
        assert!(written(true, 80).contains("/usr/bin/node"));
    }

    #[test]
    fn bars_have_the_length_of_their_share_and_waste_has_a_sign_of_its_own() {
        let folder = |bytes, wasted_bytes| Folder { path: String::new(), bytes, wasted_bytes };
        assert_eq!(bar(&folder(240, 0), 240), "█".repeat(24));
        assert_eq!(bar(&folder(120, 60), 240), format!("{}{}", "█".repeat(6), "░".repeat(6)));
        assert_eq!(bar(&folder(120, 120), 240), "░".repeat(12));
        assert_eq!((bar(&folder(1, 0), 240), bar(&folder(1, 1), 240)), ("▏".into(), "░".into()));
    }

    #[test]
    fn a_layer_says_who_wastes_it() {
        let text = written(false, 80);
        assert!(text.contains("4.0 MB, of which 3.0 MB wasted: layer 3 deletes it"), "{text}");
        assert!(text.contains("total 104.0 MB   added over the base 4.0 MB   wasted of that 3.0 MB"), "{text}");
    }
}
