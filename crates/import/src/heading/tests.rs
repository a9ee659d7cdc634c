//! Headings as programs and offices write them.

use csv::StringRecord;

use super::*;

fn read(names: &[&str], pairs: &[(&str, &str)]) -> Heading {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let pairs = pairs.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned())).collect();
    Heading::read(&names, RosterTable::Students, &ColumnMap::new(pairs))
}

/// Our columns, with what each row would have in them if a field's value were its column's name.
fn ours(heading: &Heading, names: &[&str]) -> Vec<String> {
    let fields: StringRecord = names.iter().collect();
    let own = heading.names.iter().zip(names).filter(|(name, _)| !name.is_empty());
    let own = own.map(|(name, theirs)| format!("{name}={theirs}"));
    own.chain(heading.made.iter().map(|(name, made)| format!("{name}={}", made.value(&fields)))).collect()
}

#[test]
fn ordinary_exports_are_understood_without_a_mapping() {
    for (names, expected) in [
        (
            &["序号", "学号", "姓名", "性别", "手机", "班级"][..],
            &["student_id=学号", "name=姓名", "gender=性别", "phone=手机", "group_code=班级"][..],
        ),
        (&["学号", "姓名", "年级", "班级"], &["student_id=学号", "name=姓名", "group_code=年级班级"]),
        (
            &["Student_Number", "First_Name", "Last_Name", "Home_Room"],
            &["student_id=Student_Number", "group_code=Home_Room", "name=First_Name Last_Name"],
        ),
        (
            &["Schülernummer", "Name", "Vorname", "Klasse"],
            &["student_id=Schülernummer", "group_code=Klasse", "name=Vorname Name"],
        ),
        (
            &["Identifiant", "Nom", "Prénom", "Classe"],
            &["student_id=Identifiant", "group_code=Classe", "name=Prénom Nom"],
        ),
        (
            &["Matrícula", "Nombre", "Apellidos", "Correo"],
            &["student_id=Matrícula", "email=Correo", "name=Nombre Apellidos"],
        ),
        (
            &["Matrícula", "Nombre", "Primer apellido", "Segundo apellido", "Curso", "Grupo"],
            &["student_id=Matrícula", "name=Nombre Primer apellido Segundo apellido", "group_code=Grupo"],
        ),
        (
            &["ID", "Nombre", "Apellido Paterno", "Apellido Materno"],
            &["student_id=ID", "name=Nombre Apellido Paterno Apellido Materno"],
        ),
        (&["学号", "姓名", "手机", "手机（家长）"], &["student_id=学号", "name=姓名", "phone=手机"]),
        (&["学籍番号", "姓", "名", "クラス"], &["student_id=学籍番号", "group_code=クラス", "name=姓名"]),
        (&["학번", "성", "이름", "반"], &["student_id=학번", "group_code=반", "name=성이름"]),
        (
            &["Student ID", "Name", "Password", "Email"],
            &["student_id=Student ID", "name=Name", "email=Email"],
        ),
    ] {
        let heading = read(names, &[]);
        assert!(heading.is_acceptable(), "{names:?}: {heading:?}");
        assert_eq!(ours(&heading, names), expected, "{names:?}");
    }
}

#[test]
fn a_mapping_joins_names_and_gives_one_column_to_group_and_class() {
    let names = ["Nr", "Vor", "Nach", "Klasse"];
    let pairs =
        [("student_id", "Nr"), ("name", "Vor+Nach"), ("group_code", "Klasse"), ("class_code", "Klasse")];
    let heading = read(&names, &pairs);
    assert!(heading.is_acceptable(), "{heading:?}");
    assert_eq!(
        ours(&heading, &names),
        ["student_id=Nr", "group_code=Klasse", "name=Vor Nach", "class_code=Klasse"]
    );
}

