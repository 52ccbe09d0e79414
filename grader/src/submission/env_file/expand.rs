//! Filling in variables: `$NAME`, `${NAME}`, `${NAME:-default}` and their like, as Compose does.
//!
//! Owns: the template of one text. Must not: know where variables come from.

/// A text with its variables filled in; an error in words when Compose would refuse it, or when more
/// than `most` bytes come of it.
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>, most: usize) -> Result<String, String> {
    within(text, &Filling { lookup, most }, 0)
}

/// Defaults within each other. Nobody reads more of them.
const MOST_LEVELS: usize = 20;

/// What holds for a whole text.
struct Filling<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    most: usize,
}

fn within(text: &str, filling: &Filling<'_>, level: usize) -> Result<String, String> {
    if level > MOST_LEVELS {
        return Err(format!("there are more than {MOST_LEVELS} defaults within each other"));
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let name = name(behind);
        if let Some(after) = behind.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inner) = behind.strip_prefix('{') {
            let (value, after) = braced(inner, filling, level)?;
            out.push_str(&value);
            rest = after;
        } else if name.is_empty() {
            out.push('$');
            rest = behind;
        } else {
            out.push_str(&(filling.lookup)(name).unwrap_or_default());
            rest = &behind[name.len()..];
        }
        if out.len() > filling.most {
            return Err(super::GROWN.into());
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The name at the start of a text; empty when there is none.
fn name(text: &str) -> &str {
    let ends = |c: char| !(c == '_' || c.is_ascii_alphanumeric());
    let name = &text[..text.find(ends).unwrap_or(text.len())];
    if name.starts_with(|first: char| first.is_ascii_digit()) { "" } else { name }
}

/// What stands behind `${`: its value, and what comes behind its end.
fn braced<'t>(inner: &'t str, filling: &Filling<'_>, level: usize) -> Result<(String, &'t str), String> {
    let name = name(inner);
    let behind = &inner[name.len()..];
    let wrong = || format!("`${{{}` is no variable that can be filled in", inner.lines().next().unwrap_or_default());
    if name.is_empty() {
        return Err(wrong());
    }
    if let Some(rest) = behind.strip_prefix('}') {
        return Ok(((filling.lookup)(name).unwrap_or_default(), rest));
    }
    let (counts_empty, operator) = behind.strip_prefix(':').map_or((false, behind), |operator| (true, operator));
    let Some(sign @ ('-' | '+' | '?')) = operator.chars().next() else { return Err(wrong()) };
    let end = closing(&operator[1..]).ok_or_else(wrong)?;
    let (word, rest) = (&operator[1..=end], &operator[end + 2..]);
    let value = (filling.lookup)(name);
    let is_set = value.as_ref().is_some_and(|value| !(counts_empty && value.is_empty()));
    let filled = match (sign, is_set) {
        ('-' | '?', true) | ('+', false) => value.unwrap_or_default(),
        ('-', false) | ('+', true) => within(word, filling, level + 1)?,
        _ => return Err(format!("the variable {name} has no value: {}", within(word, filling, level + 1)?)),
    };
    Ok((filled, rest))
}

/// Where the brace is closed that is open; a default may have braces of its own, but no line end.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    for (index, c) in text.char_indices() {
        match c {
            '\n' => return None,
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(index);
        }
    }
    None
}

/// Escapes of a double-quoted value. `\$` becomes `$$`, which stands for a dollar sign that is none
/// of a variable.
pub(super) fn escapes(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let Some(c) = behind.chars().next() else {
            out.push('\\');
            return out;
        };
        rest = &behind[c.len_utf8()..];
        match c {
            '$' => out.push_str("$$"),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            '"' | '\\' => out.push(c),
            '0' => {
                let digits: String = rest.chars().take(3).take_while(char::is_ascii_digit).collect();
                rest = &rest[digits.len()..];
                match u8::from_str_radix(&digits, 8) {
                    Ok(code) if digits.len() == 3 => out.push(char::from(code)),
                    _ => out.extend(["\\", &digits]),
                }
            }
            other => out.extend(['\\', other]),
        }
    }
    out.push_str(rest);
    out
}
