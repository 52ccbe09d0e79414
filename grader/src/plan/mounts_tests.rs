//! No container can change what the daemon will mount, and each sees what the learner meant.

use super::*;

/// A stack in `/runs/r/stack-s` with these services, whose folder has `db/init.sql`, `pw.txt`, `sub/deep`
/// and nothing else; `alias` is a link to `sub`.
fn planned(services: Value, more: &[(&str, Value)]) -> (Value, Vec<Held>, BTreeMap<String, Injected>) {
    let dir = "/runs/r/stack-s";
    let mut model: Value = serde_json::from_str(&services.to_string().replace('@', dir)).expect("JSON");
    model = json!({ "services": model });
    for (key, value) in more {
        model[key] = serde_json::from_str(&value.to_string().replace('@', dir)).expect("JSON");
    }
    let mut admitted = AdmittedStack::new(dir, model.clone());
    let known = [
        ("", "", SourceKind::Folder),
        ("/db", "db", SourceKind::Folder),
        ("/db/init.sql", "db/init.sql", SourceKind::File),
        ("/pw.txt", "pw.txt", SourceKind::File),
        ("/sub", "sub", SourceKind::Folder),
        ("/sub/deep", "sub/deep", SourceKind::Folder),
        ("/alias/deep", "sub/deep", SourceKind::Folder),
        ("/new", "new", SourceKind::Missing),
    ];
    for (written, real, kind) in known {
        admitted.sources.insert(format!("{dir}{written}"), Source { path: real.into(), kind });
    }
    let mut injected = BTreeMap::new();
    for name in model["services"].as_object().expect("services").keys() {
        injected.insert(name.clone(), Injected::default());
    }
    let held = keep_apart(&mut model, &admitted, Path::new("/runs/r/held-s"), &mut injected);
    (model, held, injected)
}

fn bind(source: &str, target: &str) -> Value {
    json!({"type": "bind", "source": format!("@{source}"), "target": target, "bind": {"create_host_path": true}})
}

fn read_only(source: &str, target: &str) -> Value {
    let mut mount = bind(source, target);
    mount["read_only"] = json!(true);
    mount
}

/// `source:target` of each mount, `:ro` behind those that are.
fn mounts(model: &Value, service: &str) -> Vec<String> {
    let volumes = model["services"][service]["volumes"].as_array().expect("volumes").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ro = |volume: &Value| if volume["read_only"] == true { ":ro" } else { "" };
    volumes.map(|v| format!("{}:{}{}", text(&v["source"]), text(&v["target"]), ro(v))).collect()
}

#[test]
fn where_no_container_can_write_above_a_source_nothing_changes() {
    let (model, held, _) = planned(
        json!({"a": {"volumes": [read_only("", "/w"), bind("/sub", "/s")]}, "b": {"volumes": [bind("/db/init.sql", "/i.sql")]}}),
        &[("secrets", json!({"pw": {"file": "@/pw.txt"}}))],
    );
    assert!(held.is_empty(), "{held:?}");
    assert_eq!(mounts(&model, "a"), ["/runs/r/stack-s:/w:ro", "/runs/r/stack-s/sub:/s"]);
    assert_eq!(model["secrets"]["pw"]["file"], "/runs/r/stack-s/pw.txt");
}

#[test]
fn a_file_below_a_folder_that_is_written_gets_a_second_name_elsewhere() {
    let (model, held, injected) = planned(
        json!({"app": {"volumes": [bind("", "/app")]}, "db": {"volumes": [bind("/db/init.sql", "/i.sql")]}}),
        &[("secrets", json!({"pw": {"file": "@/pw.txt"}})), ("configs", json!({"c": {"file": "@/pw.txt"}}))],
    );
    assert_eq!(mounts(&model, "app"), ["/runs/r/stack-s:/app"]);
    assert_eq!(mounts(&model, "db"), ["/runs/r/held-s/0:/i.sql"]);
    assert_eq!(
        (&model["secrets"]["pw"]["file"], &model["configs"]["c"]["file"]),
        (&json!("/runs/r/held-s/1"), &json!("/runs/r/held-s/1"))
    );
    assert_eq!(
        held.iter().map(|held| held.path.as_path()).collect::<Vec<_>>(),
        ["db/init.sql", "pw.txt"].map(Path::new)
    );
    assert_eq!(injected["db"].sources["/runs/r/held-s/0"], "db/init.sql");
    assert!(injected["app"].mounts.is_empty());
}

