//! What imports of the last day did counts in the next one, and what a column brought is remembered.

use super::*;
use jiff::{Timestamp, ToSpan};
use rosterd::{history_of, undo};
use rosterd_core::roster::Limit;

const PEOPLE: usize = 100;

/// The students of these numbers, each with a telephone number.
fn people(numbers: impl Iterator<Item = usize>) -> String {
    let rows = numbers.map(|n| format!("S{n:03},Student {n},138{n:08}\n"));
    std::iter::once("student_id,name,phone\n".to_owned()).chain(rows).collect()
}

/// An import of the whole truth at an hour of that day, where ten may go.
fn whole(desk: &Desk, text: &str, hour: i64) -> ImportRequest {
    let now: Timestamp = "2026-09-07T00:00:00Z".parse().unwrap();
    let request = bulk(desk.put_all(&[("students.csv", text)]));
    ImportRequest { limit: Some(Limit::Count(10)), now: now + hour.hours(), ..request }
}

fn refusal(result: Result<ImportReport, ImportError>) -> String {
    match result {
        Err(ImportError::TooMuch(report)) => report.to_string(),
        other => panic!("expected a refusal, found {other:?}"),
    }
}

#[tokio::test]
async fn a_roster_that_goes_in_slices_is_refused_at_the_slice_that_is_too_much() {
    let desk = Desk::new();
    drop(import(&whole(&desk, &people(0..PEOPLE), 0)).await.unwrap());
    drop(import(&whole(&desk, &people(6..PEOPLE), 1)).await.unwrap());
    let rest = people(12..PEOPLE);
    let text = refusal(import(&whole(&desk, &rest, 2)).await);
    assert!(
        text.contains(
            "6 of 100 students would be marked as having left after 6 by other imports of the last 24 hours"
        ),
        "{text}"
    );
    let text = refusal(import(&dry(whole(&desk, &rest, 2))).await);
    assert!(text.contains("after 6 by other imports"), "a preview says so too: {text}");
    // A day after the first slice it is a new one.
    drop(import(&whole(&desk, &rest, 26)).await.unwrap());
    assert_eq!(desk.one("SELECT COUNT(*) || '' FROM students WHERE active = 1").await, "88");
}

#[tokio::test]
async fn who_is_back_and_what_was_allowed_counts_against_nothing() {
    let desk = Desk::new();
    drop(import(&whole(&desk, &people(0..PEOPLE), 0)).await.unwrap());
    drop(import(&whole(&desk, &people(8..PEOPLE), 1)).await.unwrap());
    // The eight are back, and others go in the same file.
    drop(import(&whole(&desk, &people((0..50).chain(60..PEOPLE)), 2)).await.unwrap());
    let allowed = ImportRequest { limit: None, ..whole(&desk, &people(0..50), 3) };
    drop(import(&allowed).await.unwrap());
    let text = refusal(import(&whole(&desk, &people(1..50), 4)).await);
    assert!(text.contains("1 of 60 students") && text.contains("after 10 by"), "{text}");
    drop(import(&whole(&desk, &people(1..50), 27)).await.unwrap());
}

#[tokio::test]
async fn an_undone_import_counts_no_more_and_counts_again_when_that_is_taken_back() {
    let desk = Desk::new();
    drop(import(&whole(&desk, &people(0..PEOPLE), 0)).await.unwrap());
    drop(import(&whole(&desk, &people(10..PEOPLE), 1)).await.unwrap());
    undo(&desk.database()).await.unwrap();
    let other = people(0..PEOPLE - 1);
    drop(import(&dry(whole(&desk, &other, 2))).await.unwrap());
    undo(&desk.database()).await.unwrap();
    let text = refusal(import(&dry(whole(&desk, &people(11..PEOPLE), 2))).await);
    assert!(text.contains("after 10 by other imports"), "{text}");
}

#[tokio::test]
async fn a_column_that_comes_empty_is_refused_at_once_or_in_slices() {
    let desk = Desk::new();
    drop(import(&whole(&desk, &people(0..PEOPLE), 0)).await.unwrap());
    let without = |numbers: std::ops::Range<usize>| {
        let text = people(0..PEOPLE);
        let rows = text.lines().enumerate().map(|(line, row)| {
            let phone = row.rfind(',').unwrap() + 1;
            let row = if line > 0 && numbers.contains(&(line - 1)) { &row[..phone] } else { row };
            format!("{row}\n")
        });
        rows.collect::<String>()
    };
    let text = refusal(import(&whole(&desk, &without(0..PEOPLE), 1)).await);
    assert!(
        text.contains("refused: 100 of 100 students would lose their phone, and guard.max_delete allows 10"),
        "{text}"
    );
    assert_eq!(desk.one("SELECT COUNT(phone) || '' FROM students").await, "100");
    drop(import(&whole(&desk, &without(0..9), 2)).await.unwrap());
    let text = refusal(import(&whole(&desk, &without(0..11), 3)).await);
    assert!(text.contains("2 of 100 students would lose their phone after 9 by other imports"), "{text}");
}

