//! Command lines that are understood, and those that are not.

use super::*;

fn parse(line: &str) -> Result<Cli, (i32, String, bool)> {
    Cli::parse_or_exit_code(line.split_whitespace(), &OptionVariables::default())
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_documented_command_line_is_understood() {
    for line in [
        "rosterd",
        "rosterd --config x.toml",
        "rosterd --config x.toml --sync-now --output json",
        "rosterd --sync-now -n",
        "rosterd --sync-now -n --detailed-exitcode",
        "rosterd --config x.toml plan --reveal --unmanaged --detailed-exitcode",
        "rosterd plan --config x.toml --output json",
        "rosterd check --offline",
        "rosterd check --offline --bundle bundle.txt --output json",
        "rosterd status --check",
        "rosterd runs",
        "rosterd runs 12 --output json",
        "rosterd failures",
        "rosterd failures list --output json",
        "rosterd failures retry 1 2 3",
        "rosterd failures ignore --all",
        "rosterd explain 1001",
        "rosterd explain 1001 --reveal --output json",
        "rosterd claim 1001 math-1",
        "rosterd forget 1001",
        "rosterd relink 1001 2001",
        "rosterd relink 1001 2001 --force",
        "rosterd relink --suggested --yes",
        "rosterd account --output json",
        "rosterd account confirm",
        "rosterd account confirm --empty --same-school",
        "rosterd account confirm exam --empty",
        "rosterd account confirm classin --other-school",
        "rosterd approve abcdefghijk",
        "rosterd approve abcdefghijk --student 1001 1002 --student 1003",
        "rosterd approve abcdefghijk --reason same-person",
        "rosterd results --full --output json",
        "rosterd results list --exam 107264 --student S7 --since 2026-11-01 --until 2026-11-30 --limit 20",
        "rosterd results export csv --since 2026-11-01T08:00:00Z",
        "rosterd results export json --reveal",
        "rosterd import csv students.csv groups.csv --bulk --database r.db --skip-bad-rows --dry-run",
        "rosterd import clever folder -n",
        "rosterd import --undo --database r.db",
        "rosterd import csv a.xlsx --map student_id=学号 --map name=姓名 --sheet 七年级 --allow-shrink",
        "rosterd import csv students.csv --encoding gb18030 --delimiter tab",
        "rosterd import oneroster bundle.zip --student-id identifier --groups orgs,grades --role student",
        "rosterd import oneroster folder --disabled left --keep-ended --allow-older --map phone=sms",
        "rosterd export roster",
        "rosterd export links --to links.csv --bom --replace",
        "rosterd plan --html plan.html --replace",
        "rosterd export failures",
        "rosterd sandbox --listen 127.0.0.1:0 --field 21=login --set index_base=1 --set page_cap=50",
        "rosterd --log-level debug --log-format json --no-color --quiet status",
        "rosterd init",
        "rosterd --config rosterd.toml init --non-interactive --exam-address http://127.0.0.1:8481 --exam-code-file code",
        "rosterd init --roster list.csv --map student_id=Nr --login-field 4 --login-column phone --field name=1",
        "rosterd init --create-groups yes --classin yes --classin-sid 1 --classin-secret-file secret --time-zone UTC",
        "rosterd init --without-exam --classin-address http://127.0.0.1:8481 --even-if-failing",
        "rosterd completions bash",
        "rosterd completions zsh --quiet",
        "rosterd man",
        "rosterd man 5",
        "rosterd man failures-retry",
        "rosterd man --to pages --replace",
    ] {
        assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
    }
}

#[test]
fn wrong_usage_exits_64_on_standard_error() {
    for line in [
        "rosterd --nonsense",
        "rosterd frobnicate",
        "rosterd --dry-run",
        "rosterd --sync-now --detailed-exitcode",
        "rosterd --sync-now plan",
        "rosterd export links --replace",
        "rosterd plan --replace",
        "rosterd explain",
        "rosterd claim 1001",
        "rosterd forget",
        "rosterd relink 1001",
        "rosterd relink 1001 2001 --yes",
        "rosterd relink --suggested 1001 2001",
        "rosterd relink --suggested --force",
        "rosterd account confirm --same-school --other-school",
        "rosterd account confirm roster",
        "rosterd failures retry",
        "rosterd failures retry 1 --all",
        "rosterd runs twelve",
        "rosterd results export",
        "rosterd results --full list",
        "rosterd results list --since yesterday",
        "rosterd import",
        "rosterd import csv",
        "rosterd import --database r.db",
        "rosterd import --undo csv a.csv",
        "rosterd import oneroster",
        "rosterd import csv a.csv --encoding klingon",
        "rosterd import csv a.csv --delimiter ab",
        "rosterd import csv a.csv --map student_id",
        "rosterd export",
        "rosterd export passwords",
        "rosterd --output xml status",
        "rosterd --log-level inof",
        "rosterd sandbox --field login",
        "rosterd init --create-groups perhaps",
        "rosterd init --without-exam --login-field 4",
        "rosterd completions",
        "rosterd completions klingon",
        "rosterd man 1 --to pages",
        "rosterd man --replace",
        "rosterd sandbox --set index_base",
    ] {
        let (code, message, to_stdout) = parse(line).unwrap_err();
        assert_eq!((code, to_stdout), (64, false), "{line}: {message}");
        assert!(!message.is_empty());
    }
}

#[test]
fn help_and_version_exit_0_on_standard_output() {
    for line in [
        "rosterd -h",
        "rosterd --help",
        "rosterd -V",
        "rosterd plan --help",
        "rosterd help",
        "rosterd help plan",
        "rosterd help failures retry",
    ] {
        let (code, _, to_stdout) = parse(line).unwrap_err();
        assert_eq!((code, to_stdout), (0, true), "{line}");
    }
}

#[test]
fn variables_stand_in_for_options_and_are_blamed_by_name() {
    let with =
        |line: &str, variables: &OptionVariables| Cli::parse_or_exit_code(line.split_whitespace(), variables);
    let variables = OptionVariables {
        config: Some("from-variable.toml".into()),
        log_level: Some("inof".to_owned()),
        log_format: Some("json".to_owned()),
    };
    let cli =
        with("rosterd status --config given.toml --log-level warn --log-format text", &variables).unwrap();
    assert_eq!(cli.config, Some("given.toml".into()));
    assert_eq!((cli.log_directives(), cli.log_format()), ("warn", LogFormat::Text));
    let (code, said, to_stdout) = with("rosterd status", &variables).unwrap_err();
    assert_eq!((code, to_stdout), (64, false));
    assert!(said.contains("ROSTERD_LOG") && !said.contains("--log-level"), "{said}");
    let variables = OptionVariables { log_level: None, ..variables };
    let cli = with("rosterd status", &variables).unwrap();
    assert_eq!((cli.config, cli.log_format), (Some("from-variable.toml".into()), Some(LogFormat::Json)));
    let variables = OptionVariables { log_format: Some("yaml".to_owned()), ..variables };
    let (code, said, _) = with("rosterd status", &variables).unwrap_err();
    assert!(code == 64 && said.contains("ROSTERD_LOG_FORMAT"), "{said}");
}

#[test]
fn the_form_of_the_log_is_known_before_the_command_line_is_understood() {
    let table = [
        ("rosterd --log-format json --nonsense", None, LogFormat::Json),
        ("rosterd --nonsense --log-format=json", None, LogFormat::Json),
        ("rosterd --nonsense", Some("json"), LogFormat::Json),
        ("rosterd --nonsense --log-format text", Some("json"), LogFormat::Text),
        ("rosterd --nonsense", None, LogFormat::Text),
        ("rosterd --log-format", None, LogFormat::Text),
    ];
    for (line, variable, format) in table {
        let arguments: Vec<OsString> = line.split_whitespace().map(Into::into).collect();
        let variables =
            OptionVariables { log_format: variable.map(str::to_owned), ..OptionVariables::default() };
        assert_eq!(Cli::log_format_in(&arguments, &variables), format, "{line}");
    }
}

#[test]
fn the_long_help_lists_every_exit_code() {
    let (_, help, _) = parse("rosterd --help").unwrap_err();
    for code in ["0", "1", "2", "3", "4", "64", "75", "77", "78", "143"] {
        let listed = help.lines().any(|line| line.split_whitespace().next() == Some(code));
        assert!(listed, "{code} is not in:\n{help}");
    }
}

#[test]
fn no_option_takes_a_secret() {
    let (_, help, _) = parse("rosterd --help").unwrap_err();
    assert!(!help.contains("--secret") && !help.contains("--code") && !help.contains("--password"));
}

#[test]
fn quiet_logs_warnings_unless_a_level_is_given() {
    let directives = |line| parse(line).unwrap().log_directives().to_owned();
    assert_eq!(directives("rosterd"), "info");
    assert_eq!(directives("rosterd -q"), "warn");
    assert_eq!(directives("rosterd -q --log-level debug"), "debug");
}

/// The commands that a sentence prints: each ends where the sentence goes on.
fn printed(sentence: &str) -> Vec<String> {
    const GOES_ON: [&str; 9] = [";", ",", ")", ". ", " lets ", " keeps ", " leaves ", " if ", " shows "];
    let begun = sentence.match_indices("rosterd ").map(|(at, _)| &sentence[at..]);
    let command = |text: &str| {
        let end = GOES_ON.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
        text[..end].trim_end_matches('`').to_owned()
    };
    // `rosterd` is the subject of a sentence too: then a verb follows.
    let is_command = |line: &String| !["asks", "do"].contains(&line.split(' ').nth(1).unwrap_or_default());
    begun.map(command).filter(is_command).collect()
}

/// The words of a line as a shell takes them: only single quotes are printed.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn every_command_that_a_sentence_about_single_people_prints_is_one_that_can_be_typed() {
    use rosterd_core::exam_plan::{HoldReason, PersonDoubt, with_digest, with_failure};
    use rosterd_core::roster::{Gid, Sid, StudentId};
    for ids in [["1001", "1002"], ["S 01", "-7"], ["-7", "O"]] {
        let [student, other] = ids.map(StudentId::new);
        let [leaver, by] = [student.clone(), other.clone()];
        let doubts = [
            PersonDoubt::LoginWanted { leaver: leaver.clone(), by: by.clone(), has_candidate: false },
            PersonDoubt::GivenTo { leaver: leaver.clone(), by: by.clone(), has_candidate: false },
            PersonDoubt::AlikeIds { leaver: leaver.clone(), newcomer: by.clone(), holds_newcomer: true },
            PersonDoubt::AlikeEntered { leaver: leaver.clone(), other: by.clone() },
            PersonDoubt::CalledOne { leaver: leaver.clone(), other: by.clone() },
            PersonDoubt::RenamedByHand { leaver },
            PersonDoubt::Exchanged { student: student.clone(), other: other.clone() },
            PersonDoubt::UsedAgain { student: student.clone() },
            PersonDoubt::ChangedHands {
                student: student.clone(),
                other,
                shows_others: true,
                one_left: false,
            },
        ];
        let adoption = HoldReason::NothingAgrees {
            student: student.clone(),
            sid: Sid(1),
            compared: 2,
            is_of_open_add: true,
        };
        let reasons = [
            adoption,
            HoldReason::StillNamed,
            HoldReason::UnreadableIds,
            HoldReason::RowsOfNobody(2),
            HoldReason::TwinOf(Sid(5)),
            HoldReason::ForeignGroup([Gid(9)].into()),
        ];
        let reasons = reasons.into_iter().chain(doubts.into_iter().map(HoldReason::SamePerson));
        for reason in reasons {
            let sentence = with_failure(&with_digest(&reason.about(&student), "abcdefghijk"), Some(7));
            let commands = printed(&sentence);
            assert!(!commands.is_empty(), "{sentence}");
            for command in commands {
                let parsed = Cli::parse_or_exit_code(words(&command), &OptionVariables::default());
                assert!(parsed.is_ok(), "{command}: {parsed:?}\n{sentence}");
                assert!(!command.contains("DIGEST") && !command.contains("STUDENT"), "{command}");
            }
            let unrecorded = with_failure(&sentence_without_run(&reason, &student), None);
            assert!(!unrecorded.contains("failures ignore"), "{unrecorded}");
        }
    }
}

fn sentence_without_run(
    reason: &rosterd_core::exam_plan::HoldReason,
    student: &rosterd_core::roster::StudentId,
) -> String {
    rosterd_core::exam_plan::with_digest(&reason.about(student), "abcdefghijk")
}

#[test]
fn the_help_of_a_command_tells_of_the_global_options_in_one_line() {
    let helps =
        ["rosterd plan --help", "rosterd help plan", "rosterd failures retry -h", "rosterd init --help"];
    for line in helps {
        let (_, help, _) = parse(line).unwrap_err();
        let global: Vec<&str> = help.lines().filter(|line| line.contains("--no-color")).collect();
        assert_eq!(global.len(), 1, "{line}: {help}");
        assert!(global[0].contains("rosterd --help"), "{help}");
        assert!(!help.contains("ROSTERD_CONFIG"), "{help}");
    }
    let (_, help, _) = parse("rosterd --help").unwrap_err();
    assert!(help.contains("ROSTERD_CONFIG") && help.contains(GLOBAL), "{help}");
}
