//! `rosterd export`: the program itself, with a real roster.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with a configuration and a filled roster.
fn school() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put(
        "rosterd.toml",
        "[roster]\ndatabase = \"roster.db\"\n[state]\ndatabase = \"state.db\"\n[exam.fields]\nname = 1\nstart_code = 10\n",
    );
    put(
        "students.csv",
        "student_id,name,phone,password,start_code,active\n\
         007,\"王, 小明\",+8613800138000,s3cret-word,s3cret-code,1\n\
         008,@cmd()|x,001,,,0\n",
    );
    put("groups.csv", "group_code,title\nG1,One\nG2,Two\n");
    put("group_members.csv", "student_id,group_code\n007,G2\n007,G1\n");
    let files = ["students.csv", "groups.csv", "group_members.csv"];
    let output = rosterd(folder.path(), &[&["import", "csv"][..], &files].concat());
    assert!(output.status.success(), "{output:?}");
    folder
}

fn rosterd(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rosterd"));
    command.current_dir(folder).args(["--config", "rosterd.toml"]).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

const ROSTER: &str = "student_id,name,gender,phone,email,classin_uid,active,groups,classes\r\n\
                      007,\"王, 小明\",,+8613800138000,,,1,G1;G2,\r\n\
                      008,'@cmd()|x,,001,,,0,,\r\n";

#[test]
fn the_roster_is_exported_without_passwords_and_without_formulas() {
    let school = school();
    let text = stdout(&rosterd(school.path(), &["export", "roster"]));
    assert_eq!(text, ROSTER);
    let raw = stdout(&rosterd(school.path(), &["export", "roster", "--raw"]));
    assert_eq!(raw, ROSTER.replace("'@cmd", "@cmd"));
}

#[test]
fn a_file_is_written_whole_for_its_owner_alone_and_marked_for_excel_when_asked() {
    let school = school();
    let path = school.path().join("roster.csv");
    let output = rosterd(school.path(), &["export", "roster", "--bom", "--to", "roster.csv"]);
    assert_eq!(stdout(&output), "2 rows written to roster.csv\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("\u{feff}{ROSTER}"));
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    assert!(!school.path().join("roster.csv.part").exists());
    let output = rosterd(school.path(), &["export", "roster", "--to", "no/such/folder.csv"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_export_replaces_the_list_of_students_that_it_is_named_like_and_no_other_file() {
    let school = school();
    let to = |name: &str| rosterd(school.path(), &["export", "roster", "--to", name]);
    assert_eq!(stdout(&to("students.csv")), "2 rows written to students.csv\n");
    assert_eq!(stdout(&to("students.csv")), "2 rows written to students.csv\n");
    for other in ["groups.csv", "rosterd.toml", "roster.db"] {
        let before = std::fs::read(school.path().join(other)).unwrap();
        assert_eq!(to(other).status.code(), Some(1), "{other}");
        assert_eq!(std::fs::read(school.path().join(other)).unwrap(), before, "{other}");
    }
}

/// What an import of this file would change.
fn difference(folder: &Path, file: &str) -> serde_json::Value {
    let read = rosterd(folder, &["import", "csv", file, "--dry-run", "--output", "json"]);
    let mut report: serde_json::Value = serde_json::from_str(&stdout(&read)).unwrap();
    report["difference"].take()
}

#[test]
fn a_workbook_is_written_where_the_name_says_so_and_its_import_changes_nothing() {
    let school = school();
    for name in ["roster.xlsx", "again.XLSX"] {
        let output = rosterd(school.path(), &["export", "roster", "--to", name]);
        assert_eq!(stdout(&output), format!("2 rows written to {name}\n"));
        let bytes = std::fs::read(school.path().join(name)).unwrap();
        assert!(bytes.starts_with(b"PK"), "a workbook is an archive");
    }
    let csv = rosterd(school.path(), &["export", "roster", "--to", "roster.csv"]);
    assert!(csv.status.success(), "{csv:?}");
    let (of_workbook, of_csv) =
        (difference(school.path(), "roster.xlsx"), difference(school.path(), "roster.csv"));
    assert_eq!(of_workbook, of_csv);
    assert_eq!(
        (&of_workbook["students"]["changed"], &of_workbook["students"]["added"]),
        (&0.into(), &0.into())
    );
    for what in ["links", "failures"] {
        let output = rosterd(school.path(), &["export", what, "--to", &format!("{what}.xlsx")]);
        assert_eq!(stdout(&output), format!("0 rows written to {what}.xlsx\n"));
    }
}

#[test]
fn a_kind_of_workbook_that_cannot_be_written_is_refused_before_anything_is_there() {
    let school = school();
    for name in ["roster.xls", "roster.ods"] {
        let output = rosterd(school.path(), &["export", "roster", "--to", name]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains("end the name in .xlsx"), "{output:?}");
        assert!(!school.path().join(name).exists());
    }
}

#[test]
fn json_on_standard_output_is_one_document() {
    let school = school();
    let text = stdout(&rosterd(school.path(), &["export", "roster", "--output", "json"]));
    let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(rows[0]["student_id"], "007");
    assert_eq!(rows[0]["groups"], "G1;G2");
    assert!(rows[0].get("password").is_none() && !text.contains("s3cret"), "{text}");
}

#[test]
fn an_own_schema_is_exported_by_its_queries() {
    let school = school();
    let config = "[roster]\ndatabase = \"roster.db\"\n[roster.queries]\n\
                  students = \"SELECT student_id, name, password AS initial_password, active FROM students -- all\"\n";
    std::fs::write(school.path().join("rosterd.toml"), config).unwrap();
    let text = stdout(&rosterd(school.path(), &["export", "roster"]));
    assert_eq!(text.lines().next(), Some("student_id,name,active,groups,classes"));
    assert_eq!(text.lines().nth(1), Some("007,\"王, 小明\",1,G1;G2,"));
}

#[test]
fn links_and_failures_are_headers_before_the_first_run() {
    let school = school();
    assert_eq!(
        stdout(&rosterd(school.path(), &["export", "links"])),
        "student_id,sid,login_value,origin,gids,linked_at,gone_since\r\n"
    );
    assert_eq!(
        stdout(&rosterd(school.path(), &["export", "failures"])),
        "id,service,kind,student_id,class_code,state,code,message,attempts,due_at,name,groups,who,since\r\n"
    );
    assert_eq!(stdout(&rosterd(school.path(), &["export", "failures", "--output", "json"])).trim(), "[\n]");
}

#[test]
fn a_roster_that_is_not_there_is_a_wrong_configuration() {
    let school = school();
    std::fs::remove_file(school.path().join("roster.db")).unwrap();
    assert_eq!(rosterd(school.path(), &["export", "roster"]).status.code(), Some(78));
}

#[test]
fn a_password_column_leaves_under_no_label() {
    for (row, column, field) in [
        ("by number", "start", "10"),
        ("German", "start", "\"Kennwort\""),
        ("French", "start", "\"Mot de passe\""),
        ("Spanish", "start", "\"Contraseña\""),
        ("Russian", "start", "\"Пароль\""),
        ("Portuguese", "start", "\"Senha\""),
        ("Chinese", "start", "\"登录密码\""),
        ("a label that nothing is known of", "start", "\"Initial\""),
        ("a column whose name says it", "kennwort", "11"),
        ("a short name", "pin", "11"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        put(
            "rosterd.toml",
            &format!(
                "[roster]\ndatabase = \"roster.db\"\n[state]\ndatabase = \"state.db\"\n[exam.fields]\nname = 1\n{column} = {field}\n"
            ),
        );
        put("students.csv", &format!("student_id,name,{column}\n007,Wang,s3cret-word\n"));
        let output = rosterd(folder.path(), &["import", "csv", "students.csv"]);
        assert!(output.status.success(), "{row}: {output:?}");
        let text = stdout(&rosterd(folder.path(), &["export", "roster"]));
        assert!(text.contains("Wang") && !text.contains("s3cret") && !text.contains(column), "{row}: {text}");
        for arguments in [
            &["explain", "007"][..],
            &["explain", "007", "--reveal"],
            &["explain", "007", "--output", "json"],
        ] {
            let text = stdout(&rosterd(folder.path(), arguments));
            for part in ["s3cret", "s…", "characters"] {
                assert!(!text.contains(part), "{row}, {arguments:?}: {text}");
            }
        }
    }
}

#[test]
fn a_column_that_is_ours_is_exported_whatever_its_label_and_one_that_is_left_out_is_named() {
    let school = school();
    let config = "[roster]\ndatabase = \"roster.db\"\n[state]\ndatabase = \"state.db\"\n\
                  [exam.fields]\nname = \"Full name\"\nstart_code = \"Initial\"\n";
    std::fs::write(school.path().join("rosterd.toml"), config).unwrap();
    let output = rosterd(school.path(), &["export", "roster"]);
    assert_eq!(stdout(&output), ROSTER);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("the column start_code is left out"),
        "{output:?}"
    );
    assert!(!school.path().join("state.db").exists(), "looking at the roster created a state");
}

#[test]
fn nothing_of_a_value_is_shown_unless_it_is_asked_for() {
    let school = school();
    let text = stdout(&rosterd(school.path(), &["explain", "007"]));
    assert!(text.contains("  phone: set\n") && !text.contains("email"), "{text}");
    let text = stdout(&rosterd(school.path(), &["explain", "007", "--reveal"]));
    assert!(text.contains("  phone: +8613800138000\n"), "{text}");
}

#[test]
fn check_says_whose_a_secret_file_is_and_who_may_read_it() {
    let school = school();
    let path = school.path().join("code");
    std::fs::write(&path, "\u{feff}xxx\r\n").unwrap();
    let config = std::fs::read_to_string(school.path().join("rosterd.toml")).unwrap();
    let config = config.replace("[exam.fields]", "[exam]\ncode_file = \"code\"\n[exam.fields]");
    std::fs::write(school.path().join("rosterd.toml"), config).unwrap();
    for (mode, who) in [
        (0o600, "its owner's alone"),
        (0o640, "its owner's group"),
        (0o644, "everybody on this machine may read it"),
    ] {
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let text = stdout(&rosterd(school.path(), &["check", "--offline"])).replace("\n      ", " ");
        let line = text.lines().find(|line| line.contains("exam.code_file")).unwrap();
        assert!(line.contains(who) && line.contains(&format!("mode {mode:04o}")), "{line}");
    }
}
