//! The layers of images as stacks of boxes, the lowest at the bottom.
//!
//! Owns: where boxes and bars stand. Must not: compute sizes.

use super::{MARGIN, Picture, WIDTH, fits};
use crate::looks::layers::{ImageLayers, Layer, Layers};
use crate::looks::{begin, tame};
use crate::verdict::bytes;

/// The space between a box's edge and its text.
const PAD: usize = 14;
/// From box to box.
const GAP: usize = 6;
/// The height of a layer with a bar, and of one without.
const HEIGHTS: (usize, usize) = (58, 34);
/// What the number of a layer takes at the left.
const NUMBER: usize = 30;
/// The longest bar. It leaves room for what is said beside it.
const LONGEST: usize = WIDTH - 2 * MARGIN - 2 * PAD - NUMBER - 270;
/// What a size at the right end of a line takes.
const SIZE: usize = 90;

/// Draws all images, one below the other. Layers of the base are one box, unless `base` asks for them.
#[must_use]
pub fn layers(layers: &Layers, base: bool) -> String {
    let names: Vec<&str> = layers.images.iter().map(|image| image.name.as_str()).collect();
    let title = format!("Layers of {} ({})", names.join(" and "), layers.lesson);
    let describes: Vec<String> = layers.images.iter().map(in_words).collect();
    let mut picture =
        Picture::new(&format!("layers-{}-{}", layers.lesson, names.join("-")), &title, &describes.join(" "));
    for (index, image) in layers.images.iter().enumerate() {
        if index > 0 {
            picture.y += 22;
        }
        draw(&mut picture, image, base);
    }
    picture.y += 18;
    let y = picture.y;
    picture.rect(MARGIN, y, (28, 12), "kept");
    picture.text(MARGIN + 36, y + 11, "small", "stays", None);
    picture.rect(MARGIN + 96, y, (28, 12), "wasted");
    picture.text(
        MARGIN + 132,
        y + 11,
        "small",
        "wasted: stored here, and a later layer overwrites or deletes it",
        None,
    );
    picture.y += 14;
    picture.finish()
}

/// What the picture shows, for who cannot see it.
fn in_words(image: &ImageLayers) -> String {
    let base = image.base.as_ref().map(|base| format!("{base} with {}", bytes(image.base_bytes())));
    let own = image.own_layers().map(|layer| {
        let wasted = if layer.wasted_bytes > 0 {
            format!(", {} of it wasted", bytes(layer.wasted_bytes))
        } else {
            String::new()
        };
        format!("{}: {}{wasted}", layer.instruction, bytes(layer.bytes))
    });
    let stack: Vec<String> = base.into_iter().chain(own).collect();
    format!(
        "The image {}, from the lowest layer up: {}. Total {}, added over the base {}, wasted of that {}.",
        image.name,
        stack.join("; "),
        bytes(image.total_bytes),
        bytes(image.added_bytes),
        bytes(image.wasted_bytes),
    )
}

fn draw(picture: &mut Picture, image: &ImageLayers, base: bool) {
    let wasted =
        if image.wasted_bytes > 0 { format!(", {} of it wasted", bytes(image.wasted_bytes)) } else { String::new() };
    picture.y += 14;
    picture.text(MARGIN, picture.y, "head", &begin(&image.name, 40), Some(&image.name));
    let sums = format!("{} in all, {} over the base{wasted}", bytes(image.total_bytes), bytes(image.added_bytes));
    picture.text(WIDTH - MARGIN, picture.y, "small end chalk", &sums, None);
    picture.y += 16;
    let shown = || image.layers.iter().filter(|layer| base || !layer.of_base);
    let widest = shown().map(|layer| layer.bytes).max().unwrap_or(0);
    for layer in shown().rev() {
        draw_layer(picture, layer, widest);
    }
    let folded = image.base_layers().count();
    if folded > 0 && !base {
        let name = image.base.as_deref().unwrap_or_default();
        let (width, height) = (WIDTH - 2 * MARGIN, HEIGHTS.1);
        picture.rect(MARGIN, picture.y, (width, height), "box");
        let room = fits(width - 2 * PAD - NUMBER - SIZE - 170);
        picture.text(MARGIN + PAD + NUMBER, picture.y + 22, "code", &begin(&format!("FROM {name}"), room), Some(name));
        let sums =
            format!("{folded} layer{} of the base, {}", if folded == 1 { "" } else { "s" }, bytes(image.base_bytes()));
        picture.text(WIDTH - MARGIN - PAD, picture.y + 22, "small end", &sums, None);
        picture.y += height + GAP;
    }
}

