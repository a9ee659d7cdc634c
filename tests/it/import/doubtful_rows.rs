//! Rows and values that only the roster or the whole of the files shows to be none of a student's, or another one's.

use super::*;

/// What an import says, and whether it was refused.
async fn come_of(desk: &Desk, text: &str) -> (bool, String) {
    desk.put("list.csv", text);
    match import(&desk.csv(&["list.csv"])).await {
        Ok(report) => (false, report.to_string()),
        Err(ImportError::BadRows(report) | ImportError::TooMuch(report)) => (true, report.to_string()),
        Err(other) => (true, other.to_string()),
    }
}

#[tokio::test]
async fn an_id_in_words_among_numbers_is_refused_with_its_line() {
    for (row, id) in [
        ("制表人,王老师,", "制表人"),
        ("班主任,李老师,", "班主任"),
        ("Teacher,Ms Smith,Room 12", "Teacher"),
        ("应到,二,实到", "应到"),
        ("必填,必填,选填", "必填"),
        ("示例：20260000,张三,", "示例：20260000"),
        ("Enter your id,Your name,", "Enter your id"),
    ] {
        let desk = Desk::new();
        let (refused, said) =
            come_of(&desk, &format!("学号,姓名,班级\n1001,王,1班\n{row}\n1002,李,1班\n")).await;
        assert!(refused && said.contains("list.csv:3:1: word-for-id"), "{row}: {said}");
        assert!(said.contains(&format!("student_id is {id}")), "{row}: {said}");
    }
    // Where ids are words, or the roster knows one, they are ids.
    for text in ["学号,姓名\nada,Ada\nbo,Bo\n1001,Cy\n", "学号,姓名\nS1,Ada\nS2,Bo\nada,Cy\n"] {
        let (refused, said) = come_of(&Desk::new(), text).await;
        assert!(!refused, "{said}");
    }
    let desk = Desk::new();
    desk.fill(&[("students.csv", "student_id,name\nada,Ada\n")]).await;
    let (refused, said) = come_of(&desk, "学号,姓名\n1001,王\nada,Ada\n1002,李\n").await;
    assert!(!refused, "{said}");
}

#[tokio::test]
async fn phones_that_lost_their_zeros_are_refused() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", "student_id,name,phone\n1001,Ada,06 12 34 56 78\n1002,Bo,138\n")]).await;
    for phone in ["612345678", "6 12 34 56 78"] {
        let text = format!("Student ID,Name,Phone\n1001,Ada,{phone}\n1002,Bo,139\n");
        let (refused, said) = come_of(&desk, &text).await;
        assert!(refused && said.contains("list.csv:2:1: lost-zeros: the telephone number of 1001"), "{said}");
        assert!(!said.contains("12345") && !said.contains("12 34"), "{said}");
    }
    let (refused, said) = come_of(&desk, "Student ID,Name,Phone\n1001,Ada,0712345678\n").await;
    assert!(!refused, "{said}");
}

#[tokio::test]
async fn a_class_in_another_spelling_is_no_second_class() {
    for (known, other) in
        [("高一(1)班", "高一（1）班"), ("高一1班", "高一１班"), ("7-1", "7－1"), ("01", "1"), ("1", "01")]
    {
        let desk = Desk::new();
        drop(come_of(&desk, &format!("学号,姓名,班级\n1001,王,{known}\n")).await);
        let (refused, said) = come_of(&desk, &format!("学号,姓名,班级\n1001,王,{other}\n")).await;
        assert!(refused && said.contains(known) && said.contains(other), "{known} {other}: {said}");
        let text = format!("学号,姓名,班级\n1001,王,{known}\n1002,李,{other}\n");
        let (refused, said) = come_of(&Desk::new(), &text).await;
        assert!(refused && said.contains("other-spelling"), "{known} {other}: {said}");
    }
    let desk = Desk::new();
    desk.put("groups.csv", "group_code,title\n1,One\n01,Other\n");
    drop(import(&desk.csv(&["groups.csv"])).await.unwrap());
    let (refused, said) = come_of(&desk, "学号,姓名,班级\n1001,王,1\n1002,李,01\n").await;
    assert!(!refused, "{said}");
}

#[tokio::test]
async fn a_group_that_would_go_over_to_another_is_refused_unless_that_is_meant() {
    let list = |class: &str, moved: usize| -> String {
        let row = |n: usize| format!("{},S{n},{}\n", 1000 + n, if n < moved { class } else { "高一(1)班" });
        std::iter::once("学号,姓名,班级\n".to_owned()).chain((0..12).map(row)).collect()
    };
    let desk = Desk::new();
    drop(come_of(&desk, &list("", 0)).await);
    let (refused, said) = come_of(&desk, &list("高一年级1班", 12)).await;
    assert!(refused && said.contains("12 of the 12 students of the group 高一(1)班 would move"), "{said}");
    assert!(said.contains("--allow-shrink"), "{said}");
    let (refused, said) = come_of(&desk, &list("高一(2)班", 6)).await;
    assert!(!refused, "half of them may: {said}");
    let allowed = ImportRequest { limit: None, ..desk.csv(&["list.csv"]) };
    desk.put("list.csv", list("高一年级1班", 12));
    drop(import(&allowed).await.unwrap());
}

#[tokio::test]
async fn a_club_takes_nobody_out_of_a_class() {
    let desk = Desk::new();
    drop(come_of(&desk, "Student ID,Name,Class\n1001,Ada,7A\n").await);
    for (heading, code) in [("Group", "Choir"), ("Gruppe", "Band")] {
        let (refused, said) = come_of(&desk, &format!("Student ID,Name,{heading}\n1001,Ada,{code}\n")).await;
        assert!(!refused, "{said}");
    }
    let members = "SELECT group_code FROM group_members ORDER BY 1";
    assert_eq!(desk.one(members).await, "7A|Band", "the second group replaces the first");
    drop(come_of(&desk, "学号,姓名,班级\n1001,Ada,8A\n").await);
    assert_eq!(desk.one(members).await, "8A|Band");
}

#[tokio::test]
async fn a_telephone_number_of_many_is_told() {
    let rows: String = (0..6).map(|n| format!("{},S{n},138\n", 1000 + n)).collect();
    let (refused, said) = come_of(&Desk::new(), &format!("学号,姓名,手机\n{rows}")).await;
    assert!(!refused && said.contains("one telephone number stands for 6 students, 1000 and 1005"), "{said}");
}
