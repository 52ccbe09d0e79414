//! Pictures from measurements, as a page gets them from `grader serve`: samples while a check pushes, the curve in
//! the report, layers and the map of two stacks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tests::{course, lay, program};

/// A served course of its own, with a submission in the learner's workspace.
struct Served {
    folder: TempDir,
    server: Child,
    address: String,
    token: String,
}

impl Served {
    /// Serves the course; the learner has handed in a solution.
    fn with_solution(exercise: &str, solution: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for part in ["book", "exercises", "images", "scripts"] {
            lay(&course().join(part), &folder.path().join("course").join(part));
        }
        let copy = folder.path().join("course/workspace").join(exercise);
        lay(&course().join("exercises").join(exercise).join("starter"), &copy);
        lay(&course().join("exercises").join(exercise).join("solutions").join(solution), &copy);
        let mut command = Command::new(program());
        command.args(["serve", "--no-open", "--offline"]).current_dir(folder.path().join("course"));
        command.env("GRADER_HOME", folder.path().join("home")).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("the program starts");
        let mut lines = BufReader::new(server.stdout.take().expect("a pipe")).lines();
        let url =
            lines.find_map(|line| Some(line.ok()?.trim().strip_prefix("http://")?.to_owned())).expect("an address");
        let (address, token) = url.split_once("/?token=").expect("a token");
        Self { address: address.to_owned(), token: token.to_owned(), folder, server }
    }

