//! What is fuzzed, and what must hold whatever the bytes are. The coverage-guided targets of `fuzz/fuzz_targets` and
//! the test `fuzzing`, which needs no second build, call the same functions.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rosterd::{ConfigSource, Settings};
use rosterd_core::classin_plan::{Call, Sent, Token, judge};
use rosterd_core::exam_plan::{AddVerdict, Verdict, judge_add, judge_by_sid};
use rosterd_core::roster::{ClassCode, LoginValue, Sid, StudentId};
use rosterd_import::{ColumnMap, Item, ReadOptions, RowSink, clever, csv_files};

/// One target: its name, and what it does with the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Everything that comes from outside.
pub const TARGETS: &[Target] = &[
    ("exam_reads", exam_reads),
    ("exam_writes", exam_writes),
    ("classin_answers", classin_answers),
    ("import_csv", import_csv),
    ("import_clever", import_clever),
    ("configuration", configuration),
];

/// What the exam side answers to a reading call: no row is made up, and nothing that fails says more than that.
pub fn exam_reads(body: &[u8]) {
    use rosterd::fuzzing::{fields, hashed_page, lookup, page};
    let entries = body.iter().filter(|byte| **byte == b'{').count();
    if let Some(fields) = fields(body) {
        assert!(!fields.is_empty() && fields.len() <= entries, "{} fields", fields.len());
    }
    for start in [0, 100] {
        let page = page(body, start);
        // Read at once or by way of its texts, a page is the same.
        let told = page.as_ref().map(|page| {
            let logins = page.rows.iter().filter_map(|row| LoginValue::parse(&row.login_value));
            (page.total, logins.collect::<Vec<_>>())
        });
        assert!(hashed_page(body, start) == told, "a page is read in two ways");
        if let Some(page) = page {
            assert!(page.rows.len() <= entries, "{} rows of {entries} objects", page.rows.len());
            assert!(!page.rows.is_empty() || page.total <= start || entries > 0, "an empty page for nothing");
        }
    }
    if let Some(answer) = lookup(body) {
        assert!(answer.rows.len() <= entries, "{} rows of {entries} objects", answer.rows.len());
    }
}

/// What the exam side answers to a write: one verdict for each item, no sid that the answer does not name, none twice.
pub fn exam_writes(body: &[u8]) {
    let Some(answer) = rosterd::fuzzing::write(body) else { return };
    for size in [1, 2, 3, 100] {
        let verdicts = judge_add(size, &answer);
        assert_eq!(verdicts.len(), size);
        let mut added: Vec<Sid> = verdicts.iter().filter_map(sid_of).collect();
        assert!(added.iter().all(|sid| answer.added.iter().any(|(named, _)| named == sid) || answer.changed.contains(sid)));
        let count = added.len();
        added.sort_unstable();
        added.dedup();
        assert_eq!(added.len(), count, "one sid for two students");
        let batch: Vec<Sid> = (1..).take(size).map(Sid).collect();
        let verdicts = judge_by_sid(&batch, &answer);
        assert_eq!(verdicts.len(), size);
        for (sid, verdict) in batch.iter().zip(&verdicts) {
            let named = answer.changed.contains(sid) || answer.added.iter().any(|(named, _)| named == sid);
            assert!(named || *verdict != Verdict::Applied, "done without being named");
        }
    }
}

fn sid_of(verdict: &AddVerdict) -> Option<Sid> {
    if let AddVerdict::Applied(sid) = verdict { Some(*sid) } else { None }
}

/// What ClassIn answers: one verdict for each item of each call.
pub fn classin_answers(body: &[u8]) {
    let Some(answer) = rosterd::fuzzing::answer(body) else { return };
    let token = |number: usize| {
        Token::derive(&[7; 32], &StudentId::new(format!("s{number}")), Some(&ClassCode::new("c1")))
    };
    for size in [1, 2, 30] {
        let tokens: Vec<Token> = (0..size).map(token).collect();
        for call in [Call::ClassAdd, Call::CourseAdd] {
            assert_eq!(judge(call, Sent::Tokens(&tokens), &answer).items.len(), size);
        }
        for call in [Call::ClassRemove, Call::CourseRemove, Call::SchoolStudent] {
            assert_eq!(judge(call, Sent::Positions(size), &answer).items.len(), size);
        }
    }
}

