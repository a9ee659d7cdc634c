//! What is the whole truth and what is a part of it, and what a row says of a student beyond its own columns.

use super::*;

const CLASSES_OF_A: &str = "Nr,Name,Class\nS1,Ann,7A\nS2,Bea,7A\n";

fn of_classes(desk: &Desk, text: &str) -> ImportRequest {
    desk.put("list.csv", text);
    let pairs = [("student_id", "Nr"), ("name", "Name"), ("group_code", "Class")];
    let pairs = pairs.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
    ImportRequest { map: ColumnMap::new(pairs.to_vec()), ..desk.csv(&["list.csv"]) }
}

const MEMBERS: &str = "SELECT student_id || group_code FROM group_members ORDER BY 1";

#[tokio::test]
async fn a_class_that_changed_in_a_students_own_row_replaces_the_single_one_before() {
    let desk = Desk::new();
    drop(import(&of_classes(&desk, CLASSES_OF_A)).await.unwrap());
    // A whole year moves up: nobody has lost a class, so the guard has no part in it.
    let request = of_classes(&desk, "Nr,Name,Class\nS1,Ann,8B\nS2,Bea,8B\n");
    let report = import(&ImportRequest { limit: Some(rosterd_core::roster::Limit::Count(0)), ..request })
        .await
        .unwrap();
    assert_eq!((report.difference.group_members.added, report.difference.group_members.left), (2, 2));
    assert_eq!(desk.one(MEMBERS).await, "S18B|S28B");
}

#[tokio::test]
async fn a_whole_list_that_lost_all_its_rows_to_problems_is_refused() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", STUDENTS)]).await;
    let request = skipping(bulk(desk.put_all(&[("students.csv", "student_id,name\n,Ada\n")])));
    assert!(matches!(import(&request).await, Err(ImportError::NoStudents)));
}

#[tokio::test]
async fn of_several_groups_none_goes_unless_that_is_asked_for() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", "student_id,name\nS1,Ann\nS2,Bea\n")]).await;
    // The school's own program wrote these: which of them the column brought is not known.
    desk.run("INSERT INTO groups (group_code, title) VALUES ('7A', '7A'), ('Choir', 'Choir')").await;
    desk.run("INSERT INTO group_members VALUES ('S1', '7A'), ('S1', 'Choir'), ('S2', '7A')").await;
    let request = of_classes(&desk, "Nr,Name,Class\nS1,Ann,8B\nS2,Bea,7A\n");
    let report = import(&request).await.unwrap();
    assert_eq!(desk.one(MEMBERS).await, "S17A|S18B|S1Choir|S27A");
    assert!(
        report.to_string().contains("stays in other groups that they had: S1 (--replace-groups"),
        "{report}"
    );
    drop(import(&ImportRequest { replace_groups: true, ..request }).await.unwrap());
    assert_eq!(desk.one(MEMBERS).await, "S18B|S27A");
}

#[tokio::test]
async fn a_student_whom_a_good_row_names_is_there_again() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", STUDENTS)]).await;
    desk.run("UPDATE students SET active = 0").await;
    let report = desk.import(&[("students.csv", "student_id,name\nS1,Li Lei\n")]).await.unwrap();
    assert_eq!(desk.one("SELECT student_id FROM students WHERE active = 1").await, "S1");
    assert!(
        report.to_string().contains("there again, as the files have them, though they had left: 1 student\n"),
        "{report}"
    );
}

#[tokio::test]
async fn a_whole_roster_whose_members_its_students_lack_is_refused() {
    let desk = Desk::new();
    desk.fill(&EVERYTHING).await;
    let files = [("students.csv", "student_id,name\nS1,Li Lei\n"), ("group_members.csv", GROUP_MEMBERS)];
    let result = import(&bulk(desk.put_all(&files))).await;
    assert_eq!(problems(result), [at("group_members.csv", 3, 1, "unknown-student")]);
    assert!(
        import(&desk.put_all(&files)).await.is_ok(),
        "a part of the truth may name whom the database knows"
    );
}

#[tokio::test]
async fn zeros_that_come_and_go_make_no_second_student() {
    for (before, file, code) in [
        ("00123", "student_id,name\n123,Ada\n", "lost-zeros"),
        ("123", "student_id,name\n00123,Ada\n", "returned-zeros"),
        ("7", "student_id,name\n0123,Ada\n123,Bo\n", "lost-zeros"),
    ] {
        let desk = Desk::new();
        desk.fill(&[("students.csv", &format!("student_id,name\n{before},Ada\n"))]).await;
        let found = problems(desk.import(&[("students.csv", file)]).await);
        assert_eq!((found.len(), found[0].3), (1, code), "{before}: {found:?}");
    }
}

