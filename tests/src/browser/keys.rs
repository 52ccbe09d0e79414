//! Keys of a keyboard.
//!
//! Owns: what the browser is told of each. Must not: press them.

use serde_json::{Value, json};

/// A key that goes down and up again, with `Ctrl` or `Shift` held where the name says so:
/// `Tab`, `Shift+Tab`, `Ctrl+s`, `a`.
pub fn pressed(name: &str) -> [Value; 2] {
    let (modifiers, key) = match name.rsplit_once('+') {
        Some(("Shift", key)) => (8, key),
        Some(("Ctrl", key)) => (2, key),
        _ => (0, name),
    };
    let (code, number) = match key {
        "Tab" => ("Tab".to_owned(), 9),
        "Enter" => ("Enter".to_owned(), 13),
        "Escape" => ("Escape".to_owned(), 27),
        "Space" => ("Space".to_owned(), 32),
        "End" => ("End".to_owned(), 35),
        "Home" => ("Home".to_owned(), 36),
        "ArrowLeft" => ("ArrowLeft".to_owned(), 37),
        "ArrowUp" => ("ArrowUp".to_owned(), 38),
        "ArrowRight" => ("ArrowRight".to_owned(), 39),
        "ArrowDown" => ("ArrowDown".to_owned(), 40),
        letter => {
            let upper = letter.to_uppercase();
            let number = upper.chars().next().filter(char::is_ascii_alphanumeric).map_or(0, u32::from);
            (if number == 0 { String::new() } else { format!("Key{upper}") }, number)
        }
    };
    let key = if key == "Space" { " " } else { key };
    // What is typed; keys that only move type nothing.
    let text = match key {
        "Enter" => Some("\r"),
        one if one.chars().count() == 1 && modifiers & 2 == 0 => Some(one),
        _ => None,
    };
    let event = |kind: &str| json!({"type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers});
    let mut down = event(if text.is_some() { "keyDown" } else { "rawKeyDown" });
    if let Some(text) = text {
        down["text"] = text.into();
    }
    [down, event("keyUp")]
}