fn in_a_folder<T>(files: &[(&str, &[u8])], use_it: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().expect("a folder for the files");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("a file in it");
    }
    use_it(folder.path())
}

/// A good row has its key and its place. Every problem names a place.
fn is_honest(read: impl FnOnce(&mut RowSink)) {
    let (outlet, mut inlet) = tokio::sync::mpsc::channel(1024);
    let mut sink = RowSink::new(outlet, Arc::default());
    read(&mut sink);
    let reading = sink.finish();
    while let Ok(lot) = inlet.try_recv() {
        for placed in lot {
            assert!(placed.line > 0, "a row without a place");
            if let (true, Item::Student(person)) = (placed.good, &placed.item) {
                assert!(!person.row.student_id.is_empty(), "a student without an id");
            }
        }
    }
    for problem in reading.file_problems.iter().chain(&reading.row_problems) {
        assert!(problem.line > 0 && problem.column > 0, "a problem without a place: {problem:?}");
    }
}

/// A table as a csv file. The first byte says which.
pub fn import_csv(bytes: &[u8]) {
    let Some((first, content)) = bytes.split_first() else { return };
    let names = ["students.csv", "groups.csv", "group_members.csv", "classes.csv", "class_members.tsv"];
    let name = names[usize::from(*first) % names.len()];
    in_a_folder(&[(name, content)], |folder| {
        is_honest(|sink| csv_files::read(sink, &[folder.to_owned()], &csv_files::CsvOptions::default()));
    });
}

/// The files of a bundle, one after the other with a line of equals signs between.
fn bundle(bytes: &[u8], names: &[&str], read: impl FnOnce(&mut RowSink, &Path)) {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split("\n====\n").chain(std::iter::repeat(""));
    let files: Vec<(&str, &[u8])> = names.iter().copied().zip(parts.map(str::as_bytes)).collect();
    in_a_folder(&files, |folder| is_honest(|sink| read(sink, folder)));
}

/// Clever's three files.
pub fn import_clever(bytes: &[u8]) {
    let names = ["students.csv", "sections.csv", "enrollments.csv"];
    bundle(bytes, &names, |sink, folder| {
        clever::read(sink, folder, &ColumnMap::default(), ReadOptions::default());
    });
}

/// A secret that stands where secrets do not belong, and two that stand where they do.
const SECRETS: [&str; 3] = ["n0t-in-this-file-Q7", "n0t-f0r-any-log-Q8", "n0t-f0r-any-log-Q9"];

/// The rest of a configuration file that has a secret in it already: whatever else is wrong, no error repeats it,
/// and settings that are right do not show it either.
pub fn configuration(bytes: &[u8]) {
    let (first, rest) = bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest));
    let misplaced = match first % 3 {
        0 => String::new(),
        1 => format!("[exam]\ncode = \"{}\"\n", SECRETS[0]),
        _ => format!("[exam]\ncode = \"{}", SECRETS[0]),
    };
    let file = [misplaced.as_bytes(), rest].concat();
    let environment: BTreeMap<String, String> = [
        ("ROSTERD__EXAM__CODE".to_owned(), SECRETS[1].to_owned()),
        ("ROSTERD__CLASSIN__SECRET".to_owned(), SECRETS[2].to_owned()),
    ]
    .into();
    in_a_folder(&[("config.toml", &file)], |folder| {
        let source = ConfigSource::File(folder.join("config.toml"));
        let shown = match Settings::load(&source, environment.into_iter()) {
            Ok(settings) => format!("{settings:?}"),
            Err(error) => format!("{error}\n{error:?}"),
        };
        assert!(!SECRETS.iter().any(|secret| shown.contains(secret)), "a secret is shown");
    });
}
