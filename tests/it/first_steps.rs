//! `rosterd init` as a new user meets it: questions, flags, trials, and nothing half done; and what is printed beside it.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::program::{BINARY, bare};
use rosterd_sandbox::{Sandbox, SandboxSettings, Serving};
use rosterd_testkit::{Ended, ended};
use tempfile::TempDir;

/// An empty folder with a list of a school's own, and a sandbox with some of these people in it.
struct Beginning {
    folder: TempDir,
    sandbox: Sandbox,
    serving: Serving,
}

impl Beginning {
    /// `candidates`: how many of the listed students the account has already.
    async fn with(candidates: usize) -> Self {
        let settings = SandboxSettings { login_field: "4".to_owned(), ..SandboxSettings::default() };
        let sandbox = Sandbox::new(settings).unwrap();
        let gid = sandbox.create_group("7A");
        for at in 0..candidates {
            sandbox.insert_candidate(&[(1, &*format!("Pupil {at}")), (4, &*phone(at))], &[gid]);
        }
        let serving = sandbox.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let rows: String = (0..20).map(|at| format!("10{at:02},Pupil {at},{},7A\n", phone(at))).collect();
        std::fs::write(folder.path().join("list.csv"), format!("Student ID,Name,Phone,Group\n{rows}"))
            .unwrap();
        std::fs::write(folder.path().join("code.txt"), "xxx\n").unwrap();
        std::fs::write(folder.path().join("secret.txt"), "topsecret\n").unwrap();
        Self { folder, sandbox, serving }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(arguments);
        command.current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments))
    }

    /// `init` without questions.
    fn init(&self, more: &[&str]) -> Ended {
        let address = self.serving.base_url();
        let usual = ["init", "--non-interactive", "--exam-address", &address];
        self.run(&[&usual[..], more].concat())
    }

    /// Answers, line by line, as another program or a person gives them.
    fn answering(&self, arguments: &[&str], answers: &str) -> Ended {
        let mut child = self.asking(arguments);
        child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
        finished(child)
    }

    fn asking(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(&[&["init"], arguments].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[track_caller]
    fn assert_untouched(&self) {
        assert_eq!(self.files(), ["code.txt", "list.csv", "secret.txt"]);
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// No call so far can have changed anything.
    #[track_caller]
    fn assert_no_write(&self) {
        let reads = ["getFields", "getstulist", "getstudentsinfo"];
        for entry in self.sandbox.journal() {
            let proof = entry.service == "classin" && entry.endpoint == "delClassStudentMultiple";
            assert!(
                proof || reads.contains(&entry.endpoint.as_str()),
                "{} {}",
                entry.service,
                entry.endpoint
            );
        }
    }
}

fn phone(at: usize) -> String {
    format!("138000000{at:02}")
}

fn finished(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().expect("an exit code"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// What a person types at a school with 20 students, 18 of whom are there already.
const ANSWERS: &str = "xxx\nlist.csv\n\n\n\n\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_tried_at_once_and_the_first_plan_is_one_command_away() {
    let beginning = Beginning::with(18).await;
    let address = beginning.serving.base_url();
    let ended = beginning.answering(&[], &format!("{address}\n{ANSWERS}"));
    assert_eq!(ended.code, 0, "{ended:#?}");
    for said in [
        "18 candidates",
        "field 4 \"phone\"",
        "18 of your 20 students match",
        "20 active students",
        "1001 \"7A\"",
    ] {
        assert!(ended.stderr.contains(said), "{said}: {ended:#?}");
    }
    beginning.assert_no_write();
    let expected = ["code.txt", "credentials", "list.csv", "roster.db", "rosterd.toml", "secret.txt"];
    assert_eq!(beginning.files(), expected);
    let path = |name: &str| beginning.folder.path().join(name);
    assert_eq!((mode(&path("rosterd.toml")), mode(&path("credentials"))), (0o600, 0o700));
    assert_eq!(mode(&path("credentials/exam-code")), 0o600);
    assert_eq!(beginning.text("credentials/exam-code"), "xxx\n");
    assert!(!beginning.text("rosterd.toml").contains("xxx"), "{}", beginning.text("rosterd.toml"));
    let next = ended.stdout.lines().find(|line| line.contains(" plan ")).unwrap();
    let plan = next.trim().split("  ").next().unwrap();
    assert_eq!(plan, "rosterd --config rosterd.toml plan");
    let plan = beginning.run(&["--config", "rosterd.toml", "plan", "--output", "json"]);
    assert_eq!(plan.code, 0, "{plan:#?}");
    assert_eq!(plan.json()["students"], 20);
    let check = beginning.run(&["--config", "rosterd.toml", "check"]);
    assert_eq!(check.code, 0, "{check:#?}");
    beginning.assert_no_write();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_gives_every_answer_by_option_and_classin_too() {
    let beginning = Beginning::with(18).await;
    let address = beginning.serving.base_url();
    let ended = beginning.run(&[
        "--config",
        "school.toml",
        "init",
        "--non-interactive",
        "--exam-address",
        &address,
        "--exam-code-file",
        "code.txt",
        "--roster",
        "list.csv",
        "--login-field",
        "phone",
        "--login-column",
        "phone",
        "--field",
        "name=1",
        "--create-groups",
        "no",
        "--classin",
        "yes",
        "--classin-sid",
        "2339736",
        "--classin-secret-file",
        "secret.txt",
        "--time-zone",
        "Europe/Berlin",
    ]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    for said in
        ["18 of your 20 students match", "ClassIn: credentials accepted", "Written: roster.db, school.toml"]
    {
        assert!(ended.stdout.contains(said), "{said}: {ended:#?}");
    }
    let text = beginning.text("school.toml");
    for line in [
        "code_file = \"code.txt\"",
        "secret_file = \"secret.txt\"",
        "login_field = 4 ",
        "name = 1\nphone = 4",
        "sid = \"2339736\"",
        "time_zone = \"Europe/Berlin\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!beginning.files().contains(&"credentials".to_owned()), "what has a place stays there");
    let check = beginning.run(&["--config", "school.toml", "check"]);
    assert_eq!(check.code, 0, "{check:#?}");
    beginning.assert_no_write();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_questions_a_missing_answer_is_64_and_names_its_option() {
    let beginning = Beginning::with(0).await;
    let code = ["--exam-code-file", "code.txt"];
    let all = [&code[..], &["--roster", "list.csv"]].concat();
    for (given, option) in [
        (&[][..], "--exam-code-file"),
        (&code, "--roster"),
        (&all, "--login-field"),
        (&[&all[..], &["--login-field", "4"]].concat(), "--create-groups"),
        (
            &[&all[..], &["--login-field", "4", "--create-groups", "no", "--classin", "yes"]].concat(),
            "--classin-sid",
        ),
    ] {
        let ended = beginning.init(given);
        assert_eq!(ended.code, 64, "{option}: {ended:#?}");
        assert!(ended.stderr.contains(&format!("{option} is missing")), "{option}: {ended:#?}");
        beginning.assert_untouched();
    }
    let mut command =
        beginning.command(&["init", "--non-interactive", "--roster", "list.csv", "--login-field", "4"]);
    command.args(["--exam-address", &beginning.serving.base_url(), "--create-groups", "yes"]);
    command.env("ROSTERD__EXAM__CODE", "xxx");
    let ended = ended(command);
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert!(!beginning.text("rosterd.toml").contains("xxx"));
    assert!(beginning.text("rosterd.toml").contains("create_groups = true"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_that_fails_writes_nothing_unless_that_is_asked_for() {
    let beginning = Beginning::with(18).await;
    let path = |name: &str| beginning.folder.path().join(name);
    std::fs::write(path("wrong.txt"), "wrong\n").unwrap();
    std::fs::write(path("other.csv"), "Student ID,Name,Phone,Group\n1,Ann,+8613800000001,7A\n").unwrap();
    std::fs::write(path("bad.csv"), "Colour,Size\nred,1\n").unwrap();
    let nobody = rosterd_testkit::nobodys_address();
    let (code, list) = (["--exam-code-file", "code.txt"], ["--roster", "list.csv"]);
    let before = beginning.files();
    for (row, arguments, exit, said) in [
        ("a wrong code", [&["--exam-code-file", "wrong.txt"][..], &list].concat(), 77, "code"),
        ("no such file", [&code[..], &["--roster", "nope.db"]].concat(), 78, "nope.db is no file"),
        ("no list of students", [&code[..], &["--roster", "bad.csv"]].concat(), 78, "bad.csv"),
        ("no such field", [&code[..], &list, &["--login-field", "email"]].concat(), 78, "no field \"email\""),
        ("another field", [&code[..], &list, &["--login-field", "1"]].concat(), 78, "stands in field 4"),
        ("no such column", [&code[..], &list, &["--login-column", "mail"]].concat(), 78, "no column mail"),
        ("an empty column", [&code[..], &list, &["--login-column", "email"]].concat(), 78, "is empty"),
        (
            "written otherwise",
            [&code[..], &["--roster", "other.csv", "--login-column", "phone"]].concat(),
            78,
            "written otherwise",
        ),
        ("no such zone", [&code[..], &list, &["--time-zone", "Nowhere"]].concat(), 78, "time_zone"),
    ] {
        let ended = beginning.init(&arguments);
        assert_eq!(ended.code, exit, "{row}: {ended:#?}");
        assert!(
            ended.stderr.contains(said) && ended.stderr.contains("nothing was written"),
            "{row}: {ended:#?}"
        );
        assert_eq!(beginning.files(), before, "{row}");
    }
    let down = beginning.run(&[
        "init",
        "--non-interactive",
        "--even-if-failing",
        "--exam-address",
        &nobody,
        "--exam-code-file",
        "code.txt",
        "--roster",
        "list.csv",
        "--login-field",
        "4",
        "--login-column",
        "phone",
        "--create-groups",
        "no",
    ]);
    assert_eq!(down.code, 0, "{down:#?}");
    assert!(down.stdout.contains("FAIL  exam side"), "{down:#?}");
    assert!(beginning.text("rosterd.toml").contains(&nobody));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_answer_is_asked_for_again() {
    let beginning = Beginning::with(18).await;
    let address = beginning.serving.base_url();
    // A wrong code, that is not kept; then all again.
    let answers = format!("{address}\nwrong\nno\n{address}\n{ANSWERS}");
    let ended = beginning.answering(&[], &answers);
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert!(ended.stderr.contains("FAIL") && ended.stderr.contains("18 of your 20"), "{ended:#?}");
    assert_eq!(beginning.text("credentials/exam-code"), "xxx\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_end_and_a_signal_leave_nothing_behind() {
    let beginning = Beginning::with(18).await;
    let address = beginning.serving.base_url();
    let ended = beginning.answering(&[], &format!("{address}\nxxx\nlist.csv\n"));
    assert_eq!(ended.code, 64, "{ended:#?}");
    assert!(ended.stderr.contains("--login-field"), "{ended:#?}");
    beginning.assert_untouched();

    let mut child = beginning.asking(&[]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{address}\nxxx\nlist.csv\n").as_bytes()).unwrap();
    let imported = || beginning.files().iter().any(|name| name.starts_with(".rosterd-init"));
    rosterd_testkit::eventually("the list is imported", imported).await;
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let ended = finished(child);
    assert_eq!(ended.code, 143, "{ended:#?}");
    beginning.assert_untouched();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_already_stays() {
    let beginning = Beginning::with(18).await;
    let answer = ["--exam-code-file", "code.txt", "--roster", "list.csv"];
    for name in ["roster.db", "rosterd.toml"] {
        let path = beginning.folder.path().join(name);
        std::fs::write(&path, "mine").unwrap();
        let ended = beginning.init(&answer);
        assert_ne!(ended.code, 0, "{ended:#?}");
        assert!(ended.stderr.contains(name) && ended.stderr.contains("is there already"), "{ended:#?}");
        assert_eq!(beginning.text(name), "mine");
        std::fs::remove_file(path).unwrap();
    }
    beginning.assert_untouched();
    // A roster that is a database is named where it is, and not touched.
    assert_eq!(beginning.run(&["import", "csv", "list.csv", "--database", "school.db"]).code, 0);
    let before = std::fs::read(beginning.folder.path().join("school.db")).unwrap();
    let ended =
        beginning.init(&["--exam-code-file", "code.txt", "--roster", "school.db", "--create-groups", "no"]);
    assert_eq!(ended.code, 0, "{ended:#?}");
    assert!(beginning.text("rosterd.toml").contains("database = \"school.db\""));
    assert_eq!(std::fs::read(beginning.folder.path().join("school.db")).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_terminal_a_secret_is_not_shown_while_it_is_typed() {
    let beginning = Beginning::with(18).await;
    let address = beginning.serving.base_url();
    // `script` gives the program a terminal of its own, and shows what that shows.
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &format!("{BINARY} init"), "/dev/null"]);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("TERM", "dumb").env("SHELL", "/bin/sh");
    command
        .current_dir(beginning.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return };
    let mut stdin = child.stdin.take().unwrap();
    let mut screen = Screen::of(child.stdout.take().unwrap());
    // Each answer only when its question stands there, as a person does: what is typed earlier is shown by the terminal.
    for (question, answer) in [
        ("onlineexammaker.com]: ", address.as_str()),
        ("holds it): ", "xxx"),
        (".ods): ", "list.csv"),
        ("number [4]: ", ""),
        ("log in with [phone]: ", ""),
        ("phone=4]: ", ""),
        ("no gid [no]: ", "no"),
    ] {
        screen.hear(question);
        writeln!(stdin, "{answer}").unwrap();
    }
    screen.hear("observe");
    drop(stdin);
    assert!(child.wait().unwrap().success(), "{}", screen.shown);
    let shown = screen.shown;
    assert!(shown.contains(&address) && shown.contains("list.csv"), "{shown}");
    assert!(!shown.contains("xxx"), "{shown}");
    assert_eq!(beginning.text("credentials/exam-code"), "xxx\n");
}

/// A terminal as somebody sees it who sits there.
struct Screen {
    pieces: Receiver<Vec<u8>>,
    shown: String,
}

impl Screen {
    fn of(mut from: impl std::io::Read + Send + 'static) -> Self {
        let (sender, pieces) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 256];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                if sender.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { pieces, shown: String::new() }
    }

    /// Waits until these words, not seen before, stand at the end of what is shown.
    fn hear(&mut self, words: &str) {
        let begun = self.shown.len();
        while !self.shown[begun..].contains(words) {
            match self.pieces.recv_timeout(Duration::from_secs(60)) {
                Ok(piece) => self.shown.push_str(&String::from_utf8_lossy(&piece)),
                Err(error) => panic!("{words:?} never came: {error}\n{}", self.shown),
            }
        }
    }
}

/// The lines between the fences of this language behind these words of the README, without their indentation.
fn block(words: &str, language: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, behind) = readme.split_once(words).unwrap();
    let (_, inside) = behind.split_once(&format!("```{language}\n")).unwrap();
    inside
        .split("```")
        .next()
        .unwrap()
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn the_first_steps_of_the_readme_are_what_a_new_user_sees() {
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = bare(arguments);
        command.current_dir(folder.path());
        command
    };
    let mut sandbox = rosterd_testkit::Running::new(command(&[
        "sandbox",
        "--listen",
        "127.0.0.1:0",
        "--login-field",
        "phone",
    ]));
    let line = sandbox.hear("serving both services");
    let address = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    std::fs::write(folder.path().join("list.csv"), block("**A list of students**", "csv").join("\n"))
        .unwrap();
    let (mut answers, mut expected) = (String::new(), String::new());
    for line in block("**Answer:**", "text") {
        // What is asked begins at the margin and ends with a colon; behind it stands what is typed.
        let is_question = ["Address", "Verification", "Roster:", "Field", "Column", "Let"]
            .iter()
            .any(|it| line.starts_with(it));
        let (shown, typed) = match line.rsplit_once(": ") {
            Some((question, answer)) if is_question => (format!("{question}:"), answer.to_owned()),
            _ => (line.clone(), String::new()),
        };
        expected.push_str(&format!("{shown} "));
        if is_question {
            answers.push_str(&typed.replace("http://127.0.0.1:8481", address));
            answers.push('\n');
        }
    }
    let mut init = command(&["init"]);
    init.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut init = init.spawn().unwrap();
    init.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    let ended = finished(init);
    assert_eq!(ended.code, 0, "{ended:#?}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    assert_eq!(words(&ended.stderr), words(&expected));
    assert!(ended.stdout.contains("Written: roster.db, credentials/exam-code, rosterd.toml"), "{ended:#?}");
    let run = |arguments: &[&str]| {
        rosterd_testkit::ended(command(&[&["--config", "rosterd.toml"], arguments].concat()))
    };
    let plan = run(&["plan"]);
    assert!(plan.code == 0 && plan.stdout.contains("+ 1001"), "{plan:#?}");
    let path = folder.path().join("rosterd.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("mode = \"observe\"", "mode = \"create-only\"")).unwrap();
    let run = run(&["--sync-now", "--output", "json"]);
    assert_eq!((run.code, run.json()["exam"]["applied"]["add"].as_u64()), (0, Some(2)), "{run:#?}");
}

#[test]
fn the_lines_that_a_sandbox_prints_are_a_configuration_for_it() {
    for (field, column) in [("phone", "phone = 4"), ("email", "\"email\" = 11")] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = bare(&["sandbox", "--listen", "127.0.0.1:0", "--login-field", field]);
        command.current_dir(folder.path());
        let mut sandbox = rosterd_testkit::Running::new(command);
        let line = sandbox.hear("serving both services");
        assert!(line.contains("exam code xxx"), "{line}");
        sandbox.signal("TERM");
        let lines = sandbox.end().stdout;
        assert!(lines.contains("rosterd init --exam-address http://127.0.0.1:"), "{lines}");
        for said in ["ROSTERD__EXAM__CODE=xxx", "ROSTERD__CLASSIN__SECRET=topsecret", "sid = \"2339736\""] {
            assert!(lines.contains(said), "{said}: {lines}");
        }
        assert!(field == "phone" || lines.contains(column), "{column}: {lines}");
        std::fs::write(folder.path().join("c.toml"), lines).unwrap();
        let mut command = bare(&["--config", "c.toml", "check", "--config-only"]);
        command.envs([("ROSTERD__EXAM__CODE", "xxx"), ("ROSTERD__CLASSIN__SECRET", "topsecret")]);
        command.current_dir(folder.path());
        let checked = ended(command);
        assert_eq!(checked.code, 0, "{checked:#?}");
    }
}

#[test]
fn a_start_without_a_configuration_says_where_it_looked_and_how_to_write_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = bare(arguments);
        command.current_dir(folder.path()).envs(variables.iter().copied());
        ended(command)
    };
    let checked_out = folder.path().canonicalize().unwrap().join("config/default.toml");
    for arguments in [&[][..], &["--sync-now"], &["plan"], &["check"]] {
        let ended = run(arguments, &[]);
        assert_eq!(ended.code, 78, "{arguments:?}: {ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        for words in
            ["/etc/rosterd/config.toml", checked_out.to_str().unwrap(), "rosterd init", "--config FILE"]
        {
            assert!(said.contains(words), "{arguments:?} without {words}: {said}");
        }
    }
    // Containers are set up by the environment alone.
    let set = [("ROSTERD__EXAM__CODE", "xxx"), ("ROSTERD__CLASSIN__ENABLED", "false")];
    let said = run(&["--sync-now"], &set);
    assert!(!said.stderr.contains("no configuration file"), "{said:?}");
}

#[test]
fn manual_pages_and_completions_are_there_to_be_installed() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = bare(arguments);
        command.current_dir(folder.path());
        ended(command)
    };
    let written = run(&["man", "--to", "pages"]);
    assert_eq!(written.code, 0, "{written:#?}");
    let names: Vec<String> = std::fs::read_dir(folder.path().join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in ["rosterd.1", "rosterd-init.1", "rosterd-failures-retry.1", "rosterd-config.5"] {
        assert!(names.iter().any(|it| it == name), "{name}: {names:?}");
    }
    assert_eq!(run(&["man", "--to", "pages"]).code, 1, "what is there stays");
    assert_eq!(run(&["man", "--to", "pages", "--replace"]).code, 0);
    for (page, said) in [("1", ".TH rosterd 1"), ("plan", "rosterd"), ("5", "login_field")] {
        let shown = run(&["man", page]);
        assert!(shown.code == 0 && shown.stdout.contains(said), "{page}: {shown:#?}");
    }
    let unknown = run(&["man", "nonsense"]);
    assert!(unknown.code == 64 && unknown.stderr.contains("failures-retry"), "{unknown:#?}");
    for (shell, said) in
        [("bash", "complete -F"), ("zsh", "#compdef rosterd"), ("fish", "complete -c rosterd")]
    {
        let script = run(&["completions", shell]);
        assert!(
            script.code == 0 && script.stdout.contains(said) && script.stdout.contains("failures"),
            "{shell}"
        );
    }
    let json = run(&["man", "5", "--output", "json"]).json();
    assert_eq!(json["name"], "rosterd-config.5");
}
