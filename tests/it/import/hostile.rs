//! Files that are damaged or made to harm: each is refused, and the database stays as it was.

use std::io::Write;

use super::*;

fn archive_with(desk: &Desk, entries: &[(&str, &[u8])]) -> PathBuf {
    let path = desk.path("hostile.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (name, contents) in entries {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(contents).unwrap();
    }
    archive.finish().unwrap();
    path
}

async fn refused(desk: &Desk, path: PathBuf) -> (String, &'static str) {
    let error = import(&desk.request(ImportKind::Oneroster, vec![path])).await.unwrap_err();
    assert!(error.is_configuration(), "{error:?}");
    assert!(!desk.database().exists());
    let ImportError::Files(problems) = error else { panic!("{error:?}") };
    let first = problems.first().unwrap();
    (first.message.clone(), first.code)
}

#[tokio::test]
async fn an_archive_that_unpacks_to_far_more_than_it_is_is_refused() {
    let desk = Desk::new();
    let blank = vec![b' '; 64 << 20];
    let path = archive_with(&desk, &[("manifest.csv", b"propertyName,value\n"), ("users.csv", &blank)]);
    let (message, code) = refused(&desk, path).await;
    assert_eq!(code, "unsafe-archive");
    assert!(message.contains("times its size"), "{message}");
}

#[tokio::test]
async fn an_archive_that_claims_less_than_it_unpacks_to_is_refused() {
    let desk = Desk::new();
    let manifest = format!("propertyName,value\n{}", "x,y\n".repeat(100_000));
    let path = archive_with(&desk, &[("manifest.csv", manifest.as_bytes())]);
    let mut bytes = std::fs::read(&path).unwrap();
    let length = u32::try_from(manifest.len()).unwrap().to_le_bytes();
    let claimed = 19_u32.to_le_bytes();
    let places: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..at + 4] == length).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + 4].copy_from_slice(&claimed);
    }
    std::fs::write(&path, bytes).unwrap();
    let (_, code) = refused(&desk, path).await;
    assert_eq!(code, "not-readable");
}

#[tokio::test]
async fn an_archive_with_names_that_lead_out_of_it_is_refused() {
    let desk = Desk::new();
    for name in ["../manifest.csv", "/etc/manifest.csv", "a/../../manifest.csv", "..\\manifest.csv"] {
        let path = archive_with(&desk, &[(name, b"propertyName,value\n")]);
        let (message, code) = refused(&desk, path).await;
        assert_eq!(code, "unsafe-archive", "{name}: {message}");
        assert!(message.contains("leads out"), "{name}: {message}");
    }
}

#[tokio::test]
async fn an_archive_that_is_cut_off_is_refused() {
    let desk = Desk::new();
    let path = archive_with(&desk, &[("manifest.csv", b"propertyName,value\noneroster.version,1.1\n")]);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
    assert_eq!(refused(&desk, path).await.1, "not-a-bundle");
    assert_eq!(refused(&desk, desk.path("nowhere")).await.1, "not-readable");
}

#[tokio::test]
async fn the_same_file_twice_in_an_archive_is_refused() {
    let desk = Desk::new();
    let path =
        archive_with(&desk, &[("a/manifest.csv", b"propertyName,value\n"), ("b/manifest.csv", b"x\n")]);
    assert_eq!(refused(&desk, path).await.1, "duplicate-file");
}

#[tokio::test]
async fn a_file_in_two_encodings_is_refused_with_its_line() {
    let desk = Desk::new();
    let mut bytes = "student_id,name\nS1,王小明\nS2,李雷雷\nS3,韩梅梅\n".as_bytes().to_vec();
    bytes.extend(encoding_rs::GB18030.encode("S4,张伟\nS5,刘洋\n").0.iter());
    desk.put("students.csv", bytes);
    let result = import(&desk.csv(&["students.csv"])).await;
    assert_eq!(problems(result), [at("students.csv", 5, 1, "mixed-encodings")]);
}