#[test]
fn a_folder_is_seen_at_its_old_place_by_all_who_see_that() {
    let (model, held, injected) = planned(
        json!({
            "app": {"volumes": [bind("", "/app/")]},
            "reads": {"volumes": [read_only("", "/r")]},
            "web": {"volumes": [bind("/sub", "/srv")]},
            "hides": {"volumes": [bind("", "/h"), {"type": "volume", "target": "/h/sub", "source": "x"}]},
        }),
        &[],
    );
    assert_eq!(held, [Held { path: "sub".into(), at: "/runs/r/held-s/0".into(), how: How::Moved }]);
    assert_eq!(mounts(&model, "app"), ["/runs/r/stack-s:/app/", "/runs/r/held-s/0:/app/sub"]);
    assert_eq!(mounts(&model, "reads"), ["/runs/r/stack-s:/r:ro", "/runs/r/held-s/0:/r/sub:ro"]);
    assert_eq!(mounts(&model, "web"), ["/runs/r/held-s/0:/srv"]);
    assert_eq!(mounts(&model, "hides"), ["/runs/r/stack-s:/h", "x:/h/sub"]);
    assert_eq!(injected["app"].mounts, ["/app/sub".to_owned()].into());
    assert_eq!(injected["web"].sources["/runs/r/held-s/0"], "sub");
    assert_eq!(injected["web"].sources["/runs/r/stack-s"], ".");
}

#[test]
fn folders_in_each_other_links_and_what_is_not_there_yet_are_held_too() {
    let (model, held, _) = planned(
        json!({
            "a": {"volumes": [bind("/sub", "/a")]},
            "b": {"volumes": [bind("/alias/deep", "/b")]},
            "c": {"volumes": [bind("", "/c"), bind("/new", "/n")]},
        }),
        &[],
    );
    let paths: Vec<_> = held.iter().map(|held| (held.path.to_str().expect("text"), held.how)).collect();
    assert_eq!(paths, [("new", How::Made), ("sub", How::Moved), ("sub/deep", How::Moved)]);
    assert_eq!(mounts(&model, "a"), ["/runs/r/held-s/1:/a", "/runs/r/held-s/2:/a/deep"]);
    assert_eq!(mounts(&model, "b"), ["/runs/r/held-s/2:/b"]);
    let of_c = [
        "/runs/r/stack-s:/c",
        "/runs/r/held-s/0:/n",
        "/runs/r/held-s/0:/c/new",
        "/runs/r/held-s/1:/c/sub",
        "/runs/r/held-s/2:/c/sub/deep",
    ];
    assert_eq!(mounts(&model, "c"), of_c);
}

#[test]
fn what_docker_must_not_make_stays_absent() {
    let mut mount = bind("/new", "/n");
    mount["bind"]["create_host_path"] = json!(false);
    let (model, held, _) = planned(json!({"a": {"volumes": [bind("", "/a"), mount]}}), &[]);
    assert_eq!(mounts(&model, "a"), ["/runs/r/stack-s:/a", "/runs/r/held-s/0:/n"]);
    assert_eq!(held[0].how, How::Absent);
}

#[test]
fn a_file_is_found_where_it_has_been_moved_to() {
    let held = |path: &str, at: &str, how| Held { path: path.into(), at: at.into(), how };
    let all =
        [held("src", "/h/0", How::Moved), held("src/a.js", "/h/1", How::Linked), held("src/lib", "/h/2", How::Made)];
    let of = |file: &str| place_of(&all, Path::new("/d"), Path::new(file));
    assert_eq!(of("b.js"), ("/d".into(), "b.js".into()));
    assert_eq!(of("src/a.js"), ("/h/0".into(), "a.js".into()));
    assert_eq!(of("src/lib/x/c.js"), ("/h/2".into(), "x/c.js".into()));
}
