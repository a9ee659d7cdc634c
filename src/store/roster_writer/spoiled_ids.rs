//! Ids and names that a spreadsheet made of others, in lists that people keep.

use std::collections::BTreeSet;

use rosterd_import::{NOTHING, RosterTable};
use sqlx::SqliteConnection;

use super::RosterWriteError;
use super::checks::{Message, Rule, has_column};
use super::staging::run;

/// What a spreadsheet makes of an id, in ids that the roster does not have. Of forms that a school may use itself, those are
/// taken that most ids of the files have.
pub(super) fn spoiled_rules(of_accounts: &BTreeSet<usize>) -> Vec<Rule> {
    const FEW: i64 = 5;
    let is_form_of_the_school = |form: &str| {
        let count = |form: &str| {
            format!("(SELECT COUNT(*) FROM temp.staged_students AS s WHERE s.good = 1 AND {form})")
        };
        format!("({} >= {FEW} AND {} * 2 > {})", count(form), count(form), count("1 = 1"))
    };
    let negative = "s.key GLOB '-[0-9]*' AND SUBSTR(s.key, 2) NOT GLOB '*[^0-9.,]*'";
    let zero = "s.key <> '' AND s.key NOT GLOB '*[^0]*'";
    let fraction =
        "s.key GLOB '[0-9]*[.,][0-9]*' AND s.key NOT GLOB '*[^0-9.,]*' AND s.key NOT GLOB '*[.,]*[.,]*'";
    let power = "s.key GLOB '[0-9]*[eE]*[0-9]' AND REPLACE(LOWER(s.key), 'e-', 'e') NOT GLOB '*[^0-9.e]*'
         AND LENGTH(REPLACE(LOWER(s.key), 'e', '')) = LENGTH(s.key) - 1";
    let date = "s.key GLOB '[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]'";
    let forms: [(&str, bool, Message); 5] = [
        (negative, false, |key, _| {
            format!(
                "student_id is a number below zero ({key}), as a formula makes of a code such as 7-12: format the column as text and enter it again"
            )
        }),
        (zero, false, |key, _| {
            format!(
                "student_id is {key}, as a formula leaves it that points to an empty cell: enter the id itself"
            )
        }),
        (fraction, true, |key, _| {
            format!(
                "student_id is a number with a fraction ({key}), and other ids are not: format the column as text and enter it again"
            )
        }),
        (power, true, |key, _| {
            format!(
                "student_id may be a number in scientific notation ({key}), and other ids are not: format the column as text and enter it again"
            )
        }),
        (date, true, |key, _| {
            format!(
                "student_id is a date ({key}), which a spreadsheet program makes of a code such as 3-2: format the column as text and enter it again"
            )
        }),
    ];
    let rule = |(form, may_be_meant, message): (&str, bool, Message)| {
        let mut breaks = format!("{form} AND s.key NOT IN (SELECT key FROM temp.known_students)");
        if may_be_meant {
            breaks.push_str(&format!(" AND NOT {}", is_form_of_the_school(form)));
        }
        Rule {
            table: RosterTable::Students,
            code: "spoiled-id",
            second: false,
            breaks,
            texts: ["s.key".to_owned(), "''".to_owned()],
            message,
        }
    };
    let mut rules: Vec<Rule> = forms.into_iter().map(rule).collect();
    let words = NOTHING.map(|word| format!("'{word}'")).join(", ");
    rules.push(Rule {
        table: RosterTable::Students,
        code: "missing-id",
        second: false,
        breaks: format!("LOWER(s.key) IN ({words}) AND s.key NOT IN (SELECT key FROM temp.known_students)"),
        texts: ["s.key".to_owned(), "''".to_owned()],
        message: |key, _| format!("student_id is a word for nothing ({key}): enter the id"),
    });
    rules.push(word_among_numbers(of_accounts));
    rules.push(doubtful_in_an_export());
    rules.push(lost_zeros_of_phones());
    rules.extend([RosterTable::Groups, RosterTable::Classes].map(other_spelling));
    rules.push(Rule {
        table: RosterTable::Students,
        code: "date",
        second: true,
        breaks: "s.v0 GLOB '[0-9]*[-/.][0-9]*[-/.][0-9]*' AND s.v0 NOT GLOB '*[^-0-9/.]*'
             AND s.key NOT IN (SELECT key FROM temp.known_students)"
            .to_owned(),
        texts: ["s.v0".to_owned(), "''".to_owned()],
        message: |name, _| format!("name is a date ({name}): is the right column the name? enter the name"),
    });
    rules
}

/// An id of our own export that looks spoiled, and that the roster does not have.
fn doubtful_in_an_export() -> Rule {
    Rule {
        table: RosterTable::Students,
        code: "spoiled-id",
        second: false,
        breaks: "s.key IN (SELECT ref FROM temp.staged_doubts) AND s.key NOT IN (SELECT key FROM temp.known_students)"
            .to_owned(),
        texts: [
            "s.key".to_owned(),
            "(SELECT d.message FROM temp.staged_doubts AS d WHERE d.ref = s.key)".to_owned(),
        ],
        message: |key, message| format!("the roster has no student {key}, and {message}"),
    }
}

