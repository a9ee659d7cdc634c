//! Fields of one row into values, with a problem for each that breaks a rule. Of values, no rule shows any but ids, codes
//! and dates that stand where an id or a code should.

use std::borrow::Cow;

use super::dates::{dated, is_date_or_time};
use super::no_values::{
    has_entity, has_lost_letters, is_ditto, is_masked, is_nothing_in, is_of_another_column, is_sample,
    is_undecided, is_word_for_nothing, masked, read_twice,
};
use super::scientific;
use super::seen::seen;
use super::spoiled::{
    Holds, begins_with_apostrophe, has_thousands, is_failed_formula, is_truth, mended, unprotected,
    with_apostrophe,
};
use super::status::{LEFT, PRESENT};
use super::table::{Doubt, Headers, Row};
use super::{CellValue, ImportProblem, shown};
use rosterd_core::roster::{normalise, normalise_key, without_zero_fraction};

/// Longest key, in characters.
const LONGEST_KEY: usize = 255;
/// Longest value, in characters; a quote in the wrong place makes values far longer than any real one.
const LONGEST_VALUE: usize = 1_000;

/// How files and rosters say that a student is there, in lower case.
pub const YES: [&str; 9] = ["1", "true", "yes", "y", "active", "是", "在读", "在校", "在籍"];
/// How they say that a student has left.
pub const NO: [&str; 11] =
    ["0", "false", "no", "n", "inactive", "left", "否", "离校", "毕业", "退学", "转出"];

/// What separates the fields of a row.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// Columns of ours that hold no dates.
const NO_DATES: [&str; 6] = ["name", "gender", "phone", "email", "group_code", "class_code"];

