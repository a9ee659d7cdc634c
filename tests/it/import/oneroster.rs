//! OneRoster bundles, 1.1 and 1.2, from folders and archives.

use super::*;
use rosterd_import::oneroster::{GroupsFrom, StudentIdFrom};

const BULK_1_1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/import/oneroster-1.1");
const DELTA_1_2: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/import/oneroster-1.2");
const ENROLMENTS: &str = "SELECT student_id || ' ' || class_code FROM class_members ORDER BY 1";

/// An import of a bundle whose files are of September, as an export leaves them: a whole one says no other moment.
fn bundle(desk: &Desk, path: impl AsRef<Path>) -> ImportRequest {
    let mut path = path.as_ref().to_owned();
    if path.is_dir() && !path.starts_with(desk.folder.path()) {
        let copy = desk.path(path.file_name().unwrap().to_str().unwrap());
        std::fs::create_dir_all(&copy).unwrap();
        for entry in std::fs::read_dir(&path).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, copy.join(from.file_name().unwrap())).unwrap();
        }
        path = copy;
    }
    for entry in std::fs::read_dir(&path).into_iter().flatten() {
        let file = std::fs::File::options().append(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(
            jiff::civil::date(2026, 9, 30).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().into(),
        )
        .unwrap();
    }
    let mut request = desk.request(ImportKind::Oneroster, vec![path]);
    request.oneroster.today = jiff::civil::date(2026, 10, 5);
    request
}

fn by_identifier(desk: &Desk, path: impl AsRef<Path>) -> ImportRequest {
    let mut request = bundle(desk, path);
    request.oneroster.student_id = StudentIdFrom::Identifier;
    request
}

fn grouped_by(mut request: ImportRequest, groups: &[GroupsFrom]) -> ImportRequest {
    request.oneroster.groups = groups.iter().copied().collect();
    request
}

/// A copy of a bundle with one file put through a change; a file that becomes empty is left out.
fn changed(desk: &Desk, folder: &str, file: &str, change: impl Fn(String) -> String) -> PathBuf {
    let copy = desk.path("bundle");
    let _absent = std::fs::remove_dir_all(&copy);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = if name == file { change(text) } else { text };
        if !text.is_empty() {
            desk.put(&format!("bundle/{name}"), text);
        }
    }
    copy
}

/// The notices of a report, in one text.
fn notices(report: &ImportReport) -> String {
    report.notices.iter().map(|notice| format!("{notice}\n")).collect()
}

#[tokio::test]
async fn a_bulk_bundle_of_1_1_fills_students_classes_and_groups() {
    let desk = Desk::new();
    let report = import(&bundle(&desk, BULK_1_1)).await.unwrap();
    assert!(report.whole && report.problems.is_empty());
    assert_eq!(
        desk.one("SELECT student_id || name || COALESCE(email, '-') || identifier FROM students").await,
        "u-1Ada Okaforada.o@example.org00101|u-2Ben J Müllerben.m@example.org00102|u-3韩梅梅-00103"
    );
    assert_eq!(
        desk.one("SELECT class_code || title FROM classes").await,
        "c-1Algebra,\nfirst half|c-2Homeroom 8"
    );
    assert_eq!(desk.one(ENROLMENTS).await, "u-1 c-1|u-2 c-1|u-3 c-2");
    assert_eq!(desk.one("SELECT group_code FROM groups").await, "c-1|c-2");
    let told = notices(&report);
    for part in ["1 user has enabledUser false", "1 enrollment ended", "3 rows of people in other roles"] {
        assert!(told.contains(part), "{part} in:\n{told}");
    }
    assert!(import(&bundle(&desk, BULK_1_1)).await.unwrap().difference.is_empty());
}