#[tokio::test]
async fn classes_that_come_without_their_ids_are_refused() {
    let desk = Desk::new();
    let classes = |ids: &str| -> String {
        let rows = (0..8).map(|n| format!("C{n},Class {n},{ids}\n"));
        std::iter::once("class_code,title,course_id,class_id\n".to_owned()).chain(rows).collect()
    };
    desk.fill(&[("classes.csv", &classes("11,22"))]).await;
    let text = refusal(desk.import(&[("classes.csv", &classes(","))]).await);
    for column in ["course_id", "class_id"] {
        assert!(text.contains(&format!("8 of 8 classes would lose their {column}")), "{text}");
    }
}

fn by_column(desk: &Desk, class: &str) -> ImportRequest {
    desk.put("list.csv", format!("Nr,Name,Class\nS1,Ann,{class}\n"));
    let pairs = [("student_id", "Nr"), ("name", "Name"), ("group_code", "Class")];
    let pairs = pairs.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
    ImportRequest { map: ColumnMap::new(pairs.to_vec()), ..desk.csv(&["list.csv"]) }
}

const MEMBERS: &str = "SELECT student_id || group_code FROM group_members ORDER BY 1";

#[tokio::test]
async fn a_column_replaces_what_it_brought_itself_and_leaves_the_choir() {
    let desk = Desk::new();
    drop(import(&by_column(&desk, "7A")).await.unwrap());
    desk.fill(&[
        ("groups.csv", "group_code,title\nChoir,Choir\n"),
        ("group_members.csv", "student_id,group_code\nS1,Choir\n"),
    ])
    .await;
    let report = import(&by_column(&desk, "8B")).await.unwrap();
    assert_eq!(desk.one(MEMBERS).await, "S18B|S1Choir");
    assert!(!report.to_string().contains("that they had"), "{report}");
    undo(&desk.database()).await.unwrap();
    assert_eq!(desk.one(MEMBERS).await, "S17A|S1Choir");
    drop(import(&by_column(&desk, "9C")).await.unwrap());
    assert_eq!(desk.one(MEMBERS).await, "S19C|S1Choir", "an undo brings back what is remembered, too");
    // The school took the student out by hand: the column's own is gone, and the choir is none of its business.
    desk.run("DELETE FROM group_members WHERE group_code = '9C'").await;
    drop(import(&by_column(&desk, "9D")).await.unwrap());
    assert_eq!(desk.one(MEMBERS).await, "S19D|S1Choir");
}

#[tokio::test]
async fn what_one_column_brought_is_not_replaced_by_what_another_brings() {
    let desk = Desk::new();
    let by = |heading: &str, code: &str| {
        desk.put("list.csv", format!("Student ID,Name,{heading}\nS1,Ann,{code}\n"));
        let pairs = vec![("group_code".to_owned(), heading.to_owned())];
        ImportRequest { map: ColumnMap::new(pairs), ..desk.csv(&["list.csv"]) }
    };
    drop(import(&by("Class", "7A")).await.unwrap());
    let report = import(&by("Club", "Chess")).await.unwrap();
    assert_eq!(desk.one(MEMBERS).await, "S17A|S1Chess");
    assert!(report.to_string().contains("stays in other groups that they had: S1"), "{report}");
    for (heading, code, members) in [
        ("Class", "7B", "S17B|S1Chess"),
        ("club", "Choir", "S17B|S1Choir"),
        ("班级", "8B", "S18B|S1Choir"),
        ("Club", "Choir", "S18B|S1Choir"),
    ] {
        let report = import(&by(heading, code)).await.unwrap();
        assert_eq!(desk.one(MEMBERS).await, members, "{heading}");
        assert!(!report.to_string().contains("that they had"), "{report}");
    }
}

