//! What is let in and what is not, in the spellings that BuildKit knows.

use super::*;

/// What is refused in a Dockerfile that begins with the lesson's image.
fn refused(text: &str) -> Vec<String> {
    refused_whole(&format!("FROM node:22\n{text}\n"), &[])
}

fn refused_whole(text: &str, args: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().expect("folder");
    std::fs::write(dir.path().join("Dockerfile"), text).expect("write");
    let submission = Submission::at(dir.path());
    let args = args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let allowed = Allowed { names: vec!["node:22".into()], families: Vec::new() };
    let refusals = inspect(&submission, "Dockerfile", &allowed, &args).refusals;
    assert!(refusals.iter().all(|one| one.at.is_some()), "{refusals:?}");
    refusals.into_iter().map(|one| one.what).collect()
}

#[track_caller]
fn assert_refused(text: &str, says: &str) {
    let refused = refused(text);
    assert!(refused.iter().any(|what| what.contains(says)), "{text}: {refused:?}");
}

#[test]
fn images_are_known_behind_arguments_and_platforms() {
    let here = &crate::submission::dockerfile::given_by_the_machine()["TARGETARCH"];
    for text in [
        "ARG V=22\nARG IMAGE=node:${V}\nFROM ${IMAGE:-debian}",
        "ARG V\nFROM node:${V:-22}${SLIM:+-slim}",
        "FROM --platform=$BUILDPLATFORM \"node:22\"",
        "ARG V=22.4\nFROM node:${V%.*}",
        &format!("FROM node:22 AS base-{here}\nFROM base-${{TARGETARCH}} AS final"),
    ] {
        assert_eq!(refused_whole(text, &[]), Vec::<String>::new(), "{text}");
    }
    for text in
        ["FROM node:23", "FROM node:22-slim", "FROM other/node:22", "FROM other@sha256:00", "FROM base-$TARGETARCH"]
    {
        assert_eq!(refused_whole(text, &[]).len(), 1, "{text}");
    }
    assert_eq!(refused_whole("FROM node:${W}", &[]), ["`node:` is no image of this lesson"]);
    assert_eq!(
        refused_whole("FROM node:22 AS app\nCOPY --from=Tools /x /x\nFROM node:22 AS tools", &[]),
        ["the stage `Tools` is used above the line that begins it"]
    );
    assert_eq!(refused_whole("FROM $W", &[]), ["which image `$W` is cannot be told"]);
    assert_eq!(refused_whole("ARG V=22\nFROM node:$V", &[("V", "1")]), ["`node:1` is no image of this lesson"]);
}

#[test]
fn images_of_a_family_are_told_with_their_lines() {
    let dir = tempfile::tempdir().expect("folder");
    let text = "FROM node:22 AS a\nFROM node:24\nCOPY --from=node@sha256:00ff /x /x\nCOPY --from=a /y /y\n";
    std::fs::write(dir.path().join("Dockerfile"), text).expect("write");
    let submission = Submission::at(dir.path());
    let allowed = Allowed { names: vec!["node:22".into()], families: vec!["docker.io/library/node".into()] };
    let looked = inspect(&submission, "Dockerfile", &allowed, &BTreeMap::new());
    assert_eq!(looked.refusals, []);
    let lines = |(name, at): (String, Option<Location>)| (name, at.map(|at| at.line));
    let others: Vec<_> = looked.others.into_iter().map(lines).collect();
    assert_eq!(others, [("node:24".to_owned(), Some(2)), ("node@sha256:00ff".to_owned(), Some(3))]);
}

#[test]
fn what_looks_like_a_here_document_hides_nothing_from_the_gate() {
    for hides in ["RUN echo \"a <<EOF b\"", "RUN echo << EOF", "RUN [\"a\"] <<EOF", "ONBUILD CMD <<EOF", "RUN a \\\\"] {
        assert_refused(&format!("{hides}\nVOLUME /sys\nEOF"), "a volume lies over /sys");
    }
    assert_eq!(refused("RUN <<EOF\nVOLUME /sys\nEOF"), Vec::<String>::new());
}