#[tokio::test]
async fn passwords_and_telephone_numbers_are_taken_only_when_they_are_mapped() {
    let desk = Desk::new();
    let report = import(&bundle(&desk, BULK_1_1)).await.unwrap();
    assert_eq!(desk.one("SELECT COUNT(*) || COUNT(phone) || COUNT(password) FROM students").await, "300");
    assert!(report.to_string().contains("skipped columns of users.csv (passwords, unless --map"));
    let mut request = bundle(&desk, BULK_1_1);
    let map = [("phone", "phone"), ("password", "password")];
    request.map = ColumnMap::new(map.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())).to_vec());
    drop(import(&request).await.unwrap());
    assert_eq!(
        desk.one("SELECT phone || password FROM students WHERE student_id = 'u-1'").await,
        "+1 202 555 0101Xuq4-ah"
    );
}

#[tokio::test]
async fn absence_means_left_in_a_bulk_bundle() {
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    let copy = changed(&desk, BULK_1_1, "users.csv", |text| {
        text.replace("u-3,,,true,o-1,student", "u-3,,,true,o-1,aide")
    });
    let report = import(&bundle(&desk, copy)).await.unwrap();
    assert_eq!(report.difference.students.left, 1);
    assert_eq!(desk.one("SELECT student_id || active FROM students").await, "u-11|u-21|u-30");
    assert_eq!(desk.one(ENROLMENTS).await, "u-1 c-1|u-2 c-1");
}

#[tokio::test]
async fn a_delta_of_1_2_changes_what_it_names_and_nothing_else() {
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    let report = import(&bundle(&desk, DELTA_1_2)).await.unwrap();
    assert!(!report.whole && report.problems.is_empty(), "{report}");
    assert_eq!(
        desk.one("SELECT student_id || name || active FROM students").await,
        "u-1Ada Okafor-Lind1|u-2Ben J Müller0|u-3韩梅梅1|u-4Noa Katz1"
    );
    assert_eq!(desk.one(ENROLMENTS).await, "u-2 c-1|u-3 c-2|u-4 c-3");
    assert_eq!((report.difference.students.left, report.difference.class_members.left), (1, 1));
    assert!(import(&bundle(&desk, DELTA_1_2)).await.unwrap().difference.is_empty());
}

#[tokio::test]
async fn a_delta_without_roles_changes_students_who_are_known_and_enters_nobody() {
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    let copy = changed(&desk, DELTA_1_2, "roles.csv", |_| String::new());
    let manifest = std::fs::read_to_string(copy.join("manifest.csv")).unwrap();
    desk.put("bundle/manifest.csv", manifest.replace("file.roles,delta", "file.roles,absent"));
    let report = import(&bundle(&desk, copy)).await.unwrap();
    assert_eq!(
        desk.one("SELECT student_id || name || active FROM students").await,
        "u-1Ada Okafor-Lind1|u-2Ben J Müller0|u-3韩梅梅1"
    );
    assert_eq!(desk.one(ENROLMENTS).await, "u-2 c-1|u-3 c-2");
    let told = notices(&report);
    assert!(told.contains("names no role of a student for them: 2 users"), "{told}");
    let copy = changed(&desk, BULK_1_1, "users.csv", |text| text.replace("role,", "duty,"));
    assert_eq!(problems(import(&bundle(&desk, copy)).await)[0].3, "missing-column");
}

/// Puts a bundle together: `file.NAME,MODE` in the manifest for each of its files.
fn put_bundle(desk: &Desk, version: &str, mode: &str, files: &[(&str, &str)]) -> PathBuf {
    let listed: String = files.iter().map(|(name, _)| format!("file.{name},{mode}\n")).collect();
    let head = format!("propertyName,value\nmanifest.version,1.0\noneroster.version,{version}\n");
    desk.put(&format!("{version}-{mode}/manifest.csv"), head + &listed);
    for (name, text) in files {
        desk.put(&format!("{version}-{mode}/{name}.csv"), text);
    }
    desk.path(&format!("{version}-{mode}"))
}

