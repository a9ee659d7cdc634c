//! Ids and names that a spreadsheet made of others, in lists that people keep.

use rosterd_import::{NOTHING, RosterTable};

use super::checks::{Message, Rule};

/// What a spreadsheet makes of an id, in ids that the roster does not have. Of forms that a school may use itself, those are
/// taken that most ids of the files have.
pub(super) fn spoiled_rules() -> Vec<Rule> {
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