#[tokio::test]
async fn what_an_earlier_release_noted_of_a_column_counts_as_that_of_any() {
    let desk = Desk::new();
    drop(import(&by_column(&desk, "7A")).await.unwrap());
    let options = SqliteConnectOptions::new().filename(history_of(&desk.database()));
    let mut history = options.connect().await.unwrap();
    let earlier = "ALTER TABLE brought DROP COLUMN own; ALTER TABLE brought_before DROP COLUMN own; PRAGMA user_version = 1";
    sqlx::raw_sql(earlier).execute(&mut history).await.unwrap();
    drop(history);
    drop(import(&by_column(&desk, "8B")).await.unwrap());
    assert_eq!(desk.one(MEMBERS).await, "S18B");
    undo(&desk.database()).await.unwrap();
    assert_eq!(desk.one(MEMBERS).await, "S17A");
}

#[tokio::test]
async fn the_file_beside_the_roster_is_private_and_a_roster_made_anew_begins_anew() {
    let desk = Desk::new();
    drop(import(&whole(&desk, &people(0..PEOPLE), 0)).await.unwrap());
    drop(import(&whole(&desk, &people(8..PEOPLE), 1)).await.unwrap());
    let history = history_of(&desk.database());
    #[cfg(unix)]
    {
        let file = std::fs::metadata(&history).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&file) & 0o777, 0o600);
    }
    std::fs::remove_file(desk.database()).unwrap();
    drop(import(&whole(&desk, &people(0..PEOPLE), 2)).await.unwrap());
    drop(import(&whole(&desk, &people(8..PEOPLE), 3)).await.unwrap());

    std::fs::write(&history, "no database").unwrap();
    let error = import(&whole(&desk, &people(8..PEOPLE), 4)).await.unwrap_err();
    assert!(error.is_configuration() && format!("{error:?}").contains("roster.db.imports"), "{error:?}");
}

/// A list with a class for each of twelve students, of which so many are in the second; nothing is said of the whole.
fn classes(desk: &Desk, moved: usize, hour: i64) -> ImportRequest {
    let row = |n: usize| format!("S{n:02},Student {n},{}\n", if n < moved { "7B" } else { "7A" });
    let text: String =
        std::iter::once("Student ID,Name,Class\n".to_owned()).chain((0..12).map(row)).collect();
    let now: Timestamp = "2026-09-07T00:00:00Z".parse().unwrap();
    ImportRequest {
        limit: Some(Limit::Count(100)),
        now: now + hour.hours(),
        ..desk.put_all(&[("list.csv", &text)])
    }
}

#[tokio::test]
async fn a_class_that_goes_over_to_another_in_slices_is_refused_at_the_slice_that_is_too_much() {
    let desk = Desk::new();
    drop(import(&classes(&desk, 0, 0)).await.unwrap());
    drop(import(&classes(&desk, 4, 1)).await.unwrap());
    let text = refusal(import(&classes(&desk, 8, 2)).await);
    let said = "4 of the 12 students of the group 7A would move to another after 4 by other imports of the last 24 hours";
    assert!(text.contains(said), "{text}");
    let text = refusal(import(&dry(classes(&desk, 8, 2))).await);
    assert!(text.contains(said), "a preview says so too: {text}");
    // Two more make half of it, which may go.
    drop(import(&classes(&desk, 6, 3)).await.unwrap());
    refusal(import(&classes(&desk, 7, 4)).await);
    // Who is back counts no more, nor does what went a day ago.
    drop(import(&classes(&desk, 3, 5)).await.unwrap());
    drop(import(&classes(&desk, 6, 6)).await.unwrap());
    drop(import(&classes(&desk, 8, 31)).await.unwrap());
    let allowed = ImportRequest { limit: None, ..classes(&desk, 12, 32) };
    drop(import(&allowed).await.unwrap());
}

#[tokio::test]
async fn who_was_taken_out_of_a_class_counts_among_those_who_move_out_of_it() {
    let desk = Desk::new();
    drop(import(&classes(&desk, 0, 0)).await.unwrap());
    let members = |numbers: std::ops::Range<usize>| -> String {
        let rows = numbers.map(|n| format!("S{n:02},7A\n"));
        std::iter::once("student_id,group_code\n".to_owned()).chain(rows).collect()
    };
    let request = bulk(desk.put_all(&[("group_members.csv", &members(4..12))]));
    drop(
        import(&ImportRequest { limit: Some(Limit::Count(100)), now: classes(&desk, 0, 1).now, ..request })
            .await
            .unwrap(),
    );
    // The four are in 7B now, and four more go there.
    let text = refusal(import(&classes(&desk, 8, 2)).await);
    assert!(text.contains("4 of the 12 students of the group 7A would move to another after 4"), "{text}");
}