#[tokio::test]
async fn a_bulk_bundle_of_1_2_and_a_delta_of_1_1_go_in() {
    // The columns of the tables of OneRoster 1.2 and 1.1, CSV binding; optional ones are left out.
    let desk = Desk::new();
    let whole = put_bundle(
        &desk,
        "1.2",
        "bulk",
        &[
            (
                "users",
                "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,email,grades,pronouns\n\
                 u-1,,,true,ada.o,,Ada,Okafor,ada@example.org,07,\nu-2,,,true,t.one,,First,Teacher,,,\n",
            ),
            (
                "roles",
                "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId\n\
                 r-1,,,u-1,primary,student,,,o-1\nr-2,,,u-2,primary,teacher,,,o-1\n",
            ),
            (
                "classes",
                "sourcedId,status,dateLastModified,title,courseSourcedId,classCode\nc-1,,,Algebra,k-1,ALG\n",
            ),
            (
                "enrollments",
                "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n\
                 e-1,,,c-1,o-1,u-1,student,,,\ne-2,,,c-1,o-1,u-2,teacher,true,,\n",
            ),
        ],
    );
    let report = import(&bundle(&desk, whole)).await.unwrap();
    assert!(report.whole && report.problems.is_empty(), "{report}");
    assert_eq!(
        desk.one("SELECT student_id || name || email FROM students").await,
        "u-1Ada Okaforada@example.org"
    );
    assert_eq!(desk.one(ENROLMENTS).await, "u-1 c-1");

    let delta = put_bundle(
        &desk,
        "1.1",
        "delta",
        &[
            (
                "users",
                "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName\n\
                 u-3,active,2026-10-02T08:00:00.000Z,true,o-1,student,bo.l,Bo,Li\n",
            ),
            (
                "enrollments",
                "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role\n\
                 e-3,active,2026-10-02T08:00:00.000Z,c-1,o-1,u-3,student\n",
            ),
        ],
    );
    let report = import(&bundle(&desk, delta)).await.unwrap();
    assert!(!report.whole && report.problems.is_empty(), "{report}");
    assert_eq!(desk.one("SELECT student_id || active FROM students").await, "u-11|u-31");
    assert_eq!(desk.one(ENROLMENTS).await, "u-1 c-1|u-3 c-1");
}

#[tokio::test]
async fn a_delta_from_before_the_last_one_is_refused_unless_it_is_asked_for() {
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    drop(import(&bundle(&desk, DELTA_1_2)).await.unwrap());
    let mut older = String::new();
    let copy = desk.path("older");
    for entry in std::fs::read_dir(DELTA_1_2).unwrap() {
        let path = entry.unwrap().path();
        older.clone_from(&std::fs::read_to_string(&path).unwrap().replace("2026-10-", "2026-09-"));
        desk.put(&format!("older/{}", path.file_name().unwrap().to_str().unwrap()), &older);
    }
    let error = import(&bundle(&desk, &copy)).await.unwrap_err();
    assert!(matches!(error, ImportError::Older { .. }), "{error:?}");
    drop(import(&ImportRequest { allow_older: true, ..bundle(&desk, &copy) }).await.unwrap());
}

#[tokio::test]
async fn a_delta_from_before_a_whole_bundle_is_refused_whatever_other_files_say() {
    let desk = Desk::new();
    // A school's own column of that name says nothing about bundles.
    desk.put("own.csv", "student_id,name,dateLastModified\nu-9,Zoe,2099-01-01T00:00:00.000Z\n");
    drop(import(&desk.csv(&["own.csv"])).await.unwrap());
    let stamped = changed(&desk, BULK_1_1, "users.csv", |text| {
        text.replace("u-1,,,", "u-1,,2026-11-01T08:00:00.000Z,")
    });
    drop(import(&ImportRequest { limit: None, ..bundle(&desk, stamped) }).await.unwrap());
    let error = import(&bundle(&desk, DELTA_1_2)).await.unwrap_err();
    assert!(matches!(error, ImportError::Older { .. }), "{error:?}");
    // The newest row of a whole bundle may have gone: it is no older one for that.
    drop(import(&ImportRequest { limit: None, ..bundle(&desk, BULK_1_1) }).await.unwrap());
}