#[tokio::test]
async fn most_ids_being_new_is_remarked_upon() {
    let desk = Desk::new();
    let rows = |from: usize| -> String {
        let rows = (from..from + 10).map(|n| format!("S{n},Student {n}\n"));
        std::iter::once("student_id,name\n".to_owned()).chain(rows).collect()
    };
    let first = desk.import(&[("students.csv", &rows(100))]).await.unwrap();
    assert!(first.notices.is_empty(), "{first}");
    let report = desk.import(&[("students.csv", &rows(200))]).await.unwrap();
    assert!(report.to_string().contains("10 of 10 ids are new to a roster of 10"), "{report}");
}

#[tokio::test]
async fn many_rows_with_one_id_are_each_reported_with_the_first() {
    let desk = Desk::new();
    let text = format!("student_id,name\nS1,Ada\n{}", "S1,Bo\n".repeat(23_999));
    let Err(ImportError::BadRows(report)) = desk.import(&[("students.csv", &text)]).await else {
        panic!("taken")
    };
    assert_eq!(report.problems.len() as u64 + report.unlisted_problems, 23_999);
    assert_eq!(
        report.problems[0].message,
        "S1 stands in lines 2 and 3, with another name: leave the row that is right"
    );
}

#[tokio::test]
async fn what_was_exported_is_imported_without_a_change() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", STUDENTS)]).await;
    desk.run(
        "UPDATE students SET name = '-Bea', email = '=b@example.org', phone = '+1 (212) 555-0123' WHERE student_id = 'S1'",
    )
    .await;
    let text = "\u{feff}student_id,name,gender,phone,email,active,groups,classes\r\nS1,'-Bea,male,'+1 (212) 555-0123,\
                '=b@example.org,1,\"7A, 8B\",\r\nS2,Han Meimei,female,2,,1,,\r\n";
    let report = desk.import(&[("students.csv", text)]).await.unwrap();
    assert!(report.difference.is_empty(), "{report}");
    assert!(report.to_string().contains("change them in group_members and class_members"), "{report}");
}

#[tokio::test]
async fn who_was_cut_off_from_a_whole_roster_is_no_leaver_when_bad_rows_are_skipped() {
    let desk = Desk::new();
    desk.fill(&EVERYTHING).await;
    let files = [("students.csv", "student_id,name\nS1,Li Lei\n"), ("group_members.csv", GROUP_MEMBERS)];
    let report = import(&skipping(bulk(desk.put_all(&files)))).await.unwrap();
    assert!(report.incomplete.contains(&RosterTable::Students), "{report}");
    assert_eq!(desk.one("SELECT COUNT(*) || '' FROM students WHERE active = 1").await, "2");
}

#[tokio::test]
async fn a_bad_first_row_of_a_class_takes_the_class_from_nobody() {
    let desk = Desk::new();
    let text = "Nr,Name,Class\n1E+10,Ann,7A\nS2,Bea,7A\nS3,Cem,7A\n";
    drop(import(&skipping(of_classes(&desk, text))).await.unwrap());
    assert_eq!(desk.one(MEMBERS).await, "S27A|S37A");
}

/// Twelve students, with the line end of the last.
fn twelve() -> String {
    let row = |number: u32| format!("202600{number:02},Ann Lee,138000000{number:02}\n");
    std::iter::once("student_id,name,phone\n".to_owned()).chain((1..=12).map(row)).collect()
}

#[tokio::test]
async fn a_whole_list_that_was_cut_off_makes_no_leavers() {
    let desk = Desk::new();
    let list = twelve();
    drop(desk.import(&[("students.csv", &list)]).await.unwrap());
    for length in [list.len() - 3, list.len() - 12, list.len() - 16, list.len() - 24] {
        let request = bulk(desk.put_all(&[("students.csv", &list[..length])]));
        assert_eq!(problems(import(&request).await).first().map(|(.., code)| *code), Some("cut-off"));
        let report = import(&skipping(request)).await.unwrap();
        assert_eq!(report.difference.students.left, 0, "{report}");
    }
    // At the end of a row nothing but the missing line end tells.
    let row = list.match_indices('\n').map(|(at, _)| at).nth(11).unwrap();
    let report = import(&bulk(desk.put_all(&[("students.csv", &list[..row])]))).await.unwrap();
    assert_eq!(report.difference.students.left, 1);
    assert!(
        report.to_string().contains("the last row has no line end, as in a file that was cut off"),
        "{report}"
    );
    let report = import(&bulk(desk.put_all(&[("students.csv", list.trim_end())]))).await.unwrap();
    assert!(!report.to_string().contains("no line end"), "nobody left: {report}");
}
