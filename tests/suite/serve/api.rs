//! The API against the document that describes it.

use std::collections::BTreeSet;

use boon::{Compiler, Schemas};
use serde_json::{Value, json};
use tests::serving::{Answer, Serving};
use tests::terminal::{Page, TERMINAL};

/// The document, and which of its operations were asked for.
struct Document {
    text: Value,
    asked: BTreeSet<String>,
}

impl Document {
    /// The answer must be as the document says of this operation and status.
    fn holds(&mut self, method: &str, template: &str, answer: &Answer) {
        let pointer = template.replace('/', "~1");
        let status = if answer.status == 200 { "200" } else { "default" };
        let schema = format!("/paths/{pointer}/{method}/responses/{status}/content/application~1json/schema");
        assert!(self.text.pointer(&schema).is_some(), "{method} {template} {status} is not in the document");
        for line in answer.text.lines() {
            let value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
            self.describes(&schema, &value);
        }
        self.asked.insert(format!("{method} {template}"));
    }

    /// The value must be as the schema at this place says.
    fn describes(&self, schema: &str, value: &Value) {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("openapi.json", self.text.clone()).expect("the document");
        let rule = compiler.compile(&format!("openapi.json#{schema}"), &mut schemas).expect("a schema");
        schemas.validate(value, rule).unwrap_or_else(|error| panic!("{schema}: {error:#}\n{value}"));
    }

    /// A WebSocket's messages must be as the document says.
    fn carries(&mut self, template: &str, takes: &Value, sends: &Value) {
        for (side, value) in [("takes", takes), ("sends", sends)] {
            let pointer = template.replace('/', "~1");
            self.describes(&format!("/paths/{pointer}/get/x-websocket/{side}/application~1json/schema"), value);
        }
        self.asked.insert(format!("get {template}"));
    }

    /// All operations that the document has.
    fn operations(&self) -> BTreeSet<String> {
        let paths = self.text["paths"].as_object().into_iter().flatten();
        let names = paths.flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(move |(method, _)| format!("{method} {path}"))
        });
        names.collect()
    }
}

#[test]
fn every_route_answers_as_the_document_says() {
    let serving = Serving::with(&["--terminal"]);
    let text = serving.get("/api/openapi.json").json();
    assert_eq!(text["openapi"], "3.1.0");
    let mut document = Document { text, asked: BTreeSet::new() };
    // In an order in which each finds what it needs: method, lesson's route, path below the lesson, body.
    let file = json!({"path": "notes.txt", "text": "x", "base": SHA256_OF_NOTHING});
    let asks = [
        ("get", "/api/lessons/{lesson}", "", Value::Null),
        ("post", "/api/lessons/{lesson}/start", "/start", json!({})),
        ("put", "/api/lessons/{lesson}/files", "/files", file),
        ("get", "/api/lessons/{lesson}/files", "/files", Value::Null),
        ("get", "/api/lessons/{lesson}/quiz", "/quiz", Value::Null),
        ("get", "/api/lessons/{lesson}/pulse", "/pulse", Value::Null),
        ("post", "/api/lessons/{lesson}/check", "/check", json!({"fresh": false})),
        ("get", "/api/lessons/{lesson}/check/{run}", "/check/1", Value::Null),
        ("get", "/api/lessons/{lesson}", "", Value::Null),
        ("post", "/api/lessons/{lesson}/reset", "/reset", json!({})),
    ];
    for (method, template, path, body) in asks {
        let path = format!("/api/lessons/lesson06{path}");
        let answer = match body {
            Value::Null => serving.get(&path),
            body => serving.ask(&method.to_uppercase(), &path, &body),
        };
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        document.holds(method, template, &answer);
    }
    document.holds("post", "/api/session", &serving.enter(&serving.key));
    document.holds("get", "/api/lessons", &serving.get("/api/lessons"));
    document.holds("get", "/api/book", &serving.get("/api/book"));

    let check = serving.get("/api/lessons/lesson06").json()["checks"][0]["id"].as_str().expect("a check").to_owned();
    let hints = format!("/api/lessons/lesson06/hints/{check}");
    let before = serving.get(&hints);
    let after = serving.ask("POST", &hints, &json!({}));
    document.holds("get", "/api/lessons/{lesson}/hints/{check}", &before);
    document.holds("post", "/api/lessons/{lesson}/hints/{check}", &after);
    let count = |answer: &Answer| answer.json()["open"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&after), count(&before) + 1, "one more");
    assert!(!after.text.contains("{learner}"), "{}", after.text);

    let page = serving.get("/lesson06-namespaces-pid-uts.html").text;
    let question =
        page.split("<fieldset").nth(1).and_then(|rest| rest.split("id=\"lesson06-").nth(1)).expect("a question");
    let question = question.split('"').next().expect("its id");
    let answer = serving.ask("POST", &format!("/api/lessons/lesson06/quiz/{question}"), &json!({"answer": "1"}));
    document.holds("post", "/api/lessons/{lesson}/quiz/{question}", &answer);

    let looks = ["/looks/{look}", "/looks/{look}/{run}"].map(|end| format!("/api/lessons/{{lesson}}{end}"));
    document.holds("post", &looks[0], &serving.ask("POST", "/api/lessons/lesson12/looks/layers", &json!({})));
    document.holds("get", &looks[1], &serving.get("/api/lessons/lesson12/looks/layers/1"));

    let template = "/api/lessons/{lesson}/terminal";
    document.holds("post", template, &serving.ask("POST", TERMINAL, &json!({})));
    let mut page = Page::join(&serving);
    let frame = page.frame().expect("a frame");
    document.carries(template, &json!({"do": "press", "name": "c", "ctrl": true}), &frame);

    assert_eq!(document.asked, document.operations(), "each operation is asked for here");
}

/// The digest of a file that is not there yet.
const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn what_is_asked_wrongly_is_told_as_a_problem_of_the_document() {
    let serving = Serving::new();
    let mut document = Document { text: serving.get("/api/openapi.json").json(), asked: BTreeSet::new() };
    let lesson = "/api/lessons/{lesson}";
    let wrong = [
        (404, "get", lesson.to_owned(), serving.get("/api/lessons/lesson99")),
        (404, "get", format!("{lesson}/check/{{run}}"), serving.get("/api/lessons/lesson06/check/7")),
        (400, "get", format!("{lesson}/check/{{run}}"), serving.get("/api/lessons/lesson06/check/first")),
        (404, "get", format!("{lesson}/hints/{{check}}"), serving.get("/api/lessons/lesson06/hints/none")),
        (
            422,
            "post",
            format!("{lesson}/check"),
            serving.ask("POST", "/api/lessons/lesson06/check", &json!({"fast": 1})),
        ),
        (405, "get", lesson.to_owned(), serving.ask("DELETE", "/api/lessons/lesson06", &json!({}))),
        (404, "get", lesson.to_owned(), serving.get("/api/nothing/here")),
    ];
    for (status, method, template, answer) in wrong {
        assert_eq!(answer.status, status, "{method} {template}: {}", answer.text);
        document.holds(method, &template, &answer);
    }
}