#[tokio::test]
async fn a_whole_bundle_from_before_the_last_delta_is_refused_unless_it_is_asked_for() {
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    drop(import(&bundle(&desk, DELTA_1_2)).await.unwrap());
    let older = changed(&desk, BULK_1_1, "users.csv", |text| {
        text.replace("u-1,,,", "u-1,,2026-09-01T08:00:00.000Z,")
    });
    let older = ImportRequest { limit: None, ..bundle(&desk, older) };
    let error = import(&older).await.unwrap_err();
    assert!(matches!(error, ImportError::Older { .. }), "{error:?}");
    drop(import(&ImportRequest { allow_older: true, ..older }).await.unwrap());
}

#[tokio::test]
async fn a_student_may_be_known_by_identifier_and_is_found_again_by_the_bundles_key() {
    let desk = Desk::new();
    drop(import(&by_identifier(&desk, BULK_1_1)).await.unwrap());
    assert_eq!(desk.one("SELECT student_id FROM students").await, "00101|00102|00103");
    assert_eq!(desk.one(ENROLMENTS).await, "00101 c-1|00102 c-1|00103 c-2");
    let report = import(&by_identifier(&desk, DELTA_1_2)).await.unwrap();
    assert!(report.problems.is_empty(), "{report}");
    assert_eq!(
        desk.one("SELECT student_id || active FROM students").await,
        "001011|001020|001031|001041",
        "the leaver's row has no identifier"
    );
    assert_eq!(desk.one(ENROLMENTS).await, "00102 c-1|00103 c-2|00104 c-3");
}

#[tokio::test]
async fn a_student_without_the_wanted_id_is_a_bad_row_and_a_teacher_without_one_is_none() {
    let desk = Desk::new();
    let folder = changed(&desk, DELTA_1_2, "users.csv", |text| {
        text.replace("00104", "").replace("Ada,Okafor-Lind", ",")
    });
    desk.put(
        "bundle/roles.csv",
        "status,userSourcedId,role\nactive,u-1,student\nactive,u-4,student\nactive,u-7,teacher\n",
    );
    let mut request = bundle(&desk, folder);
    request.oneroster.student_id = StudentIdFrom::Identifier;
    let found = problems(import(&request).await);
    assert!(found.contains(&at("users.csv", 2, 7, "missing-name")), "{found:?}");
    assert!(found.contains(&at("users.csv", 4, 10, "missing-id")), "{found:?}");
    assert!(found.iter().all(|problem| problem.1 != 5 || problem.0 != "users.csv"), "{found:?}");
}

#[tokio::test]
async fn grades_and_orgs_become_groups_when_asked() {
    let desk = Desk::new();
    let groups = [GroupsFrom::Grades, GroupsFrom::Orgs];
    drop(import(&grouped_by(bundle(&desk, BULK_1_1), &groups)).await.unwrap());
    assert_eq!(
        desk.one("SELECT group_code || '=' || title FROM groups ORDER BY 1").await,
        "grade-07=Grade 07|grade-08=Grade 08|org-o-1=Riverside School"
    );
    let members = "SELECT student_id || ' ' || group_code FROM group_members ORDER BY 1";
    let before = "u-1 grade-07|u-1 org-o-1|u-2 grade-07|u-2 grade-08|u-2 org-o-1|u-3 grade-08|u-3 org-o-1";
    assert_eq!(desk.one(members).await, before);

    drop(import(&grouped_by(bundle(&desk, DELTA_1_2), &groups)).await.unwrap());
    let moved = before.replace("u-1 grade-07", "u-1 grade-08") + "|u-4 grade-07|u-4 org-o-1";
    assert_eq!(desk.one(members).await, moved, "who goes up a grade leaves the one before");
}

#[tokio::test]
async fn a_file_without_the_column_of_a_wanted_group_takes_nobody_out_of_one() {
    let desk = Desk::new();
    let groups = [GroupsFrom::Grades];
    drop(import(&grouped_by(bundle(&desk, BULK_1_1), &groups)).await.unwrap());
    let members = "SELECT student_id || ' ' || group_code FROM group_members ORDER BY 1";
    let before = desk.one(members).await;
    let folder = changed(&desk, DELTA_1_2, "users.csv", |text| text.replacen(",grades,", ",years,", 1));
    let error = import(&grouped_by(bundle(&desk, &folder), &groups)).await.unwrap_err();
    assert!(format!("{error:?}").contains("missing-column"), "{error:?}");
    assert_eq!(desk.one(members).await, before);
}