#[test]
fn a_joined_column_may_be_group_and_class_and_its_part_a_further_column() {
    let pairs =
        [("student_id", "Nr"), ("name", "A+B"), ("first", "A"), ("group_code", "G+C"), ("class_code", "G+C")];
    let heading = read(&["Nr", "A", "B", "G", "C"], &pairs);
    assert!(heading.is_acceptable(), "{heading:?}");
}

#[test]
fn with_a_mapping_only_what_is_needed_is_found_by_words() {
    let names = ["学号", "全名", "手机", "班级"];
    let heading = read(&names, &[("name", "全名")]);
    assert_eq!(ours(&heading, &names), ["student_id=学号", "name=全名", "group_code=班级"]);
    assert_eq!(heading.skipped[NOT_MAPPED], ["手机"]);
}

#[test]
fn one_name_for_two_columns_is_refused_where_it_matters() {
    for (names, pairs) in [
        (&["学号", "姓名", "电话", "电话"][..], &[("phone", "电话")][..]),
        (&["学号", "姓名", "姓名", "电话"], &[]),
        (&["Nr", "Name", "Tel"], &[("student_id", "Nr"), ("phone", "Tel"), ("email", "tel")]),
        (&["Nr", "A", "B"], &[("student_id", "Nr"), ("name", "A"), ("name", "B")]),
        (&["Nr", "A", "B"], &[("student_id", "Nr"), ("name", "A"), ("email", "A+B")]),
        (&["Nr", "A", "B"], &[("student_id", "Nr"), ("name", "A+B"), ("email", "A")]),
        (&["Nr", "A", "B"], &[("student_id", "Nr"), ("name", "A+A")]),
        (&["Nr", "A", "B"], &[("student_id", "Nr"), ("name", "Nr+A")]),
    ] {
        assert!(!read(names, pairs).is_acceptable(), "{names:?}");
    }
}

#[test]
fn of_two_phones_neither_is_taken_and_the_note_says_what_to_add() {
    let heading = read(&["学号", "姓名", "邮箱", "电话", "电话"], &[]);
    assert!(heading.is_acceptable() && !heading.has("phone"), "{heading:?}");
    assert!(heading.notes[0].ends_with("--map 'phone=电话#1' --map 'email=邮箱'"), "{:?}", heading.notes);
    let heading = read(&["学号", "姓名", "电话", "电话"], &[("phone", "电话#2")]);
    assert_eq!(heading.names, ["student_id", "name", "", "phone"]);
    for column in ["电话#0", "电话#3", "电话#", "#1"] {
        assert!(!read(&["学号", "姓名", "电话", "电话"], &[("phone", column)]).is_acceptable(), "{column}");
    }
    let heading = read(&["学号", "姓名", "班级", "班级"], &[]);
    assert_eq!(heading.faults[0].code, "duplicate-column");
}

#[test]
fn an_id_of_our_name_does_not_hide_words_for_the_name() {
    let names = ["STUDENT_ID", "LAST_NAME", "FIRST_NAME", "BIRTHDATE"];
    assert_eq!(ours(&read(&names, &[]), &names), ["student_id=STUDENT_ID", "name=FIRST_NAME LAST_NAME"]);
    let names = ["student_id", "phone", "house"];
    assert_eq!(ours(&read(&names, &[]), &names), ["student_id=student_id", "phone=phone", "house=house"]);
}

#[test]
fn half_a_name_is_refused_with_the_command_for_the_whole() {
    let heading = read(&["Student ID", "Name", "Birth Surname"], &[]);
    assert!(!heading.is_acceptable());
    assert!(heading.faults[0].message.contains("--map 'name=Name+Birth Surname'"), "{heading:?}");
    let others = read(&["Student ID", "Name", "Mother's surname"], &[]);
    assert!(others.is_acceptable(), "{others:?}");
}

#[test]
fn rows_that_are_no_heading_are_told_from_one() {
    for names in
        [&["2026级学生名单"][..], &["S1", "Ada", "ada@example.org"], &["姓名", "班级"], &["", "制表：王"]]
    {
        assert!(!read(names, &[]).is_acceptable(), "{names:?}");
    }
}
