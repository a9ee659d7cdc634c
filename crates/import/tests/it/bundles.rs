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