#[tokio::test]
async fn students_only_unless_asked() {
    let desk = Desk::new();
    let mut request = bundle(&desk, BULK_1_1);
    request.oneroster.roles.push("teacher".to_owned());
    drop(import(&request).await.unwrap());
    assert_eq!(desk.one("SELECT student_id FROM students").await, "u-1|u-2|u-3|u-8");
    assert_eq!(desk.one(ENROLMENTS).await, "u-1 c-1|u-2 c-1|u-3 c-2|u-8 c-1");
}

#[tokio::test]
async fn users_who_may_not_log_in_are_kept_unless_they_are_taken_as_leavers() {
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    let mut request = bundle(&desk, BULK_1_1);
    request.oneroster.disabled_have_left = true;
    let report = import(&request).await.unwrap();
    assert_eq!(report.difference.students.left, 1);
    assert_eq!(desk.one("SELECT student_id FROM students WHERE active = 0").await, "u-2");
}

#[tokio::test]
async fn an_archive_is_read_like_a_folder_also_below_a_folder_of_its_own() {
    let desk = Desk::new();
    let archive = desk.path("bundle.zip");
    zip_folder(BULK_1_1, "export 2026/", &archive);
    let report = import(&bundle(&desk, &archive)).await.unwrap();
    assert_eq!(report.difference.students.added, 3);
    assert!(import(&bundle(&desk, BULK_1_1)).await.unwrap().difference.is_empty());
}

#[tokio::test]
async fn the_manifest_is_followed_to_the_letter() {
    let desk = Desk::new();
    let with = |change: &dyn Fn(String) -> String| changed(&desk, BULK_1_1, "manifest.csv", change);
    for (name, change, code) in [
        ("mixed", ("file.enrollments,bulk", "file.enrollments,delta"), "mixed-modes"),
        ("version", ("oneroster.version,1.1", "oneroster.version,2.0"), "unknown-version"),
        ("mode", ("file.users,bulk", "file.users,everything"), "bad-mode"),
        ("header", ("propertyName,value", "property,is"), "missing-column"),
    ] {
        let folder = with(&|text| text.replace(change.0, change.1));
        let found = problems(import(&bundle(&desk, folder)).await);
        assert_eq!(found[0].3, code, "{name}: {found:?}");
        assert_eq!(found[0].0, "manifest.csv", "{name:?}");
    }
    let folder = with(&|_| String::new());
    assert_eq!(problems(import(&bundle(&desk, folder)).await), [at("manifest.csv", 1, 1, "missing-file")]);
    let folder = changed(&desk, BULK_1_1, "classes.csv", |_| String::new());
    assert_eq!(problems(import(&bundle(&desk, folder)).await), [at("classes.csv", 1, 1, "missing-file")]);
    assert!(!desk.database().exists());
}

#[tokio::test]
async fn a_file_that_the_manifest_calls_absent_is_not_read_and_takes_nobody_away() {
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    let folder = changed(&desk, BULK_1_1, "manifest.csv", |text| {
        text.replace("file.enrollments,bulk", "file.enrollments,absent")
    });
    let report = import(&bundle(&desk, folder)).await.unwrap();
    assert!(report.difference.is_empty(), "{report}");
    assert!(notices(&report).contains("enrollments.csv: left out"), "{report}");
}

#[tokio::test]
async fn a_record_that_stands_twice_refuses_the_bundle_even_if_bad_rows_are_skipped() {
    let desk = Desk::new();
    let folder = changed(&desk, BULK_1_1, "users.csv", |text| {
        text + "u-1,,,true,o-1,student,x,,Eve,Else,,00109,,,,,07,\n"
    });
    let found = problems(import(&skipping(bundle(&desk, folder))).await);
    assert!(found.contains(&at("users.csv", 7, 1, "duplicate-id")), "{found:?}");
    assert!(!desk.database().exists());
}