/// One row while it is read.
pub(super) struct Cells<'a> {
    file: &'a str,
    headers: &'a Headers,
    row: &'a Row,
    /// The file may have been through a spreadsheet program.
    is_sheet: bool,
    pub(super) problems: Vec<ImportProblem>,
    /// Columns whose values held characters that nobody sees, from 1.
    pub(super) cleaned: Vec<usize>,
    /// What the student's id of our own export looks like, where it looks like another one that a spreadsheet spoiled.
    pub(super) doubt_of_id: Option<String>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(file: &'a str, is_sheet: bool, headers: &'a Headers, row: &'a Row) -> Self {
        let (problems, cleaned, doubt_of_id) = (Vec::new(), Vec::new(), None);
        let mut cells = Self { file, headers, row, is_sheet, problems, cleaned, doubt_of_id };
        for (at, doubt) in &row.doubts {
            let name = headers.names.get(*at).map(String::as_str).unwrap_or_default();
            if let Doubt::Lost(why) = doubt
                && (!name.is_empty() || headers.made_of.contains(at))
            {
                cells.refuse_at(at + 1, "bad-cell", (*why).to_owned());
            }
        }
        for (column, code, rule) in row.marks.problems(headers) {
            cells.refuse_at(column, code, rule);
        }
        cells
    }

    /// A key: in normal form, not empty. A refused one becomes the empty text: it takes no part in what follows.
    pub(super) fn key(&mut self, column: &str) -> String {
        let holds = if matches!(column, "group_code" | "class_code") { Holds::Codes } else { Holds::Ids };
        let key = self.mended(column, holds).into_owned();
        self.note_cleaned(column, &key);
        self.checked_key(column, key, holds)
    }

    /// Codes of which a cell may hold several, as lists of members write the departments of one.
    pub(super) fn codes(&mut self, column: &str) -> Vec<String> {
        let text = self.mended(column, Holds::Codes).into_owned();
        let mut codes: Vec<String> = Vec::new();
        let parts =
            text.split([',', '，', ';', '；', '\n', '\r']).map(str::trim).filter(|part| !part.is_empty());
        for part in parts {
            let code = self.checked_key(column, part.to_owned(), Holds::Codes);
            if !code.is_empty() && !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes
    }

    fn checked_key(&mut self, column: &str, key: String, holds: Holds) -> String {
        let before = self.problems.len();
        if key.is_empty() {
            self.refuse(column, "missing-id", format!("{column} is empty"));
        } else if key.len() > LONGEST_KEY && key.chars().count() > LONGEST_KEY {
            let rule = format!("{column} is longer than {LONGEST_KEY} characters");
            self.refuse(column, "too-long", rule);
        } else if key.chars().any(char::is_control) {
            let rule =
                format!("{column} holds control characters, such as a tab or a line end: write it without");
            self.refuse(column, "bad-id", rule);
        } else if holds == Holds::Ids && key.chars().any(|c| c != ' ' && c.is_whitespace()) {
            let rule = format!(
                "{column} holds a blank of another kind, as copied from a web page: write it without, or with the ordinary one"
            );
            self.refuse(column, "bad-id", rule);
        } else if holds == Holds::Codes && (is_word_for_nothing(&key) || is_undecided(&key)) {
            let rule = format!("{column} is a word for nothing ({}): leave the cell empty", shown(&key));
            self.refuse(column, "missing-id", rule);
        } else {
            self.refuse_rounded(column, &key, holds);
            self.refuse_grouped(column, &key, holds);
            self.refuse_broken(column, &key);
            self.refuse_dated(column, &key);
            self.refuse_truth(column, &key);
            if self.problems.len() == before {
                self.refuse_no_value(column, &key);
            }
            // The roster may have such an id: only there it can be told.
            let is_exported = self.headers.is_export && column == "student_id";
            if is_exported && !key.contains('\u{fffd}') {
                self.doubt_of_id = self.problems.drain(before..).next().map(|problem| problem.message);
            }
        }
        if self.problems.len() > before { String::new() } else { key }
    }

    /// A code that may be empty. Lines of a cell are several codes, as those that commas part.
    pub(super) fn code(&mut self, column: &str) -> CellValue<String> {
        let code = self.mended(column, Holds::Codes);
        if code.is_empty() {
            return if self.raw(column).is_some() { CellValue::Empty } else { CellValue::Nothing };
        }
        let code = code.contains(['\r', '\n']).then(|| code.into_owned());
        if let Some(code) = code
            && !self.holds_a_row(&code)
        {
            let lines = code.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
            return CellValue::Value(lines.collect::<Vec<_>>().join(", "));
        }
        if self.is_sheet && begins_with_apostrophe(&self.mended(column, Holds::Codes)) {
            self.refuse(column, "spoiled-code", with_apostrophe(column));
            return CellValue::Nothing;
        }
        match self.key(column) {
            refused if refused.is_empty() => CellValue::Nothing,
            code => CellValue::Value(code),
        }
    }

    /// Whether a text of several lines may be what an open quote has swallowed.
    fn holds_a_row(&self, text: &str) -> bool {
        let is_of_text = !self.file.ends_with(']');
        !self.is_sheet || text.chars().count() > LONGEST_KEY || (is_of_text && text.contains(SEPARATORS))
    }

    /// A text, trimmed and in normal form.
    pub(super) fn text(&mut self, column: &str) -> CellValue<String> {
        self.held(column, Holds::Texts)
    }

    /// A telephone number as it is written.
    pub(super) fn phone(&mut self, column: &str) -> CellValue<String> {
        self.held(column, Holds::Numbers)
    }

    fn held(&mut self, column: &str, holds: Holds) -> CellValue<String> {
        if self.limited(column).is_none() {
            return CellValue::Nothing;
        }
        let text = self.mended(column, holds).into_owned();
        let text = self.on_one_line(column, text);
        if column != "title" && !self.headers.is_export && is_nothing_in(column, &text) {
            return CellValue::Empty;
        }
        self.note_cleaned(column, &text);
        let before = self.problems.len();
        if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r')) {
            let rule = format!("{column} holds a control character that nobody sees: write it without");
            self.refuse(column, "bad-text", rule);
        }
        self.refuse_rounded(column, &text, holds);
        self.refuse_grouped(column, &text, holds);
        self.refuse_broken(column, &text);
        self.refuse_truth(column, &text);
        if NO_DATES.contains(&column) && self.problems.len() == before {
            self.refuse_no_value(column, &text);
        }
        if holds == Holds::Numbers || NO_DATES.contains(&column) {
            self.refuse_doubtful(column, &text, holds == Holds::Numbers);
        }
        CellValue::text(text)
    }

    /// A line break in a cell of one value: of a name it is a blank, in a phone or an address it parts two of them. What a quote
    /// has swallowed is none of this.
    fn on_one_line(&mut self, column: &str, text: String) -> String {
        if !self.is_sheet || !text.contains(['\r', '\n']) {
            return text;
        }
        let is_one = matches!(column, "name" | "gender" | "phone" | "email");
        // The cells of a sheet, which stands behind the name of its workbook, have no quotes.
        let is_of_text = !self.file.ends_with(']');
        let raw = self.raw(column).unwrap_or_default();
        if is_of_text && ((is_one && raw.contains(SEPARATORS)) || self.holds_rows(raw)) {
            let rule = format!(
                "a quote that is opened in {column} here is closed in a row below, and takes the rows between into this one: take \
                 out the quote that is too much, or write it twice"
            );
            self.refuse(column, "open-quote", rule);
            return text;
        }
        match column {
            "name" | "gender" => {
                let lines = text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
                lines.collect::<Vec<_>>().join(" ")
            }
            "phone" | "email" => {
                let rule =
                    format!("{column} has a line break, as where two values stand in one cell: enter one");
                self.refuse(column, "line-break", rule);
                text
            }
            _ => text,
        }
    }

    /// Whether a line within a text has as many separators as a row of the file.
    fn holds_rows(&self, text: &str) -> bool {
        let columns = self.headers.names.len().saturating_sub(self.headers.made_of.len());
        let lines: Vec<&str> = text.split(['\r', '\n']).filter(|line| !line.is_empty()).collect();
        let within = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
        columns > 2
            && within.iter().any(|line| {
                SEPARATORS.iter().any(|separator| line.matches(*separator).count() + 1 == columns)
            })
    }

    /// What a spreadsheet makes of the words true and false. A name or a code may be a word like them, but for its capitals.
    fn refuse_truth(&mut self, column: &str, text: &str) {
        let is_truth = match column {
            "student_id" => is_truth(text) || is_truth(&text.to_uppercase()),
            "name" | "group_code" | "class_code" => is_truth(text),
            _ => false,
        };
        if self.is_sheet && is_truth {
            let rule =
                format!("{column} is a truth value ({text}): format the column as text and enter it again");
            self.refuse(column, "truth-value", rule);
        }
    }

    /// A number that a spreadsheet shows rounded: the digits that it left out are in no file.
    fn refuse_rounded(&mut self, column: &str, text: &str, holds: Holds) {
        if let Some(rule) = scientific::refusal(column, text, holds, self.is_sheet) {
            self.refuse(column, "scientific", rule);
        }
    }

    /// A number as a spreadsheet shows it to people, with its thousands set apart.
    fn refuse_grouped(&mut self, column: &str, text: &str, holds: Holds) {
        if self.is_sheet && has_thousands(text, holds) {
            let rule = format!(
                "{column} is a number with separators of thousands: format the column as text, or as a number without them, and \
                 export again"
            );
            self.refuse(column, "format", rule);
        }
    }

    /// What a formula that failed shows, a formula itself, or letters that an earlier program could not read.
    fn refuse_broken(&mut self, column: &str, text: &str) {
        // An apostrophe protects a text that begins like a formula; an export of ours writes it so.
        let is_protected =
            self.is_sheet && self.raw(column).is_some_and(|raw| raw.trim_start().starts_with('\''));
        let is_formula = is_failed_formula(text)
            || (self.is_sheet
                && text.starts_with('=')
                && (column == "student_id" || NO_DATES.contains(&column)));
        let rule = if is_formula && !is_protected {
            format!("{column} is a formula or its error ({}): enter the value itself", shown(text))
        } else if text.contains('\u{fffd}') {
            format!(
                "{column} has letters that were lost when the file was made (\u{fffd}): export it again, or save it as UTF-8"
            )
        } else {
            return;
        };
        self.refuse(column, "broken-value", rule);
    }

    /// What stands in a list and is no value of its column.
    fn refuse_no_value(&mut self, column: &str, text: &str) {
        if !self.is_sheet || self.headers.is_export || text.is_empty() {
            return;
        }
        let is_word = matches!(column, "student_id" | "name" | "group_code" | "class_code");
        if is_masked(column, text) {
            self.refuse(column, "masked", masked(column));
        } else if is_ditto(text) {
            let rule = format!(
                "{column} is a mark that repeats the cell above ({}): write the value in each row",
                shown(text)
            );
            self.refuse(column, "ditto", rule);
        } else if is_of_another_column(column, text) {
            let rule = format!(
                "{column} is a value of another column, as where cells were moved: put the cells of this row back into their \
                 columns"
            );
            self.refuse(column, "shifted", rule);
        } else if column == "name" && is_sample(text) {
            let rule = "the row is a sample, as forms have it: leave it out".to_owned();
            self.refuse(column, "sample", rule);
        } else if is_word && has_lost_letters(text) {
            let rule = format!(
                "{column} has question marks, as a program leaves them for letters that it could not write: export again as UTF-8"
            );
            self.refuse(column, "broken-value", rule);
        } else if is_word && has_entity(text) {
            let rule = format!(
                "{column} has letters as web pages write them, such as &uuml;: export again as plain text, or write the letters \
                 themselves"
            );
            self.refuse(column, "broken-value", rule);
        } else if let Some(once) = read_twice(text).filter(|_| is_word) {
            let rule = format!(
                "{column} is UTF-8 that an earlier program read as a Western encoding ({} for {}): export again, and say UTF-8 \
                 where that program asks for the encoding",
                shown(text),
                shown(&once)
            );
            self.refuse(column, "broken-value", rule);
        }
    }

    /// Notes that characters that nobody sees were taken out of a value, or blanks of another kind made ordinary.
    fn note_cleaned(&mut self, column: &str, text: &str) {
        let raw = self.raw(column).unwrap_or_default();
        if !raw.is_ascii() || raw.contains(['\0', '\t']) {
            // Full-width letters can be seen.
            let is_odd = |letter: &char| {
                letter.is_control()
                    || !(letter.is_ascii()
                        || letter.is_alphanumeric()
                        || matches!(letter, '\u{ff01}'..='\u{ff5e}' | '\u{2010}'..='\u{2019}' | '\u{2212}'))
            };
            let seen = text.chars().filter(is_odd).count();
            if raw.trim().chars().filter(is_odd).count() > seen {
                self.cleaned.push(self.headers.position(column));
            }
        }
    }

    /// A date where an id or a code should be.
    fn refuse_dated(&mut self, column: &str, text: &str) {
        let holds = if column == "student_id" { Holds::Ids } else { Holds::Codes };
        if self.is_sheet && is_date_or_time(text, holds) {
            self.refuse(column, "date", dated(column, text));
        } else {
            self.refuse_doubtful(column, text, true);
        }
    }

    fn refuse_doubtful(&mut self, column: &str, text: &str, is_number: bool) {
        match self.doubt(column) {
            Some(Doubt::Date) => self.refuse(column, "date", dated(column, text)),
            Some(Doubt::Format) if is_number => {
                let rule = format!(
                    "{column} is the number {} and shown as something else: format the column as text and enter it \
                     as it is to be",
                    shown(text)
                );
                self.refuse(column, "format", rule);
            }
            Some(Doubt::Format | Doubt::Lost(_)) | None => {}
        }
    }

    /// A text that must not be empty where its column is there.
    pub(super) fn needed(&mut self, column: &str, code: &'static str) -> CellValue<String> {
        let text = self.text(column);
        if text == CellValue::Empty {
            let raw = normalise(self.raw(column).unwrap_or_default());
            let what = if raw.is_empty() {
                format!("{column} is empty")
            } else {
                format!("{column} is a word for nothing ({}): enter the {column}", shown(&raw))
            };
            self.refuse(column, code, what);
        }
        text
    }

    /// A text to the letter; blanks alone are empty.
    pub(super) fn verbatim(&mut self, column: &str) -> CellValue<String> {
        match self.limited(column) {
            None => CellValue::Nothing,
            Some(raw) if normalise(raw).is_empty() => CellValue::Empty,
            Some(raw) => {
                if is_masked(column, raw) {
                    self.refuse(column, "masked", masked(column));
                }
                CellValue::Value(raw.to_owned())
            }
        }
    }

    /// A whole number from 1.
    pub(super) fn number(&mut self, column: &str) -> CellValue<i64> {
        let CellValue::Value(text) = self.held(column, Holds::Numbers) else {
            return if self.raw(column).is_some() { CellValue::Empty } else { CellValue::Nothing };
        };
        match text.parse::<i64>() {
            Ok(number) if number > 0 => CellValue::Value(number),
            _ => {
                self.refuse(column, "bad-number", format!("{column} is not a whole number from 1"));
                CellValue::Nothing
            }
        }
    }

    /// A yes or no; an empty field says nothing.
    pub(super) fn flag(&mut self, column: &str) -> CellValue<bool> {
        let CellValue::Value(text) = self.text(column) else {
            return CellValue::Nothing;
        };
        match without_zero_fraction(&text.to_lowercase()) {
            word if YES.contains(&word) || PRESENT.contains(&word) => CellValue::Value(true),
            word if NO.contains(&word) || LEFT.contains(&word) => CellValue::Value(false),
            _ => {
                let rule =
                    format!("{column} is neither 1 nor 0, nor a word such as active, left, 在读 or 离校");
                self.refuse(column, "bad-flag", rule);
                CellValue::Nothing
            }
        }
    }

    /// Records a problem of this row; a lost value has its own already.
    pub(super) fn refuse(&mut self, column: &str, code: &'static str, message: String) {
        if matches!(self.doubt(column), Some(Doubt::Lost(_))) {
            return;
        }
        self.refuse_at(self.headers.position(column), code, message);
    }

    fn refuse_at(&mut self, column: usize, code: &'static str, message: String) {
        let (file, line) = (self.file.to_owned(), self.row.line);
        self.problems.push(ImportProblem { file, line, column, code, message });
    }

    fn limited(&mut self, column: &str) -> Option<&'a str> {
        let raw = self.raw(column)?;
        if raw.len() > LONGEST_VALUE && raw.chars().count() > LONGEST_VALUE {
            let rule = format!("{column} is longer than {LONGEST_VALUE} characters");
            self.refuse(column, "too-long", rule);
        }
        Some(raw)
    }

    /// The value as it was before a spreadsheet program wrote it.
    fn mended(&self, column: &str, holds: Holds) -> Cow<'a, str> {
        let raw = self.raw(column).unwrap_or_default();
        let is_exported = self.headers.is_export && self.is_sheet;
        match (self.is_sheet, holds) {
            (true, Holds::Ids) if is_exported && scientific::whole_number(raw).is_some() => {
                normalise_key(raw)
            }
            (true, Holds::Texts) if is_exported => unprotected(seen(raw)),
            (true, Holds::Numbers) if is_exported && column == "phone" => unprotected(normalise(raw)),
            (true, _) => mended(raw, holds),
            (false, Holds::Texts) => seen(raw),
            (false, Holds::Numbers) => normalise(raw),
            (false, Holds::Ids | Holds::Codes) => normalise_key(raw),
        }
    }

    /// Whether a cell holds anything.
    pub(super) fn is_filled(&self, column: &str) -> bool {
        self.raw(column).is_some_and(|raw| !normalise_key(raw).is_empty())
    }

    fn raw(&self, column: &str) -> Option<&'a str> {
        let at = self.headers.names.iter().position(|header| header == column)?;
        self.row.fields.get(at)
    }

    fn doubt(&self, column: &str) -> Option<Doubt> {
        let at = self.headers.position(column).checked_sub(1)?;
        self.headers.names.iter().position(|header| header == column)?;
        self.row.doubts.iter().find(|(found, _)| *found == at).map(|(_, doubt)| *doubt)
    }
}
