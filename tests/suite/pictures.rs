//! Pictures from measurements, as a page gets them from `grader serve`: samples while a check pushes, the curve in
//! the report, layers and the map of two stacks.

use serde_json::{Value, json};
use tests::serving::Serving;

/// A served course, with a solution in the learner's copy.
fn with_solution(exercise: &str, solution: &str) -> Serving {
    let serving = Serving::new();
    serving.solve(exercise, solution);
    serving
}

#[test]
fn memory_is_told_while_it_grows_to_its_limit_and_the_report_has_the_curve() {
    const MIB: u64 = 1 << 20;
    let serving = with_solution("lesson08-cgroups-memory", "mem-limit");
    let events = serving.events("/api/lessons/lesson08/check");
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
    let serving = with_solution("lesson12-image-layers", "proofs-in-memory");
    let begun = [(), ()].map(|()| serving.ask("POST", LAYERS, &json!({})).json()["began"].clone());
    assert_eq!(begun, [true, false]);
    let last = serving.followed(&format!("{LAYERS}/1")).pop().expect("an event");
    let look = &last["look"];
    assert_eq!((&last["event"], &look["troubles"]), (&"looked".into(), &json!([])), "{last:#}");
    let svg = look["svg"].as_str().expect("a picture");
    let document = roxmltree::Document::parse(svg).expect("XML");
    assert!(!document.descendants().any(|node| ["style", "script"].contains(&node.tag_name().name())), "{svg}");
    let tables = look["tables"].as_array().expect("tables");
    assert!(tables.iter().all(|table| table["rows"].as_array().is_some_and(|rows| rows.len() > 3)), "{tables:#?}");

    let status = |look: &str| serving.ask("POST", &format!("/api/lessons/lesson12/looks/{look}"), &json!({})).status;
    assert_eq!((status("compare"), status("x")), (404, 404), "it has no kitchen and restaurant");
    assert_eq!(serving.get(&format!("{LAYERS}/9")).status, 404);
    let lesson = serving.get("/api/lessons/lesson12").json();
    assert_eq!(lesson["looks"], json!(["layers"]));

    // What does not build is told with its line, and has no picture.
    let file = serving.copy("lesson12-image-layers").join("Dockerfile");
    let text = std::fs::read_to_string(&file).expect("read");
    std::fs::write(&file, text + "\nRUN no-such-program\n").expect("write");
    let last = serving.events(LAYERS).pop().expect("an event");
    let trouble = &last["look"]["troubles"][0];
    assert!(trouble["at"]["text"].as_str().is_some_and(|line| line.contains("no-such-program")), "{last:#}");
}

/// The look at lesson 12's layers.
const LAYERS: &str = "/api/lessons/lesson12/looks/layers";

#[test]
fn kitchen_and_restaurant_come_as_a_picture_and_a_table() {
    let serving = with_solution("lesson36-dev-vs-prod", "shared-base-compose");
    let events = serving.events("/api/lessons/lesson36/looks/compare");
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
    assert_eq!(row("NODE_ENV"), Some(json!(["NODE_ENV", "development", "production", "differs"])));
}