#[test]
fn an_escape_character_that_only_some_engines_know_hides_nothing() {
    let text = "# check=skip=all\n# escape=`\nFROM node:22\nRUN a `\nVOLUME /sys\n";
    assert_eq!(refused_whole(text, &[]), ["a volume lies over /sys"]);
    let text = "# escape=`\nFROM node:22\nHEALTHCHECK --inter\\val=1ms CMD a\n";
    assert_eq!(refused_whole(text, &[]), ["the health check runs every 1ms"]);
}

#[test]
fn times_of_health_checks_are_read_as_buildkit_reads_them() {
    for interval in ["--interval=\"1ms\"", "--inter\"val\"=.001s", "--start-interval=0.1s", "--inter\\val=199999us"] {
        assert_refused(&format!("HEALTHCHECK {interval} CMD echo"), "the health check runs every");
        assert_refused(&format!("ONBUILD HEALTHCHECK {interval} CMD echo"), "the health check runs every");
    }
    for interval in ["--interval=1", "--interval=1S", "--timeout=x", "--start-period="] {
        assert_refused(&format!("HEALTHCHECK {interval} CMD echo"), "cannot be read");
    }
    for fine in ["--interval=200ms --timeout=3s CMD a", "--interval=0s CMD a", "CMD a --interval=1ms", "NONE"] {
        assert_eq!(refused(&format!("HEALTHCHECK {fine}")), Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn volumes_are_known_in_each_spelling() {
    for volume in [
        "[\"\\u002fsys\"]",
        "/a \"/sys\"",
        "/s\\ys",
        "[\" /proc/x \"]",
        "${NOWHERE:-/sys}",
        "$TARGETARCH/../sys $X",
        "[\"/sys\"] x",
    ] {
        assert!(!refused(&format!("VOLUME {volume}")).is_empty(), "{volume}");
    }
    assert_refused("ENV D=/sys\nVOLUME $D", "a volume lies over /sys");
    assert_refused("ENV D=/data\nENV D=/sys\nVOLUME $D", "cannot be told");
    assert_eq!(refused("ARG D=/data\nENV E=$D/x\nVOLUME ${E} /b [c"), Vec::<String>::new());
}

#[test]
fn sources_are_named_and_not_put_together() {
    assert_refused("ARG V=22\nCOPY --from=node:$V /a /b", "which image `node:$V` is cannot be told");
    assert_refused("COPY --fr\"om\"=debian /a /b", "`debian` is no image");
    assert_refused("RUN --mount=type=bind,from=debian,target=/x ls", "`debian` is no image");
    assert_refused("ADD [\"https:\\u002f/x.org/a\", \"/b\"]", "ADD fetches https://x.org/a");
    assert_eq!(refused("COPY --from=0 /a /b\nCOPY --from=node:22 /a /b"), Vec::<String>::new());
}

#[test]
fn another_builder_counts_where_buildkit_looks_for_one() {
    for text in [
        "# escape=`\n# syntax=evil\nFROM node:22",
        "#!/usr/bin/env x\n{\"syntax\": \"evil\"}",
        "# check=skip=all\n# syntax=evil/dockerfile:1\nFROM node:22",
        "# syntax=docker/dockerfile-evil:1\nFROM node:22",
        "# syntax=evil docker/dockerfile:1\nFROM node:22",
    ] {
        assert!(refused_whole(text, &[]).iter().any(|what| what.contains("another builder")), "{text}");
    }
    for text in ["# Our image\n# syntax=evil\nFROM node:22", "# syntax=docker/dockerfile:1-labs\nFROM node:22"] {
        assert_eq!(refused_whole(text, &[]), Vec::<String>::new(), "{text}");
    }
}
