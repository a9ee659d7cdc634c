//! Bundles of Microsoft's School Data Sync, with the columns that its documentation names.

use std::collections::BTreeSet;

use rosterd_import::oneroster::{self, GroupsFrom, OnerosterOptions, StudentIdFrom};
use rosterd_import::{Completeness, SkippedColumns};

use super::*;

const ORGS: &str = "sourcedId,name,type,parentSourcedId\no1,School,school,\n";
const USERS: &str = "sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms\n\
    u1,ann,Ann,Lee,,,ann@school.example,,\nu2,bea,Bea,Fox,,,bea@school.example,,\nt1,tom,Tom,Ray,,,tom@school.example,,\n";
const ROLES: &str = "userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,roleStartDate,roleEndDate\n\
    u1,o1,student,,07,true,2026-09-01,2027-06-30\nu2,o1,student,,07,true,2025-09-01,2026-06-30\nt1,o1,teacher,,,true,,\n";
const CLASSES: &str = "sourcedId,orgSourcedId,title,sessionSourcedIds,courseSourcedId\nc1,o1,Maths,,\n";
const ENROLLMENTS: &str = "classSourcedId,userSourcedId,role\nc1,u1,student\nc1,u2,student\nc1,t1,teacher\n";

/// The good rows and the findings of a bundle of these files.
fn bundle(files: &[(&str, &str)]) -> Read {
    let desk = Desk::new();
    for (name, text) in files {
        desk.put(name, text);
    }
    let options = OnerosterOptions {
        student_id: StudentIdFrom::SourcedId,
        groups: BTreeSet::from([GroupsFrom::Classes]),
        roles: vec!["student".to_owned()],
        map: ColumnMap::default(),
        disabled_have_left: false,
        keep_ended: false,
        today: jiff::civil::date(2026, 11, 28),
        reading: rosterd_import::ReadOptions::default(),
    };
    let path = desk.0.path().to_owned();
    come_of(move |sink| oneroster::read(sink, &path, &options))
}

#[test]
fn a_bundle_of_school_data_sync_goes_in_as_the_whole_truth() {
    let files = [
        ("orgs.csv", ORGS),
        ("users.csv", USERS),
        ("roles.csv", ROLES),
        ("classes.csv", CLASSES),
        ("enrollments.csv", ENROLLMENTS),
    ];
    let found = bundle(&files);
    found.is_good();
    assert!(found.students.contains(&"u1 Ann Lee - - ann@school.example".to_owned()), "{:?}", found.students);
    assert_eq!(found.members, ["u1 in class c1", "u1 in c1", "u2 in class c1", "u2 in c1"]);
    assert_eq!(found.reading.completeness, Some(Completeness::Whole));
    let said = found.messages();
    assert!(said.contains("read as School Data Sync 2.1, which has no manifest"), "{said}");
    assert!(said.contains("1 role of students ended before today and counts all the same"), "{said}");
    let skipped: Vec<&SkippedColumns> = found.reading.skipped_columns.iter().collect();
    assert!(skipped.iter().any(|skipped| skipped.columns.contains(&"password".to_owned())), "{skipped:?}");
    // Without classes it has students alone.
    assert_eq!(bundle(&files[..3]).is_good().members, <[&str; 0]>::default());
}

#[test]
fn a_bundle_of_one_roster_that_lost_its_manifest_is_no_other() {
    let roles = "sourcedId,status,userSourcedId,roleType,role,orgSourcedId\nr1,,u1,primary,student,o1\n";
    for files in [
        &[("orgs.csv", ORGS), ("users.csv", USERS), ("roles.csv", roles)][..],
        &[("users.csv", USERS), ("roles.csv", ROLES)],
        &[("orgs.csv", ORGS), ("users.csv", USERS)],
    ] {
        assert_eq!(bundle(files).problems(), [(1, 1, "missing-file")], "{files:?}");
    }
}

const SECTIONS: &str =
    "SIS ID,School SIS ID,Section Name,Section Number\nsec1,1001,Maths 9,1\nsec2,1001,Art 9,1\n";
const SDS_STUDENTS: &str = "SIS ID,School SIS ID,Username,First Name,Last Name,Password,Grade\n\
    0001,1001,ann,Ann,Lee,xxx,09\n0002,1001,bea,Bea,Fox,xxx,09\n";
const ENROLLED: &str = "Section SIS ID,SIS ID\nsec1,0001\nsec1,0002\nsec2,0001\n";

/// The good rows of the files of version 1, as `import csv` reads a folder of them.
fn classic(files: &[(&str, &str)]) -> Read {
    let desk = Desk::new();
    for (name, text) in files {
        desk.put(name, text);
    }
    let path = desk.0.path().to_owned();
    come_of(move |sink| rosterd_import::csv_files::read(sink, &[path], &CsvOptions::default()))
}

