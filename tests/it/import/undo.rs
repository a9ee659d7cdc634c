//! The roster before the last import is kept, and comes back.

use super::*;
use rosterd::{history_of, previous_of, undo};

#[tokio::test]
async fn an_undo_brings_the_roster_back_and_another_takes_that_back() {
    let desk = Desk::new();
    desk.fill(&EVERYTHING).await;
    assert!(!previous_of(&desk.database()).exists(), "before the first import there was nothing");
    let everything = "SELECT student_id || name || active FROM students UNION ALL SELECT student_id || group_code FROM \
                      group_members ORDER BY 1";
    let before = desk.one(everything).await;
    let files = [
        ("students.csv", "student_id,name,login\nS2,Han,h\nS3,New,n\n"),
        ("group_members.csv", "student_id,group_code\nS2,G1\n"),
    ];
    drop(import(&bulk(desk.put_all(&files))).await.unwrap());
    let after = desk.one(everything).await;
    assert_ne!(before, after);
    #[cfg(unix)]
    {
        let kept = std::fs::metadata(previous_of(&desk.database())).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&kept) & 0o777, 0o600);
    }
    // An import that changes nothing keeps what is kept.
    drop(import(&bulk(desk.put_all(&files))).await.unwrap());
    let undone = undo(&desk.database()).await.unwrap();
    assert_eq!(desk.one(everything).await, before);
    assert_eq!(undone.back[0], (RosterTable::Students, 2));
    assert_eq!(undone.taken_out[0], (RosterTable::Students, 3));
    undo(&desk.database()).await.unwrap();
    assert_eq!(desk.one(everything).await, after);
}

#[cfg(unix)]
#[tokio::test]
async fn an_undo_goes_back_one_import_by_whatever_link_the_roster_is_named() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", "student_id,name\nS1,One\n")]).await;
    desk.fill(&[("students.csv", "student_id,name\nS1,Two\n")]).await;
    let link = desk.path("elsewhere.db");
    std::os::unix::fs::symlink(desk.database(), &link).unwrap();
    let text = [("students.csv", "student_id,name\nS1,Three\n")];
    drop(import(&ImportRequest { database: link.clone(), ..desk.put_all(&text) }).await.unwrap());
    assert_eq!(previous_of(&link), previous_of(&desk.database()));
    undo(&desk.database()).await.unwrap();
    assert_eq!(desk.one("SELECT name FROM students").await, "Two");
}

#[tokio::test]
async fn without_a_previous_roster_nothing_is_undone() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", STUDENTS)]).await;
    let none = undo(&desk.database()).await.unwrap_err();
    assert!(matches!(none, RosterWriteError::NoPrevious { .. }));
    assert!(none.to_string().contains("before the first import there was none"), "{none}");
    std::fs::write(previous_of(&desk.database()), "spoilt ".repeat(200)).unwrap();
    let spoilt = undo(&desk.database()).await.unwrap_err().to_string();
    assert!(
        spoilt.contains("roster.db.previous, the roster before the last import, cannot be read"),
        "{spoilt}"
    );
    std::fs::remove_file(previous_of(&desk.database())).unwrap();
    let refused = desk.import(&[("students.csv", "student_id,name\n,Nobody\n")]).await;
    assert!(refused.is_err() && !previous_of(&desk.database()).exists());
    let left: Vec<_> =
        std::fs::read_dir(desk.folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn what_root_makes_in_somebodys_folder_is_theirs() {
    use std::os::unix::fs::{MetadataExt, chown};
    let desk = Desk::new();
    if chown(desk.folder.path(), Some(65_532), Some(65_532)).is_err() {
        // Only root can give a folder away.
        return;
    }
    desk.fill(&[("students.csv", STUDENTS)]).await;
    desk.fill(&[("students.csv", "student_id,name\nS1,Other\n")]).await;
    for path in [desk.database(), previous_of(&desk.database()), history_of(&desk.database())] {
        let file = std::fs::metadata(&path).unwrap();
        assert_eq!(
            (file.uid(), file.gid(), file.mode() & 0o777),
            (65_532, 65_532, 0o600),
            "{}",
            path.display()
        );
    }
}

#[tokio::test]
async fn an_undo_keeps_what_others_have_changed_since_and_names_it() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", "student_id,name,phone\nS1,One,1\nS2,Two,2\nS3,Three,3\n")]).await;
    desk.fill(&[("students.csv", "student_id,name,phone\nS1,Uno,1\nS2,Dos,2\nS4,Cuatro,4\n")]).await;
    desk.run(
        "UPDATE students SET phone = '22' WHERE student_id = 'S2'; INSERT INTO students (student_id, name) VALUES ('S9', 'Nine');
         UPDATE students SET name = 'Drei' WHERE student_id = 'S3'",
    )
    .await;
    let names = "SELECT student_id || name || COALESCE(phone, '') FROM students ORDER BY student_id";
    let undone = undo(&desk.database()).await.unwrap();
    assert_eq!(desk.one(names).await, "S1One1|S2Dos22|S3Drei3|S9Nine");
    assert_eq!((undone.back[0].1, undone.taken_out[0].1, undone.kept[0].1), (1, 2, 3));
    assert_eq!(undone.first_kept, ["students S2", "students S3", "students S9"]);
    let again = undo(&desk.database()).await.unwrap();
    assert_eq!(desk.one(names).await, "S1Uno1|S2Dos22|S3Drei3|S4Cuatro4|S9Nine");
    assert_eq!(again.kept[0].1, 0, "nobody has changed anything since the undo");
}

#[tokio::test]
async fn an_import_for_which_there_is_no_room_may_be_tried_again() {
    let desk = Desk::new();
    let mut connection = desk.connect().await;
    sqlx::raw_sql("PRAGMA max_page_count = 2; CREATE TABLE a (b)").execute(&mut connection).await.unwrap();
    let full = sqlx::raw_sql("CREATE TABLE c (d)").execute(&mut connection).await.unwrap_err();
    let error = ImportError::from(RosterWriteError::from(full));
    assert!(error.is_temporary() && !error.is_configuration(), "{error:?}");
    let ImportError::Database(cause) = error else { panic!("{error:?}") };
    assert!(cause.to_string().contains("make room there and repeat the command"), "{cause}");
    // The tables of a new roster are made by migrations, which meet the full disk first.
    let full = sqlx::raw_sql("CREATE TABLE e (f)").execute(&mut connection).await.unwrap_err();
    let error = ImportError::from(RosterWriteError::of_migration(
        sqlx::migrate::MigrateError::ExecuteMigration(full, 1),
    ));
    assert!(error.is_temporary() && !error.is_configuration(), "{error:?}");
    let source = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    for error in [
        RosterWriteError::Create { path: desk.database(), source: source() },
        RosterWriteError::Previous { path: desk.database(), source: source() },
    ] {
        let error = ImportError::from(error);
        assert!(error.is_temporary() && !error.is_configuration(), "{error:?}");
    }
}