#[tokio::test]
async fn a_file_that_ends_in_the_middle_of_a_row_is_no_good_row() {
    let desk = Desk::new();
    let result = desk.import(&[("students.csv", "student_id,name,phone\nS1,Ada,1\nS2,B")]).await;
    assert_eq!(problems(result), [at("students.csv", 3, 1, "cut-off")]);
}

#[tokio::test]
async fn a_file_that_lost_most_of_its_rows_is_refused_by_the_guard() {
    let desk = Desk::new();
    let rows = |count: usize| -> String {
        let rows = (0..count).map(|n| format!("S{n},Student {n}\n"));
        std::iter::once("student_id,name\n".to_owned()).chain(rows).collect()
    };
    desk.fill(&[("students.csv", &rows(50))]).await;
    let before = std::fs::read(desk.database()).unwrap();
    let request = bulk(desk.put_all(&[("students.csv", &rows(39))]));
    for request in [request.clone(), dry(request.clone())] {
        let error = import(&request).await.unwrap_err();
        let ImportError::TooMuch(report) = error else { panic!("{error:?}") };
        let text = report.to_string();
        assert!(text.contains("refused: 11 of 50 students would be marked as having left"), "{text}");
        assert!(text.contains("guard.max_delete allows 10") && text.contains("--allow-shrink"), "{text}");
        assert!(!report.changed && report.difference.students.left == 11, "{request:?}");
        assert_eq!(std::fs::read(desk.database()).unwrap(), before, "{request:?}");
    }
    assert_eq!(
        import(&dry(bulk(desk.put_all(&[("students.csv", &rows(40))]))))
            .await
            .unwrap()
            .difference
            .students
            .left,
        10
    );
    let request = bulk(desk.put_all(&[("students.csv", &rows(39))]));
    let report = import(&ImportRequest { limit: None, ..request }).await.unwrap();
    assert_eq!(report.difference.students.left, 11);
}

#[tokio::test]
async fn the_guard_counts_leavers_that_a_file_names_and_memberships_that_would_go() {
    let desk = Desk::new();
    let ids = || (0..40).map(|n| format!("S{n}"));
    let students: String =
        std::iter::once("student_id,name\n".to_owned()).chain(ids().map(|id| format!("{id},X\n"))).collect();
    let members: String = std::iter::once("student_id,class_code\n".to_owned())
        .chain(ids().map(|id| format!("{id},C1\n")))
        .collect();
    desk.fill(&[("students.csv", &students), ("classes.csv", CLASSES), ("class_members.csv", &members)])
        .await;
    let leavers: String = std::iter::once("student_id,active\n".to_owned())
        .chain(ids().take(9).map(|id| format!("{id},0\n")))
        .collect();
    let result = desk.import(&[("students.csv", &leavers)]).await;
    assert!(matches!(result, Err(ImportError::TooMuch(_))), "{result:?}");
    let few: String = members.lines().take(30).map(|line| format!("{line}\n")).collect();
    let result = import(&bulk(desk.put_all(&[("class_members.csv", &few)]))).await;
    let Err(ImportError::TooMuch(report)) = result else { panic!("{result:?}") };
    assert_eq!(report.too_much[0].table, RosterTable::ClassMembers);
}

#[tokio::test]
async fn a_header_without_rows_is_refused() {
    let desk = Desk::new();
    let result =
        desk.import(&[("students.csv", "student_id,name\n"), ("groups.csv", "group_code,title\n\n")]).await;
    assert!(result.as_ref().unwrap_err().is_configuration());
    assert_eq!(problems(result), [at("groups.csv", 1, 1, "no-rows"), at("students.csv", 1, 1, "no-rows")]);
}

#[tokio::test]
async fn of_very_many_bad_rows_ten_thousand_are_listed_and_the_others_counted() {
    let desk = Desk::new();
    let text = format!("student_id,name\n{}", ",Nobody\n".repeat(10_007));
    let result = desk.import(&[("students.csv", &text)]).await;
    let Err(ImportError::BadRows(report)) = result else { panic!("bad rows were accepted") };
    assert_eq!((report.problems.len(), report.unlisted_problems), (10_000, 7));
    assert!(report.to_string().contains("and 7 more bad rows"));
}
