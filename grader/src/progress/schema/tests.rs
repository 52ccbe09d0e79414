//! Databases of other versions: older ones go on, newer ones are left alone.

use super::super::Progress;
use super::*;

/// The schema of version 1, as the grader that made it had it.
const VERSION_1: &str = "
    CREATE TABLE IF NOT EXISTS attempt (
        id INTEGER PRIMARY KEY, lesson TEXT NOT NULL, at TEXT NOT NULL,
        points INTEGER NOT NULL, of INTEGER NOT NULL, failed TEXT NOT NULL, report TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS attempt_by_lesson ON attempt (lesson, id);
    CREATE TABLE IF NOT EXISTS hint (
        lesson TEXT NOT NULL, check_id TEXT NOT NULL, shown INTEGER NOT NULL, PRIMARY KEY (lesson, check_id));
    CREATE TABLE IF NOT EXISTS answer (
        lesson TEXT NOT NULL, question TEXT NOT NULL, stored TEXT NOT NULL, PRIMARY KEY (lesson, question));
    PRAGMA user_version = 1;
";

const ROWS: &str = r#"
    INSERT INTO attempt (lesson, at, points, of, failed, report) VALUES
        ('lesson36', '2026-11-20T10:00:00.5Z', 90, 100, 'a b', '{"result": "failed", "checks": []}'),
        ('lesson36', '2026-11-20T10:00:00.123456789Z', 0, 100, '', '{"result": "refused"}'),
        ('lesson36', '2026-11-21T10:00:00Z', 100, 100, '', '{"result": "passed"}');
    INSERT INTO hint VALUES ('lesson36', 'a', 1), ('lesson36', 'never-failed', 2);
    INSERT INTO answer VALUES ('lesson36', 'q', '{"answer": "x", "right": true}');
"#;

fn version_1() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("p.sqlite");
    let connection = Connection::open(&path).expect("database");
    connection.pragma_update(None, "journal_mode", "WAL").expect("wal");
    connection.execute_batch(VERSION_1).expect("schema");
    connection.execute_batch(ROWS).expect("rows");
    (dir, path)
}

#[test]
fn a_database_of_version_1_goes_on_with_all_that_it_knows() {
    let (_dir, path) = version_1();
    let progress = Progress::open_at(path.clone()).expect("migrated");
    let summary = progress.summary("lesson36").expect("summary");
    assert_eq!((summary.attempts, summary.best), (3, Some((100, 100))));
    assert_eq!(summary.passed.as_deref(), Some("2026-11-21T10:00:00.000000Z"));
    let attempts = progress.attempts("lesson36").expect("attempts");
    let results: Vec<_> = attempts.iter().map(|(attempt, _)| attempt.result.as_str()).collect();
    assert_eq!(results, ["refused", "failed", "passed"], "in the order of their times");
    assert_eq!(attempts[1].0.failed, ["a", "b"]);
    let open = |check| progress.hints("lesson36", check, 3).expect("hints").open;
    assert_eq!((open("a"), open("b"), open("never-failed")), (1, 1, 2), "what was shown stays open");
    assert!(progress.answers("lesson36").expect("answers")["q"].right);
    drop(progress);
    let again = Progress::open_at(path).expect("opened again");
    assert_eq!(again.attempts("lesson36").expect("attempts").len(), 3, "a migration is made once");
}

#[test]
fn an_old_grader_that_opened_a_new_database_does_no_harm() {
    let (_dir, path) = version_1();
    drop(Progress::open_at(path.clone()).expect("migrated"));
    Connection::open(&path).expect("open").execute_batch(VERSION_1).expect("what version 1 did at each start");
    let progress = Progress::open_at(path.clone()).expect("opened again");
    assert_eq!(progress.attempts("lesson36").expect("attempts").len(), 3);
    assert_eq!(version(&Connection::open(&path).expect("open")).expect("version"), NEWEST);
}

#[test]
fn two_copies_of_an_old_database_are_one_set_of_attempts() {
    let ((_a, one), (_b, two)) = (version_1(), version_1());
    let (one, two) = (Progress::open_at(one).expect("one"), Progress::open_at(two).expect("two"));
    let exported = serde_json::to_string(&one.export().expect("export")).expect("text");
    let merged = two.import(&exported).expect("no fault").expect("not refused");
    assert_eq!((merged.attempts, merged.known, merged.others), (0, 3, 0));
}

#[test]
fn a_newer_database_is_a_fault_that_says_so_and_stays_as_it_is() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("p.sqlite");
    let newer = || Connection::open(&path).expect("database");
    newer().execute_batch("CREATE TABLE future (x); PRAGMA user_version = 99;").expect("schema");
    let fault = Progress::open_at(path.clone()).err().expect("a fault");
    let text = format!("{fault} {}", fault.remedy());
    assert!(text.contains("p.sqlite") && text.contains("a newer grader"), "{text}");
    assert_eq!(fault.exit_code(), 3);
    let tables: u32 =
        newer().query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).expect("still readable");
    assert_eq!(tables, 1);
}

#[test]
fn a_migration_that_fails_leaves_the_old_version_whole() {
    let (_dir, path) = version_1();
    // A table of that name is in the way of the second step, after it has begun.
    Connection::open(&path).expect("open").execute_batch("CREATE TABLE give_up (x)").expect("in the way");
    assert!(Progress::open_at(path.clone()).is_err());
    let connection = Connection::open(&path).expect("open");
    assert_eq!(version(&connection).expect("version"), 1);
    let count: u32 = connection.query_row("SELECT count(*) FROM attempt", [], |row| row.get(0)).expect("rows");
    assert_eq!(count, 3);
}

#[test]
fn a_damaged_database_is_a_fault_that_names_the_file_and_stays_as_it_is() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("p.sqlite");
    std::fs::write(&path, "this is no database, and long enough to be looked at").expect("write");
    let message = Progress::open_at(path.clone()).err().expect("a fault").to_string();
    assert!(message.contains("p.sqlite"), "{message}");
    assert!(std::fs::read_to_string(&path).expect("read").starts_with("this is no database"));
}
