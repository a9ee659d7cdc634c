//! Fields of one row into values, with a problem for each that breaks a rule. No rule shows a value.

use csv::StringRecord;

use super::{CellValue, ImportProblem};
use rosterd_core::roster::normalise;

/// Longest key, in characters.
const LONGEST_KEY: usize = 255;
/// Longest value, in characters; a quote in the wrong place makes values far longer than any real one.
const LONGEST_VALUE: usize = 1_000;

/// One row while it is read.
pub(super) struct Cells<'a> {
    pub(super) file: &'a str,
    pub(super) line: u64,
    pub(super) headers: &'a [String],
    pub(super) fields: &'a StringRecord,
    pub(super) problems: Vec<ImportProblem>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(file: &'a str, line: u64, headers: &'a [String], fields: &'a StringRecord) -> Self {
        Self { file, line, headers, fields, problems: Vec::new() }
    }

    /// A key: trimmed, in normal form, not empty. A refused one becomes the empty text.
    pub(super) fn key(&mut self, column: &str) -> String {
        let key = normalise(self.raw(column).unwrap_or_default()).into_owned();
        if key.is_empty() {
            self.refuse(column, "missing-id", format!("{column} is empty"));
        } else if key.chars().count() > LONGEST_KEY {
            let rule = format!("{column} is longer than {LONGEST_KEY} characters");
            self.refuse(column, "too-long", rule);
        } else if key.chars().any(char::is_control) {
            self.refuse(column, "bad-id", format!("{column} holds control characters"));
        } else {
            self.refuse_rounded(column, &key);
        }
        key
    }

    /// A text, trimmed and in normal form.
    pub(super) fn text(&mut self, column: &str) -> CellValue<String> {
        match self.limited(column) {
            None => CellValue::Nothing,
            Some(raw) => {
                let text = normalise(raw).into_owned();
                self.refuse_rounded(column, &text);
                CellValue::text(text)
            }
        }
    }

    /// A number that a spreadsheet shows rounded: the digits that it left out are in no file.
    fn refuse_rounded(&mut self, column: &str, text: &str) {
        if is_rounded(text) {
            let rule = format!(
                "{column} is a number in scientific notation, as 1.38E+10: its digits are lost, so format the \
                 column as text and export again"
            );
            self.refuse(column, "scientific", rule);
        }
    }

    /// A text that must not be empty where its column is there.
    pub(super) fn needed(&mut self, column: &str, code: &'static str) -> CellValue<String> {
        let text = self.text(column);
        if text == CellValue::Empty {
            self.refuse(column, code, format!("{column} is empty"));
        }
        text
    }

    /// A text to the letter; blanks alone are empty.
    pub(super) fn verbatim(&mut self, column: &str) -> CellValue<String> {
        match self.limited(column) {
            None => CellValue::Nothing,
            Some(raw) if normalise(raw).is_empty() => CellValue::Empty,
            Some(raw) => CellValue::Value(raw.to_owned()),
        }
    }

    /// A whole number from 1.
    pub(super) fn number(&mut self, column: &str) -> CellValue<i64> {
        let CellValue::Value(text) = self.text(column) else {
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
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => CellValue::Value(true),
            "0" | "false" | "no" => CellValue::Value(false),
            _ => {
                self.refuse(column, "bad-flag", format!("{column} is neither 1 nor 0"));
                CellValue::Nothing
            }
        }
    }

    /// Records a problem of this row.
    pub(super) fn refuse(&mut self, column: &str, code: &'static str, message: String) {
        let column = position(self.headers, column);
        self.problems.push(ImportProblem {
            file: self.file.to_owned(),
            line: self.line,
            column,
            code,
            message,
        });
    }

    fn limited(&mut self, column: &str) -> Option<&'a str> {
        let raw = self.raw(column)?;
        if raw.len() > LONGEST_VALUE && raw.chars().count() > LONGEST_VALUE {
            let rule = format!("{column} is longer than {LONGEST_VALUE} characters");
            self.refuse(column, "too-long", rule);
        }
        Some(raw)
    }

    fn raw(&self, column: &str) -> Option<&'a str> {
        let at = self.headers.iter().position(|header| header == column)?;
        self.fields.get(at)
    }
}

/// `1.38E+10`, as spreadsheets show a long number that they were not told to keep.
fn is_rounded(text: &str) -> bool {
    let Some((digits, power)) = text.split_once("E+").or_else(|| text.split_once("e+")) else {
        return false;
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, rest) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    are_digits(whole) && are_digits(rest) && are_digits(power)
}

/// The number of a column, from 1; 1 where the file does not have it.
pub(super) fn position(headers: &[String], column: &str) -> usize {
    headers.iter().position(|header| header == column).map_or(1, |at| at + 1)
}