#[tokio::test]
async fn a_key_of_a_student_that_is_a_teachers_too_refuses_the_bundle() {
    let desk = Desk::new();
    let folder = changed(&desk, BULK_1_1, "users.csv", |text| {
        text + "u-1,,,true,o-1,teacher,x,,Eve,Else,,00109,,,,,07,\n"
    });
    let found = problems(import(&skipping(bundle(&desk, folder))).await);
    assert!(
        found.iter().any(|(file, _, _, code)| file == "users.csv" && *code == "duplicate-id"),
        "{found:?}"
    );
    assert!(!desk.database().exists());
}

#[tokio::test]
async fn headers_that_an_exporter_spells_in_its_own_way_are_read_and_told() {
    let desk = Desk::new();
    let folder = changed(&desk, BULK_1_1, "enrollments.csv", |text| {
        text.replace("classSourcedId", "classSourceID").replace("beginDate", "begindate")
    });
    let report = import(&bundle(&desk, folder)).await.unwrap();
    assert!(notices(&report).contains("2 headers are not spelt"), "{report}");
    let folder = changed(&desk, BULK_1_1, "users.csv", |text| {
        text.replace(",email,", ",Email,").replace("givenName", "givenname")
    });
    drop(import(&bundle(&desk, folder)).await.unwrap());
    let emails = "SELECT COUNT(*) || '' FROM students WHERE email LIKE '%@%'";
    let spelt = desk.one(emails).await;
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    assert_eq!(spelt, desk.one(emails).await);
}

#[tokio::test]
async fn an_enrollment_that_points_to_nobody_is_a_bad_row() {
    let desk = Desk::new();
    let folder = changed(&desk, BULK_1_1, "enrollments.csv", |text| {
        text + "e-8,,,c-1,o-1,u-77,student,,,\ne-9,,,c-99,o-1,u-1,student,,,\n"
    });
    assert_eq!(
        problems(import(&grouped_by(bundle(&desk, &folder), &[])).await),
        [at("enrollments.csv", 7, 6, "unknown-student"), at("enrollments.csv", 8, 4, "unknown-code")]
    );
    let report = import(&skipping(bundle(&desk, &folder))).await.unwrap();
    assert_eq!(report.difference.class_members.added, 3);
}

#[tokio::test]
async fn what_exporters_are_known_to_stray_in_is_accepted_with_a_word() {
    let desk = Desk::new();
    let folder = changed(&desk, BULK_1_1, "users.csv", |text| {
        let text = text.replace("sourcedId,status,dateLastModified", "sourceID,Status,dataLastModified");
        text.replace("u-1,,,true", "u-1,active,1/05/2026,TRUE")
            .replace("u-2,,,false", "u-2,tobedeleted,,False")
    });
    let report = import(&bundle(&desk, folder)).await.unwrap();
    assert_eq!(desk.one("SELECT student_id FROM students").await, "u-1|u-3");
    let told = notices(&report);
    for part in ["3 headers are not spelt", "2 rows of a bulk bundle have a status", "1 date is not written"]
    {
        assert!(told.contains(part), "{part} in:\n{told}");
    }
}

#[tokio::test]
async fn a_bulk_bundle_whose_files_have_no_rows_is_refused() {
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    let first_line = |text: String| text.split_inclusive('\n').take(1).collect();
    let folder = changed(&desk, BULK_1_1, "enrollments.csv", first_line);
    assert_eq!(problems(import(&bundle(&desk, folder)).await), [at("enrollments.csv", 1, 1, "no-rows")]);
    let folder = changed(&desk, BULK_1_1, "users.csv", first_line);
    let result = import(&skipping(bundle(&desk, folder))).await;
    assert!(matches!(result, Err(ImportError::NoStudents)), "{result:?}");
}