fn draw_layer(picture: &mut Picture, layer: &Layer, widest: u64) {
    let (inner, y) = (WIDTH - 2 * MARGIN - 2 * PAD, picture.y);
    let left = MARGIN + PAD;
    let height = if layer.bytes > 0 { HEIGHTS.0 } else { HEIGHTS.1 };
    picture.rect(MARGIN, y, (WIDTH - 2 * MARGIN, height), "box");
    let instruction = if layer.instruction.is_empty() { "(not recorded)" } else { &layer.instruction };
    let text = begin(instruction, fits(inner - SIZE - NUMBER));
    picture.text(left + NUMBER - 12, y + 22, "small end chalk", &layer.number.to_string(), None);
    picture.text(left + NUMBER, y + 22, "code", &text, Some(&full(layer, instruction)));
    picture.text(left + inner, y + 22, "small end", &bytes(layer.bytes), None);
    if layer.bytes > 0 {
        let pixels = |part: u64| {
            usize::try_from(part.saturating_mul(LONGEST as u64).checked_div(widest).unwrap_or(0)).unwrap_or(LONGEST)
        };
        let all = pixels(layer.bytes).max(2);
        let wasted = pixels(layer.wasted_bytes).min(all);
        let wasted = if layer.wasted_bytes > 0 { wasted.max(2) } else { 0 };
        if all > wasted {
            picture.rect(left + NUMBER, y + 34, (all - wasted, 12), "kept");
        }
        if wasted > 0 {
            picture.rect(left + NUMBER + all - wasted, y + 34, (wasted, 12), "wasted");
            let fate = layer.fates().into_iter().next().map(|(_, fate)| fate).unwrap_or_default();
            let text = format!("{} wasted: {fate} it", bytes(layer.wasted_bytes));
            picture.text(left + NUMBER + all + 10, y + 45, "small warm", &text, None);
        }
    }
    picture.y += height + GAP;
}

/// All that is known of a layer, where a pointer rests on it.
fn full(layer: &Layer, instruction: &str) -> String {
    let place = layer.at.as_ref().map(|at| format!(" ({}, line {})", at.file, at.line)).unwrap_or_default();
    let mut text = format!("Layer {}: {}{place}", layer.number, tame(instruction));
    for (amount, fate) in layer.fates() {
        text = format!("{text}\n{fate} {} of it", bytes(amount));
    }
    for folder in &layer.largest {
        text = format!("{text}\n{}  {}", bytes(folder.bytes), tame(&folder.path));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::looks::layers::samples::image;

    fn drawn(base: bool) -> String {
        let mut image = image();
        image.layers[3].instruction = format!("RUN {}", "long ".repeat(60));
        layers(
            &Layers {
                schema: "",
                lesson: "lesson36".into(),
                title: "T".into(),
                images: vec![image],
                troubles: Vec::new(),
            },
            base,
        )
    }

    #[test]
    fn the_wasted_part_of_a_bar_has_its_share_of_it_and_is_hatched() {
        let picture = drawn(false);
        let (wasted, kept) = (LONGEST * 3 / 4, LONGEST - LONGEST * 3 / 4);
        assert!(picture.contains(&format!(r#"width="{kept}" height="12" rx="3" class="kept""#)), "{picture}");
        assert!(picture.contains(&format!(r#"width="{wasted}" height="12" rx="3" class="wasted""#)), "{picture}");
    }

    #[test]
    fn what_is_too_long_is_shortened_and_whole_where_a_pointer_rests() {
        let picture = drawn(false);
        let whole = format!("Layer 4: RUN {}", "long ".repeat(60));
        assert!(picture.contains(whole.trim_end()) && picture.contains("…</text>"), "{picture}");
    }

    #[test]
    fn the_base_is_one_box_unless_it_is_asked_for() {
        assert!(drawn(false).contains("FROM node:22") && drawn(false).contains("1 layer of the base, 100.0 MB"));
        assert!(drawn(true).contains("(not recorded)"));
    }
}