/// An id in words, where most ids of the files are numbers: what stands there is a note, a hint of a form or a signature. In a
/// list of accounts it may be one, unless it has letters that no account has.
fn word_among_numbers(of_accounts: &BTreeSet<usize>) -> Rule {
    let files: Vec<String> = of_accounts.iter().map(usize::to_string).collect();
    let is_account = format!("(s.file IN ({}) AND s.key NOT GLOB '*[^-0-9A-Za-z_.@]*')", files.join(", "));
    let is_word = |key: &str| format!("({key} NOT GLOB '*[0-9]*' OR {key} GLOB '*[^-!#-&+.-Z_a-z~]*')");
    let count =
        |form: &str| format!("(SELECT COUNT(*) FROM temp.staged_students AS o WHERE o.good = 1 AND {form})");
    let numbers = count("o.key NOT GLOB '*[^0-9]*'");
    let words = count(&is_word("o.key"));
    Rule {
        table: RosterTable::Students,
        code: "word-for-id",
        second: false,
        breaks: format!(
            "s.key <> '' AND {} AND NOT {is_account} AND s.key NOT IN (SELECT key FROM temp.known_students)
             AND {numbers} > 1 AND {numbers} > {words}",
            is_word("s.key")
        ),
        texts: ["s.key".to_owned(), "''".to_owned()],
        message: |key, _| {
            format!(
                "student_id is {key}, and other ids are numbers: a note, a sample or a signature is no student, so take the row out; \
                 where it is an id, import its row in a file of its own"
            )
        },
    }
}

/// A telephone number that is the roster's without the zeros that it begins with.
fn lost_zeros_of_phones() -> Rule {
    let at = RosterTable::Students
        .columns()
        .iter()
        .skip(1)
        .position(|column| *column == "phone")
        .unwrap_or_default();
    let phone = plain_phone(&format!("s.v{at}"));
    Rule {
        table: RosterTable::Students,
        code: "lost-zeros",
        second: false,
        breaks: format!(
            "s.v{at} GLOB '[1-9]*' AND EXISTS
             (SELECT 1 FROM temp.known_phones AS k WHERE k.key = s.key AND LTRIM(k.phone, '0') = {phone})"
        ),
        texts: ["s.key".to_owned(), "''".to_owned()],
        message: |key, _| {
            format!(
                "the telephone number of {key} is that of the roster without the zeros that it begins with: format the column as \
                 text, and export again"
            )
        },
    }
}

/// A telephone number without what sets its parts apart, as SQL.
pub(super) fn plain_phone(phone: &str) -> String {
    [" ", "-", ".", "/"]
        .iter()
        .fold(phone.to_owned(), |phone, letter| format!("REPLACE({phone}, '{letter}', '')"))
}

/// A code that is another one in full-width digits or brackets, or with other zeros: it would be a second class.
fn other_spelling(table: RosterTable) -> Rule {
    let folded = folded_code("s.key");
    let other = format!("(SELECT o.key FROM temp.folded_{table} AS o WHERE o.fold = {folded})");
    Rule {
        table,
        code: "other-spelling",
        second: false,
        breaks: format!(
            "s.made_up = 1 AND s.key NOT IN (SELECT key FROM temp.known_{table}) AND {other} <> s.key"
        ),
        texts: ["s.key".to_owned(), other],
        message: |key, other| {
            format!(
                "{key} and {other} seem to be one in two spellings: write it as {other}, or enter both in a file of their table"
            )
        },
    }
}

/// A code with ordinary digits and brackets, without zeros in front of a number; as SQL.
fn folded_code(key: &str) -> String {
    let wide = "０１２３４５６７８９（）－".chars().zip("0123456789()-".chars());
    let narrow =
        wide.fold(key.to_owned(), |code, (wide, narrow)| format!("REPLACE({code}, '{wide}', '{narrow}')"));
    format!("CASE WHEN {key} NOT GLOB '*[^0-9]*' THEN LTRIM({key}, '0') ELSE {narrow} END")
}

/// Notes each code of the roster and of the files by what is the same in all its spellings; the roster's counts first.
pub(super) async fn note_folded(
    connection: &mut SqliteConnection,
    is_empty: bool,
) -> Result<(), RosterWriteError> {
    for table in [RosterTable::Groups, RosterTable::Classes] {
        let create = format!(
            "CREATE TEMP TABLE folded_{table} (fold TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID"
        );
        run(connection, create).await?;
        let folded = folded_code("key");
        for from in [
            format!("temp.known_{table} ORDER BY key"),
            format!("temp.staged_{table} WHERE good = 1 ORDER BY n"),
        ] {
            run(
                connection,
                format!("INSERT OR IGNORE INTO temp.folded_{table} SELECT {folded}, key FROM {from}"),
            )
            .await?;
        }
    }
    let create = "CREATE TEMP TABLE known_phones (key TEXT PRIMARY KEY, phone TEXT NOT NULL) WITHOUT ROWID";
    run(connection, create.to_owned()).await?;
    if !is_empty && has_column(connection, "phone").await? {
        let phone = plain_phone("CAST(phone AS TEXT)");
        let known = format!(
            "INSERT OR IGNORE INTO temp.known_phones SELECT CAST(student_id AS TEXT), {phone} FROM main.students
             WHERE phone GLOB '0*' AND student_id IS NOT NULL"
        );
        run(connection, known).await?;
    }
    Ok(())
}