    /// The status and the body of an answer.
    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let (address, token) = (&self.address, &self.token);
        let port = address.rsplit(':').next().expect("a port");
        let mut stream = TcpStream::connect(address).expect("the server listens");
        // HTTP/1.0 ends an answer by closing: a stream of lines is read like any other text.
        let body = if method == "POST" && path.ends_with("/check") { r#"{"fresh":true}"# } else { "" };
        let head = format!(
            "{method} /api/{path} HTTP/1.0\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: grader-{port}={token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("write");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("read");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), body.to_owned())
    }

    /// Begins a run, and gives all its events.
    fn events(&self, path: &str) -> Vec<Value> {
        let (status, begun) = self.ask("POST", path);
        assert_eq!(status, 200, "{begun}");
        let run: Value = serde_json::from_str(&begun).expect("JSON");
        let (status, lines) = self.ask("GET", &format!("{path}/{}", run["run"]));
        assert_eq!(status, 200, "{lines}");
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
        let runs = std::fs::read_dir(self.folder.path().join("home/cache/runs")).into_iter().flatten().count();
        assert!(runs == 0 || std::thread::panicking(), "{runs} scratch folders are left");
    }
}

#[test]
fn memory_is_told_while_it_grows_to_its_limit_and_the_report_has_the_curve() {
    const MIB: u64 = 1 << 20;
    let served = Served::with_solution("lesson08-cgroups-memory", "mem-limit");
    let events = served.events("lessons/lesson08/check");
    let report = &events.last().expect("events")["report"];
    assert_eq!(report["result"], "passed", "{report:#}");
    for (check, limit, at_least) in [("till-bounded", 224 * MIB, 10), ("leak-contained", 128 * MIB, 2)] {
        let is_sample = |event: &&Value| event["event"] == "sample" && event["check"] == check;
        let told: Vec<&Value> = events.iter().filter(is_sample).collect();
        assert!(told.len() >= at_least, "{check}: {told:?}");
        assert!(told.iter().all(|sample| sample["quantity"] == "memory" && sample["limit"] == limit), "{told:?}");
        let values: Vec<u64> = told.iter().filter_map(|sample| sample["value"].as_u64()).collect();
        let highest = values.iter().max().copied().unwrap_or_default();
        assert!(values[0] < limit / 2 && highest <= limit && highest > values[0], "{check}: {values:?}");

        let found = report["checks"].as_array().and_then(|all| all.iter().find(|one| one["id"] == check));
        let details = found.and_then(|one| one["verdict"]["details"].as_array()).expect("details");
        let curve = details.iter().find(|detail| detail["type"] == "curve").expect("a passing check has its curve");
        let kept = curve["samples"].as_array().expect("samples");
        let of_events: Vec<_> = told.iter().map(|one| (&one["at_ms"], &one["value"])).collect();
        assert_eq!(kept.iter().map(|one| (&one["at_ms"], &one["value"])).collect::<Vec<_>>(), of_events);
        assert_eq!(curve["limit"], limit);
        // A process of ours grows step by step: the last step before the end is next to the limit.
        if check == "till-bounded" {
            assert_eq!(curve["highest"], limit, "the kernel's own peak");
            assert!(highest > limit * 9 / 10, "{values:?}");
        }
    }
}

#[test]
fn layers_come_as_a_picture_for_the_page_with_a_table_and_two_who_ask_share_a_look() {
    let served = Served::with_solution("lesson12-image-layers", "proofs-in-memory");
    let (first, second) = (served.ask("POST", LAYERS), served.ask("POST", LAYERS));
    let begun = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    assert_eq!((begun(&first.1)["began"].clone(), begun(&second.1)["began"].clone()), (true.into(), false.into()));
    let (_, lines) = served.ask("GET", &format!("{LAYERS}/1"));
    let last = begun(lines.lines().last().expect("an event"));
    let look = &last["look"];
    assert_eq!((&last["event"], &look["troubles"]), (&"looked".into(), &serde_json::json!([])), "{last:#}");
    let svg = look["svg"].as_str().expect("a picture");
    let document = roxmltree::Document::parse(svg).expect("XML");
    assert!(!document.descendants().any(|node| ["style", "script"].contains(&node.tag_name().name())), "{svg}");
    let tables = look["tables"].as_array().expect("tables");
    assert!(tables.iter().all(|table| table["rows"].as_array().is_some_and(|rows| rows.len() > 3)), "{tables:#?}");

    assert_eq!(served.ask("POST", "lessons/lesson12/looks/compare").0, 404, "it has no kitchen and restaurant");
    assert_eq!(served.ask("POST", "lessons/lesson12/looks/x").0, 404);
    assert_eq!(served.ask("GET", &format!("{LAYERS}/9")).0, 404);
    let lesson = begun(&served.ask("GET", "lessons/lesson12").1);
    assert_eq!(lesson["looks"], serde_json::json!(["layers"]));

    // What does not build is told with its line, and has no picture.
    let file = served.folder.path().join("course/workspace/lesson12-image-layers/Dockerfile");
    let text = std::fs::read_to_string(&file).expect("read");
    std::fs::write(&file, text + "\nRUN no-such-program\n").expect("write");
    let last = served.events(LAYERS).pop().expect("an event");
    let trouble = &last["look"]["troubles"][0];
    assert!(trouble["at"]["text"].as_str().is_some_and(|line| line.contains("no-such-program")), "{last:#}");
}

/// The look at lesson 12's layers.
const LAYERS: &str = "lessons/lesson12/looks/layers";

#[test]
fn kitchen_and_restaurant_come_as_a_picture_and_a_table() {
    let served = Served::with_solution("lesson36-dev-vs-prod", "shared-base-compose");
    let events = served.events("lessons/lesson36/looks/compare");
    assert!(events.iter().any(|event| event["event"] == "stage-started"), "it tells what it does");
    let look = &events.last().expect("events")["look"];
    let svg = look["svg"].as_str().unwrap_or_else(|| panic!("a picture in {look:#}"));
    assert!(
        [">Kitchen<", ">Restaurant<", "class=\"kitchen\"", "class=\"restaurant\""]
            .iter()
            .all(|text| svg.contains(text))
    );
    let table = &look["tables"][0];
    let row = |name: &str| table["rows"].as_array().and_then(|rows| rows.iter().find(|row| row[0] == name)).cloned();
    assert_eq!(row("NODE_ENV"), Some(serde_json::json!(["NODE_ENV", "development", "production", "differs"])));
}
