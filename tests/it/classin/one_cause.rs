//! One slip in a column of `classes` is one line for whoever mends it, and a row for each class in JSON.

use rosterd::Exit;
use rosterd_testkit::{DAY, School};

use super::set_of;
use crate::program::Programs as _;

const CLASSES: usize = 24;

/// So many classes of three courses, with three students in each.
async fn many_classes() -> (School, Vec<rosterd_testkit::ClassIds>, Vec<i64>) {
    let school = School::of_classin().await;
    let mut classes = Vec::new();
    let courses: Vec<i64> = (0..3).map(|at| school.sandbox.create_course(&format!("course {at}"))).collect();
    for at in 0..CLASSES {
        let course = courses[at % courses.len()];
        let ids = rosterd_testkit::ClassIds { course, class: school.sandbox.create_class(course, "lesson") };
        school.name_class(&format!("k{at:02}"), ids).await;
        classes.push(ids);
    }
    let uids = school.fill("k00", 3).await;
    school.sql("INSERT INTO class_members SELECT student_id, class_code FROM students, classes WHERE class_code <> 'k00'").await;
    school.run_as(Exit::Done).await;
    school.sandbox.clear_journal();
    (school, classes, uids)
}

/// The line of the text, and the number of rows that JSON has.
fn told(school: &School) -> (Vec<String>, usize) {
    let text = school.program(&["failures"]).stdout;
    let rows = school.program(&["failures", "--output", "json"]).json();
    let lines = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    (lines, rows.as_array().unwrap().len())
}

#[tokio::test]
async fn an_emptied_column_of_class_ids_is_one_line_and_json_has_the_id_of_each_class() {
    let (school, classes, uids) = many_classes().await;
    school.sql("UPDATE classes SET class_id = NULL").await;
    school.run_as(Exit::Incomplete).await;
    let (lines, rows) = told(&school);
    let [line] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(rows, CLASSES);
    assert!(line.contains("roster classes k00, k01, k02, k03, k04 and 19 more: class_id is empty"), "{line}");
    assert!(line.contains("24 rows") && line.contains("--output json"), "{line}");
    let all = school.failures().await;
    for (row, ids) in all.iter().zip(&classes) {
        assert!(row.message.contains(&format!("was {}", ids.class)), "{row:?}");
    }
    assert!(
        classes.iter().all(|ids| school.members(*ids) == set_of(&uids)) && school.classin_calls().is_empty()
    );
    // One of them is mended: the line tells of the others.
    let first = classes[0].class;
    school.sql(&format!("UPDATE classes SET class_id = {first} WHERE class_code = 'k00'")).await;
    school.run_as(Exit::Done).await;
    let (lines, rows) = told(&school);
    assert!(lines.len() == 1 && rows == CLASSES - 1 && lines[0].contains("23 rows"), "{lines:#?}");
}

#[tokio::test]
async fn an_emptied_column_of_course_ids_is_one_line() {
    let (school, classes, uids) = many_classes().await;
    school.sql("UPDATE classes SET course_id = NULL").await;
    let _held = school.run().await;
    let (lines, _) = told(&school);
    let of_classes: Vec<&String> = lines.iter().filter(|line| line.contains("roster classes")).collect();
    assert!(of_classes.len() == 1 && of_classes[0].contains("24 rows"), "{lines:#?}");
    assert!(classes.iter().all(|ids| school.members(*ids) == set_of(&uids)));
}

#[tokio::test]
async fn a_column_of_wrong_class_ids_is_one_line_for_whoever_enters_them() {
    let (school, classes, uids) = many_classes().await;
    school.sql("UPDATE classes SET class_id = class_id + 1000000").await;
    let _run = school.run().await;
    let (lines, rows) = told(&school);
    let of_ids: Vec<&String> =
        lines.iter().filter(|line| line.contains("143") || line.contains("142")).collect();
    assert!(rows >= CLASSES && of_ids.len() == 1, "{lines:#?}");
    assert!(
        of_ids[0].contains("classin enrol in k00, ")
            && of_ids[0].contains(" and 19 more")
            && of_ids[0].contains("24 rows"),
        "{lines:#?}"
    );
    assert!(classes.iter().all(|ids| school.members(*ids) == set_of(&uids)));
    school.sql("UPDATE classes SET class_id = class_id - 1000000").await;
    for _ in 0..3 {
        school.later(DAY);
        let _report = school.run().await;
    }
    assert_eq!(told(&school).1, 0, "{:?}", school.failures().await);
    assert!(classes.iter().all(|ids| school.members(*ids) == set_of(&uids)));
}