#[tokio::test]
async fn a_role_that_cannot_be_read_makes_nobody_a_leaver_and_ends_no_membership() {
    let desk = Desk::new();
    let bulk = |text: String| text.replace(",delta", ",bulk");
    let folder = changed(&desk, DELTA_1_2, "manifest.csv", bulk);
    desk.put("bundle/users.csv", "sourcedId,givenName,familyName\nu-1,Ada,Okafor\nu-4,Noa,Katz\n");
    desk.put("bundle/roles.csv", "userSourcedId,role\nu-1,student\nu-4,student\n");
    desk.put(
        "bundle/enrollments.csv",
        "classSourcedId,userSourcedId,role\nc-3,u-1,student\nc-3,u-4,student\n",
    );
    drop(import(&bundle(&desk, &folder)).await.unwrap());
    desk.put("bundle/roles.csv", "userSourcedId,role\nu-1\nu-4,student\n");
    let report = import(&skipping(bundle(&desk, &folder))).await.unwrap();
    assert_eq!(report.difference.students.left, 0, "{report}");
    assert_eq!(report.difference.class_members.left, 0, "a membership needs no role of its own: {report}");
    let tables = [RosterTable::Students, RosterTable::GroupMembers, RosterTable::ClassMembers];
    assert_eq!(report.incomplete, tables);
}

#[tokio::test]
async fn a_person_whose_id_changed_is_entered_anew_and_the_old_id_leaves() {
    let desk = Desk::new();
    drop(import(&by_identifier(&desk, BULK_1_1)).await.unwrap());
    let path = changed(&desk, BULK_1_1, "users.csv", |text| text.replace("00102", "90102"));
    let report = import(&by_identifier(&desk, &path)).await.unwrap();
    let students = desk.one("SELECT student_id || active FROM students ORDER BY 1").await;
    assert_eq!(students, "001011|001020|001031|901021");
    assert!(notices(&report).contains("00102 is now 90102"), "{report}");
    assert!(notices(&report).contains("rosterd relink 00102 90102"), "{report}");
}

#[tokio::test]
async fn an_id_that_two_known_people_swap_or_take_over_is_refused_unless_it_is_meant() {
    let swap = |text: String| text.replace("00101", "00x").replace("00102", "00101").replace("00x", "00102");
    // The first has left, and the second has the number of the first.
    let take_over = |text: String| {
        let rows = text.lines().filter(|row| !row.contains("00101")).map(|row| format!("{row}\n"));
        rows.collect::<String>().replace("00102", "00101")
    };
    for change in [&swap as &dyn Fn(String) -> String, &take_over] {
        let desk = Desk::new();
        drop(import(&by_identifier(&desk, BULK_1_1)).await.unwrap());
        let before = desk.one("SELECT student_id || name FROM students").await;
        let path = changed(&desk, BULK_1_1, "users.csv", change);
        let enrolments = std::fs::read_to_string(path.join("enrollments.csv")).unwrap();
        let users = std::fs::read_to_string(path.join("users.csv")).unwrap();
        let kept = enrolments.lines().filter(|row| !row.contains("u-1") || users.contains("u-1,"));
        std::fs::write(path.join("enrollments.csv"), kept.collect::<Vec<_>>().join("\n")).unwrap();
        let result = import(&by_identifier(&desk, &path)).await;
        let Err(ImportError::BadRows(report)) = result else { panic!("{result:?}") };
        let text = report.to_string();
        assert!(
            text.contains("id-of-another") && text.contains("rosterd relink 00102 00101 --force"),
            "{text}"
        );
        assert_eq!(desk.one("SELECT student_id || name FROM students").await, before);
        drop(import(&skipping(by_identifier(&desk, &path))).await.unwrap());
        assert_eq!(
            desk.one("SELECT student_id || name FROM students").await,
            before,
            "nobody becomes another"
        );
        let meant = ImportRequest { reassigned_ids: true, ..by_identifier(&desk, &path) };
        drop(import(&meant).await.unwrap());
        assert_ne!(desk.one("SELECT student_id || name FROM students").await, before);
    }
}

