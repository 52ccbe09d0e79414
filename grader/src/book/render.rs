//! Makes what stands in the place of the course's blocks: HTML, or Markdown where that is enough.
//!
//! Owns: how a page's Markdown comes into such HTML. Must not: read files, or show an answer.
//!
//! The HTML stands in a Markdown page, which ends a piece of HTML at the first empty line. So a
//! block is one single line: line ends that matter (in code) are written as character references.
//! There is no script and no style in it; `book/theme/course.css` styles the classes.

pub(super) mod commands;
pub(super) mod exercise;
pub(super) mod glossary;
pub(super) mod quiz;
pub(super) mod schedule;

use pulldown_cmark::{Event, Parser, html};

use crate::course::fence::markdown_options;

/// Markdown as HTML.
pub(super) fn markdown(text: &str) -> String {
    // HTML in a question is meant to be seen: `<none>` is a name in Docker's tables.
    let events = Parser::new_ext(text, markdown_options()).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out.trim_end().to_owned()
}

/// Markdown as HTML for inside of a line: a single paragraph without its tags.
fn inline(text: &str) -> String {
    let html = markdown(text);
    let inner = html.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    inner.filter(|inner| !inner.contains("<p>")).map_or_else(|| html.clone(), ToOwned::to_owned)
}

/// Plain text as HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// HTML on one line, see above.
fn on_one_line(html: &str) -> String {
    html.trim_end().replace("\r\n", "\n").replace('\n', "&#10;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_markdown_is_shown_and_not_obeyed() {
        assert_eq!(
            inline("A `<none>` is <b>bold</b> & *new*"),
            "A <code>&lt;none&gt;</code> is &lt;b&gt;bold&lt;/b&gt; &amp; <em>new</em>"
        );
        assert_eq!(markdown("<script>\nx\n</script>"), "&lt;script&gt;\nx\n&lt;/script&gt;");
    }

    #[test]
    fn one_paragraph_loses_its_tags_and_more_keep_them() {
        assert_eq!(inline("one"), "one");
        assert_eq!(inline("one\n\ntwo"), "<p>one</p>\n<p>two</p>");
    }

    #[test]
    fn line_ends_in_code_survive_without_an_empty_line() {
        assert_eq!(on_one_line("<pre>a\r\n\nb</pre>\n"), "<pre>a&#10;&#10;b</pre>");
    }
}