#[test]
fn the_first_version_of_school_data_sync_goes_in_by_its_own_names_and_headings() {
    let teachers = "SIS ID,School SIS ID,Username,First Name,Last Name\nt1,1001,tom,Tom,Ray\n";
    let found = classic(&[
        ("School.csv", "SIS ID,Name\n1001,North High\n"),
        ("Student.csv", SDS_STUDENTS),
        ("Section.csv", SECTIONS),
        ("StudentEnrollment.csv", ENROLLED),
        ("Teacher.csv", teachers),
        ("TeacherRoster.csv", "Section SIS ID,SIS ID\nsec1,t1\n"),
    ]);
    found.is_good();
    assert_eq!(
        found.students,
        ["0001 Ann Lee - - -", "0002 Bea Fox - - -"],
        "no teacher, no section is a student"
    );
    let in_order: BTreeSet<&str> = found.members.iter().map(String::as_str).collect();
    let sections = [
        "0001 in class sec1",
        "0001 in class sec2",
        "0001 in sec1",
        "0001 in sec2",
        "0002 in class sec1",
        "0002 in sec1",
    ];
    assert_eq!(in_order, BTreeSet::from(sections));
    let said = found.messages();
    for left_out in ["School.csv", "Teacher.csv", "TeacherRoster.csv"] {
        assert!(said.contains("says nothing of students: left out"), "{left_out}: {said}");
    }
    let skipped = &found.reading.skipped_columns;
    assert!(skipped.iter().any(|skipped| skipped.columns.contains(&"Password".to_owned())), "{skipped:?}");
    // Named one by one, in small letters, they are the same files.
    let desk = Desk::new();
    let paths = vec![desk.put("student.csv", SDS_STUDENTS), desk.put("studentenrollment.csv", ENROLLED)];
    let found = read(paths, CsvOptions::default());
    assert_eq!(found.is_good().members.len(), 6, "{:?}", found.members);
}

#[test]
fn a_file_of_that_name_is_another_programs_without_the_headings() {
    let desk = Desk::new();
    // A list of one's own that is called so.
    let found = read(vec![desk.put("student.csv", "student_id,name\n1,Ann\n")], CsvOptions::default());
    assert_eq!(found.is_good().students, ["1 Ann - - -"]);
    let found = read(vec![desk.put("Section.csv", "Section,Head\nsec1,Ann\n")], CsvOptions::default());
    assert_eq!(found.problems(), [(1, 1, "unknown-file")]);
    for heading in ["SIS ID,Section Name", "Student ID,Course Name", "Student ID,School name"] {
        let found = read(vec![desk.put("list.csv", format!("{heading}\n1,Maths\n"))], CsvOptions::default());
        assert!(found.messages().contains("--map name=COLUMN"), "no name of a student: {}", found.messages());
    }
    // Names are optional in the format, and needed here.
    let nameless = "SIS ID,School SIS ID,Username\n0001,1001,ann\n";
    let found = read(vec![desk.put("Student.csv", nameless)], CsvOptions::default());
    assert_eq!(found.students, ["0001 - - - -"], "what is missing is said of each new student");
    // What the admin maps counts.
    let map = ColumnMap::new(vec![
        ("student_id".to_owned(), "SIS ID".to_owned()),
        ("name".to_owned(), "Username".to_owned()),
    ]);
    let found = read(vec![desk.put("Student.csv", nameless)], CsvOptions { map, ..CsvOptions::default() });
    assert_eq!(found.is_good().students, ["0001 ann - - -"]);
}

#[test]
fn whoever_reads_that_version_as_a_bundle_is_told_the_command() {
    let found = bundle(&[("Student.csv", SDS_STUDENTS), ("StudentEnrollment.csv", ENROLLED)]);
    assert!(found.messages().contains("rosterd import csv FOLDER"), "{}", found.messages());
}

/// The good rows and the findings of a bundle of Clever with these sections, on 28 November 2026.
fn clever(sections: &str) -> Read {
    let desk = Desk::new();
    desk.put("students.csv", "School_id,Student_id,First_name,Last_name\n1,S1,Ann,Lee\n1,S2,Bea,Fox\n");
    desk.put("sections.csv", sections);
    desk.put(
        "enrollments.csv",
        "School_id,Section_id,Student_id\n1,now,S1\n1,past,S1\n1,next,S1\n1,now,S2\n1,past,S2\n",
    );
    let path = desk.0.path().to_owned();
    come_of(move |sink| {
        super::sheets::on_a_day(sink);
        rosterd_import::clever::read(
            sink,
            &path,
            &ColumnMap::default(),
            rosterd_import::ReadOptions::default(),
        );
    })
}