#[tokio::test]
async fn a_bundle_whose_people_are_known_by_another_id_is_refused_unless_a_person_says_which() {
    let desk = Desk::new();
    drop(import(&by_identifier(&desk, BULK_1_1)).await.unwrap());
    let error = import(&skipping(bundle(&desk, DELTA_1_2))).await.unwrap_err();
    assert!(matches!(error, ImportError::OtherIds) && error.is_configuration(), "{error:?}");
    assert!(error.to_string().contains("--student-id identifier"), "{error}");
    assert_eq!(desk.one("SELECT student_id FROM students").await, "00101|00102|00103");
    let meant = ImportRequest { id_is_said: true, ..bundle(&desk, DELTA_1_2) };
    drop(import(&meant).await.unwrap());
}

#[tokio::test]
async fn a_leaver_whom_the_roster_does_not_know_is_told() {
    let desk = Desk::new();
    drop(import(&bundle(&desk, BULK_1_1)).await.unwrap());
    desk.put(
        "delta/users.csv",
        "sourcedId,status,dateLastModified,role,givenName,familyName\n\
         u-77,tobedeleted,2026-10-02T00:00:00Z,student,No,Body\n",
    );
    desk.put(
        "delta/manifest.csv",
        "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.users,delta\n",
    );
    let report = import(&bundle(&desk, desk.path("delta"))).await.unwrap();
    assert!(notices(&report).contains("known to the roster under no id as students: 1 user"), "{report}");
}

#[tokio::test]
async fn a_person_who_has_a_former_id_again_is_named_with_relink() {
    let desk = Desk::new();
    drop(import(&by_identifier(&desk, BULK_1_1)).await.unwrap());
    let path = changed(&desk, BULK_1_1, "users.csv", |text| text.replace("00102", "90102"));
    drop(import(&by_identifier(&desk, &path)).await.unwrap());
    let report = import(&by_identifier(&desk, BULK_1_1)).await.unwrap();
    assert!(notices(&report).contains("rosterd relink 90102 00102"), "{report}");
    let students = desk.one("SELECT student_id || active FROM students ORDER BY 1").await;
    assert_eq!(students, "001011|001021|001031|901020");
}

#[tokio::test]
async fn groups_classes_and_account_go_over_to_the_new_id_of_a_delta() {
    let desk = Desk::new();
    drop(import(&by_identifier(&desk, BULK_1_1)).await.unwrap());
    desk.run("UPDATE students SET classin_uid = 77 WHERE student_id = '00102'").await;
    let delta = "status,dateLastModified,sourcedId,givenName,familyName,identifier,role,enabledUser,orgSourcedIds,username\n\
                 active,2026-10-02T00:00:00Z,u-2,Ben,Müller,90102,student,true,o-1,ben\n";
    desk.put("delta/users.csv", delta);
    desk.put(
        "delta/manifest.csv",
        "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.users,delta\n",
    );
    let report = import(&by_identifier(&desk, desk.path("delta"))).await.unwrap();
    assert!(notices(&report).contains("00102 is now 90102"), "{report}");
    let of_new = "SELECT class_code FROM class_members WHERE student_id = '90102' UNION ALL \
                  SELECT group_code FROM group_members WHERE student_id = '90102' UNION ALL \
                  SELECT classin_uid || '' FROM students WHERE student_id = '90102'";
    assert_eq!(desk.one(of_new).await, "c-1|c-1|77");
}

#[tokio::test]
async fn an_enrolment_that_has_not_begun_does_not_count_yet() {
    let desk = Desk::new();
    let begins = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let places: Vec<usize> = lines[0]
            .split(',')
            .enumerate()
            .filter(|(_, name)| name.trim_matches('"') == "beginDate")
            .map(|(at, _)| at)
            .collect();
        let mut fields: Vec<&str> = lines[1].split(',').collect();
        fields[places[0]] = "2027-02-01";
        lines[1] = fields.join(",");
        lines.join("\n") + "\n"
    };
    let path = changed(&desk, BULK_1_1, "enrollments.csv", begins);
    let report = import(&bundle(&desk, &path)).await.unwrap();
    assert!(notices(&report).contains("1 enrollment begins later than today"), "{report}");
}
