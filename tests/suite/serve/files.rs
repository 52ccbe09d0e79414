//! Files: what a page may read and write, and that nobody's edit is lost.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::serving::Serving;

use super::EXERCISE;

const FILES: &str = "/api/lessons/lesson06/files";

/// As the API tells a file's state.
fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn listed(serving: &Serving) -> Vec<Value> {
    serving.get(FILES).json()["files"].as_array().cloned().unwrap_or_default()
}

#[test]
fn no_path_leads_out_of_the_book_or_the_exercise() {
    let serving = Serving::new();
    assert_eq!(serving.ask("POST", "/api/lessons/lesson06/start", &json!({})).status, 200);
    fs::write(serving.course().join("secret.txt"), "theirs").expect("write");
    for path in ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "//etc/passwd", "/css/../../../etc/passwd"]
    {
        let answer = serving.get(path);
        assert!(answer.status >= 400 && !answer.text.contains("theirs") && !answer.text.contains("root:"), "{path}");
    }
    let deep = "a/".repeat(150) + "b";
    for path in ["../../secret.txt", "/tmp/grader-test-escape", "src/../../../secret.txt", "", "src/", "a\0b", &deep] {
        for text in ["", "theirs"] {
            let save = json!({"path": path, "text": "mine", "base": digest(text)});
            assert_eq!(serving.ask("PUT", FILES, &save).status, 400, "{path:?}");
        }
    }
    for lesson in ["..", "%2e%2e", "lesson06%2f..", "lesson99"] {
        let answer = serving.get(&format!("/api/lessons/{lesson}/files"));
        assert!(answer.status >= 400, "{lesson}: {}", answer.text);
    }
    assert_eq!(fs::read_to_string(serving.course().join("secret.txt")).expect("read"), "theirs");
}

#[test]
fn links_are_neither_shown_nor_followed() {
    let serving = Serving::new();
    assert_eq!(serving.ask("POST", "/api/lessons/lesson06/start", &json!({})).status, 200);
    let (copy, outside) = (serving.copy(EXERCISE), serving.course().join("outside"));
    fs::create_dir(&outside).expect("folder");
    fs::write(outside.join("secret.txt"), "theirs").expect("write");
    symlink(outside.join("secret.txt"), copy.join("file")).expect("link");
    symlink(&outside, copy.join("folder")).expect("link");
    let files = listed(&serving);
    assert!(files.iter().any(|file| file["path"] == "compose.yml"), "{files:?}");
    let shown = |name: &str| files.iter().any(|file| file["path"].as_str().is_some_and(|path| path.starts_with(name)));
    assert!(!shown("file") && !shown("folder"), "{files:?}");
    let seen = digest("theirs");
    for path in ["file", "folder/secret.txt", "folder/new.txt"] {
        let answer = serving.ask("PUT", FILES, &json!({"path": path, "text": "mine", "base": seen}));
        assert!([400, 409].contains(&answer.status), "{path}: {}", answer.text);
        assert!(!answer.text.contains("theirs"), "{path}: {}", answer.text);
    }
    assert_eq!(fs::read_to_string(outside.join("secret.txt")).expect("read"), "theirs");
    assert_eq!(fs::read_dir(&outside).expect("folder").count(), 1);
}

#[test]
fn an_edit_elsewhere_is_never_written_over() {
    let serving = Serving::new();
    assert_eq!(serving.ask("POST", "/api/lessons/lesson06/start", &json!({})).status, 200);
    let file = serving.copy(EXERCISE).join("compose.yml");
    let seen = listed(&serving).into_iter().find(|file| file["path"] == "compose.yml").expect("compose.yml");
    let state = serving.get("/api/lessons/lesson06/pulse").json()["files"].clone();
    fs::write(&file, "# from an editor\n").expect("write");
    assert_ne!(serving.get("/api/lessons/lesson06/pulse").json()["files"], state, "the page notices");
    let save = json!({"path": "compose.yml", "text": "# from the page\n", "base": seen["digest"]});
    let conflict = serving.ask("PUT", FILES, &save);
    assert_eq!((conflict.status, &conflict.json()["current"]), (409, &json!("# from an editor\n")));
    assert_eq!(fs::read_to_string(&file).expect("read"), "# from an editor\n");
    // Who has seen it may write over it.
    let now = listed(&serving).into_iter().find(|file| file["path"] == "compose.yml").expect("compose.yml");
    let save = json!({"path": "compose.yml", "text": "# both\n", "base": now["digest"]});
    assert_eq!(serving.ask("PUT", FILES, &save).status, 200);
    assert_eq!(fs::read_to_string(&file).expect("read"), "# both\n");
}

/// The most memory that a process has ever had, MB.
fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") / 1_000
}

#[test]
fn a_disk_image_in_the_folder_is_not_read() {
    let serving = Serving::new();
    assert_eq!(serving.ask("POST", "/api/lessons/lesson06/start", &json!({})).status, 200);
    // A hole: it takes no room on the disk.
    let image = fs::File::create(serving.copy(EXERCISE).join("dump.img")).expect("file");
    image.set_len(2 << 30).expect("a hole");
    let pulse = || serving.get("/api/lessons/lesson06/pulse").json()["files"].as_str().unwrap_or_default().to_owned();
    let before = pulse();
    assert!(!before.is_empty(), "there is a copy");
    std::thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(|| assert_eq!(pulse(), before)))));
    image.set_len(3 << 30).expect("a hole");
    assert_ne!(pulse(), before, "the page notices");
    let files = listed(&serving);
    assert!(files.iter().any(|file| file["path"] == "dump.img" && file["text"].is_null()), "{files:?}");
    let most = most_memory(serving.process());
    assert!(most < 500, "{most} MB");
}

#[test]
fn a_page_is_not_sent_more_than_it_can_show() {
    let serving = Serving::new();
    assert_eq!(serving.ask("POST", "/api/lessons/lesson06/start", &json!({})).status, 200);
    let copy = serving.copy(EXERCISE);
    // 5 MB of text, of which a page gets 4.
    for number in 0..5 {
        fs::write(copy.join(format!("notes-{number}.txt")), "n".repeat(999_000)).expect("write");
    }
    let files = listed(&serving);
    let notes: Vec<bool> = files
        .iter()
        .filter(|file| file["path"].as_str().is_some_and(|path| path.starts_with("notes-")))
        .map(|file| file["text"].is_string())
        .collect();
    assert!(notes.len() == 5 && notes.iter().any(|is_there| !is_there), "{notes:?}");
    let bytes: usize = files.iter().filter_map(|file| file["text"].as_str()).map(str::len).sum();
    assert!(bytes <= 4_000_000, "{bytes}");
    for number in 0..600 {
        fs::write(copy.join(format!("many-{number}")), "").expect("write");
    }
    let files = listed(&serving);
    // Files that are still to be written come on top.
    assert!((500..520).contains(&files.len()), "{}", files.len());
}