#[test]
fn a_section_of_clever_counts_from_its_first_day_to_its_last() {
    let heading = "School_id,Section_id,Name,Term_name,Term_start,Term_end\n";
    for (now, past, next) in [
        ("8/1/2026,11/28/2026", "1/1/2026,11/27/2026", "11/29/2026,6/1/2027"),
        ("2026-11-28,2026-12-20", "2026-01-01,2026-06-01", "2027-01-04,"),
        (",", ",06/01/2026", "01/04/2027,"),
        ("8/1/26,6/1/27", "8/1/15,6/1/16", "1/4/27,6/1/27"),
    ] {
        let found = clever(&format!(
            "{heading}1,now,Math 7,Fall,{now}\n1,past,Old,Spring,{past}\n1,next,New,Spring,{next}\n"
        ));
        found.is_good();
        let in_groups: Vec<&str> =
            found.members.iter().map(String::as_str).filter(|member| !member.contains("class")).collect();
        let expected = ["S1 in now", "S1 out of past", "S1 out of next", "S2 in now", "S2 out of past"];
        assert_eq!(in_groups, expected, "{now}");
        assert_eq!(found.members.len(), 10, "classes as groups: {:?}", found.members);
        let said = found.messages();
        assert!(
            said.contains("2 enrollments of sections whose Term_end is before today count no more"),
            "{said}"
        );
        assert!(
            said.contains("1 enrollment of sections whose Term_start is later than today does not count yet"),
            "{said}"
        );
    }
}

#[test]
fn a_bundle_of_clever_without_a_term_of_today_empties_no_class() {
    let heading = "Section_id,Name,Term_start,Term_end\n";
    for (now, past, next, out, word) in [
        // Clever's own example is of one year, long ago; holidays lie between two terms.
        ("8/1/15,6/1/16", "8/1/15,6/1/16", "8/1/15,5/20/16", &[][..], "the last terms count all the same"),
        (
            "8/1/26,11/27/26",
            "1/1/26,6/1/26",
            "1/4/27,6/1/27",
            &["S1 out of past", "S1 out of next", "S2 out of past"][..],
            "the last terms count all the same",
        ),
        ("1/4/27,6/1/27", "1/4/27,6/1/27", "1/4/27,6/1/27", &[][..], "the first terms to come count already"),
    ] {
        let found = clever(&format!("{heading}now,A,{now}\npast,B,{past}\nnext,C,{next}\n"));
        let members = found.is_good().members.iter().map(String::as_str);
        let left_out: Vec<&str> =
            members.filter(|member| member.contains("out of") && !member.contains("class")).collect();
        assert_eq!(left_out, out, "{now}");
        assert!(found.messages().contains(word), "{}", found.messages());
    }
}

#[test]
fn a_section_of_clever_without_days_that_can_be_read_counts() {
    for sections in [
        "Section_id,Name\nnow,A\npast,B\nnext,C\n",
        "Section_id,Name,Term_start,Term_end\nnow,A,,\npast,B,,\nnext,C,,\n",
        "Section_id,Name,Term_start,Term_end\nnow,A,Fall,\npast,B,,1.6.2026\nnext,C,,\n",
    ] {
        let found = clever(sections);
        assert!(
            found.is_good().members.iter().all(|member| !member.contains("out of")),
            "{:?}",
            found.members
        );
        let is_told = found.messages().contains("2 dates of terms are not written as Clever writes dates");
        assert_eq!(is_told, sections.contains("Fall"), "{}", found.messages());
    }
}

/// A delta of these users.
fn delta(users: &str) -> Read {
    let manifest = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.academicSessions,absent\n\
        file.categories,absent\nfile.classes,absent\nfile.classResources,absent\nfile.courses,absent\n\
        file.courseResources,absent\nfile.demographics,absent\nfile.enrollments,absent\nfile.lineItems,absent\n\
        file.orgs,absent\nfile.resources,absent\nfile.results,absent\nfile.users,delta\n";
    let heading = "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName,email,identifier\n";
    bundle(&[("manifest.csv", manifest), ("users.csv", &format!("{heading}{users}"))])
}

fn user(id: &str, status: &str, values: [&str; 3]) -> String {
    let [username, email, identifier] = values;
    format!(
        "{id},{status},2026-11-20T00:00:00.000Z,true,o1,student,{username},Ann,Lee,{email},{identifier}\n"
    )
}

#[test]
fn a_delta_that_names_one_person_under_two_ids_advises_relink() {
    let old = |status| user("u1", status, ["ann", "ann@school.example", "1001"]);
    for (name, new) in [
        ("identifier", user("n1", "active", ["", "", "1001"])),
        ("username", user("n1", "active", ["ANN", "", ""])),
        ("email", user("n1", "active", ["", "ann@school.example", ""])),
    ] {
        let note = format!(
            "u1 and n1 have one {name}: where they are one person whose id is new, type rosterd relink 'u1' 'n1'"
        );
        for users in [format!("{}{new}", old("tobedeleted")), format!("{new}{}", old("tobedeleted"))] {
            let said = delta(&users).is_good().messages();
            assert!(said.contains(&note), "{name}: {said}");
        }
        // Brothers and sisters may share an address, and nothing else.
        let said = delta(&format!("{}{new}", old("active"))).messages();
        assert_eq!(said.contains(&note), name != "email", "{said}");
    }
    let others = user("u2", "active", ["bea", "bea@school.example", "1002"]);
    for users in
        [format!("{}{others}", old("tobedeleted")), format!("{}{}", old("tobedeleted"), old("active"))]
    {
        assert!(!delta(&users).messages().contains("relink"), "nobody is named twice");
    }
}
