//! Pictures of what was measured, as SVG text.
//!
//! Owns: SVG text from facts: shapes, colours, escaping, text alternatives. Must not: measure, know
//! Docker, or need scripts, fonts or files from elsewhere.
//!
//! A picture is a slate that brings its own background, as in the book, so that it reads alike on
//! light and dark pages.

mod layers;
mod map;

use std::fmt::Write;

pub use layers::layers;
pub use map::map;

/// The width of every picture; its height follows from what it shows.
const WIDTH: usize = 760;
/// From the edge to what is drawn.
const MARGIN: usize = 34;
/// What a character of code may take at the most, in tenths: fonts differ from machine to machine.
const CODE_TENTHS: usize = 84;

/// The rules of all pictures. They hold within a picture only, so that it may stand in a page.
const STYLE: &str = include_str!("../web/slate.css");

/// A picture for a page that has the style sheet `slate.css`: the policy of our pages lets no style stand in them.
#[must_use]
pub fn in_page(picture: &str) -> String {
    let (open, close) = ("  <style>", "</style>\n");
    // Text is escaped, so the first one is ours.
    match picture.split_once(open).and_then(|(before, rest)| Some((before, rest.split_once(close)?.1))) {
        Some((before, after)) => format!("{before}{after}"),
        None => picture.to_owned(),
    }
}

/// A picture as it is drawn, from the top down.
struct Picture {
    name: String,
    title: String,
    describes: String,
    body: String,
    y: usize,
}

impl Picture {
    /// An empty picture. `name` makes its ids unique in a page; `describes` is read out by screen readers.
    fn new(name: &str, title: &str, describes: &str) -> Self {
        let name = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Self { name, title: title.to_owned(), describes: describes.to_owned(), body: String::new(), y: MARGIN }
    }

    /// Text of a class at a place; `full` is shown where a pointer rests on it.
    fn text(&mut self, x: usize, y: usize, class: &str, text: &str, full: Option<&str>) {
        let full = full.map(|full| format!("<title>{}</title>", escape(full))).unwrap_or_default();
        let _ = writeln!(self.body, r#"  <text x="{x}" y="{y}" class="{class}">{full}{}</text>"#, escape(text));
    }

    /// A rectangle of a class.
    fn rect(&mut self, x: usize, y: usize, (width, height): (usize, usize), class: &str) {
        // The pattern has an id of this picture, so it is not for a style sheet.
        let fill = if class == "wasted" { format!(r#" fill="url(#{})""#, self.hatch()) } else { String::new() };
        let _ = writeln!(
            self.body,
            r#"  <rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" class="{class}"{fill}/>"#
        );
    }

    /// The id of the pattern of what is wasted.
    fn hatch(&self) -> String {
        format!("{}-hatch", self.name)
    }

    /// A thin line across the picture.
    fn rule(&mut self, y: usize) {
        let (from, to) = (MARGIN, WIDTH - MARGIN);
        let _ = writeln!(self.body, r#"  <path d="M{from} {y}H{to}" class="rule"/>"#);
    }

    /// The whole picture.
    fn finish(self) -> String {
        let hatch = self.hatch();
        let Self { name, title, describes, body, y } = self;
        let height = y + MARGIN - 10;
        let (inner, lower) = (WIDTH - 6, height - 6);
        let style = STYLE.split_once("*/").map_or(STYLE, |(_, rules)| rules);
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" class="slate" aria-labelledby="{name}-title {name}-desc">
  <title id="{name}-title">{}</title>
  <desc id="{name}-desc">{}</desc>
  <style>{style}  </style>
  <defs>
    <pattern id="{hatch}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect width="7" height="7" fill="#4a4133"/>
      <path d="M0 0V7" stroke="#ffcf87" stroke-width="4"/>
    </pattern>
  </defs>
  <rect x="3" y="3" width="{inner}" height="{lower}" rx="10" fill="#25313a" stroke="#a3744a" stroke-width="6"/>
{body}</svg>
"##,
            escape(&title),
            escape(&describes),
        )
    }
}

/// Text as XML. Characters that no document may have are replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push(c),
            c if crate::shown::steers(c) => escaped.push(crate::shown::DOT),
            c => escaped.push(c),
        }
    }
    escaped
}

/// How many characters of code fit into a width.
fn fits(width: usize) -> usize {
    width * 10 / CODE_TENTHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup_nor_break_the_document() {
        assert_eq!(escape("<a b=\"c\"> & \u{1b}[1m\u{ffff}"), "&lt;a b=&quot;c&quot;&gt; &amp; ·[1m·");
    }

    #[test]
    fn ids_are_made_of_letters_and_belong_to_the_picture() {
        let mut picture = Picture::new("layers-a b/c", "T", "D");
        picture.rect(0, 0, (1, 1), "wasted");
        let picture = picture.finish();
        assert!(picture.contains(r#"aria-labelledby="layers-a-b-c-title layers-a-b-c-desc""#), "{picture}");
        assert!(
            picture.contains("url(#layers-a-b-c-hatch)") && picture.contains(r#"id="layers-a-b-c-hatch""#),
            "{picture}"
        );
    }

    #[test]
    fn a_picture_for_a_page_has_no_style_of_its_own_and_all_the_rest() {
        let mut picture = Picture::new("a", "<style>", "D");
        picture.text(1, 2, "head", "<style>x</style>", None);
        let whole = picture.finish();
        assert!(whole.contains("<style>\n.slate text {"), "the comment of the style sheet is left out: {whole}");
        let page = in_page(&whole);
        assert!(!page.contains("<style>") && page.contains("&lt;style&gt;x") && page.contains("<defs>"), "{page}");
    }
}
