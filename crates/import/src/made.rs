//! Columns that are made of others: joined names, a class within its grade, one column that stands for two.

use std::borrow::Cow;

use csv::StringRecord;

use super::dates::is_date_or_time;
use super::grade_names::{class_within, class_within_all};
use super::names::{class_of_grade, full_name, is_whole_of, joined};
use super::no_values::{is_ditto, is_mark_for_nothing, is_of_another_column};
use super::scientific;
use super::spoiled::{Holds, code_as_read, is_failed_formula, is_truth};
use rosterd_core::roster::normalise;

/// A column that is made of others, whose numbers it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Copy(usize),
    /// Whether the student is there, by PowerSchool's `Enroll_Status`: 0 is present.
    EnrollStatus(usize),
    /// The parts of a name, in this order.
    Joined(Vec<usize>),
    /// Given, middle and family name, and a second family name.
    Name {
        parts: [Option<usize>; 4],
        is_family_first: bool,
        /// One of them whose heading may mean the whole name.
        may_be_whole: Option<usize>,
    },
    /// A class within a grade.
    Class {
        grade: usize,
        class: usize,
        /// Also where the class could stand alone.
        always: bool,
    },
    /// A class within a grade that the sheet, its title or its file is called after.
    ClassOf {
        grade: String,
        class: usize,
    },
    /// A class within the values of other columns: stage, year of entry, grade and profession.
    ClassWithin {
        parts: Vec<usize>,
        class: usize,
    },
    /// The same for all rows, such as the sheet's name.
    Constant(String),
    /// The same for the rows below a title.
    Title(String),
}

impl Made {
    /// The number of the column by which it is shown.
    pub(super) fn shown_at(&self) -> usize {
        match self {
            Self::Copy(at)
            | Self::EnrollStatus(at)
            | Self::Class { class: at, .. }
            | Self::ClassOf { class: at, .. }
            | Self::ClassWithin { class: at, .. } => *at,
            Self::Joined(parts) => parts.first().copied().unwrap_or_default(),
            Self::Name { parts, .. } => parts.iter().flatten().min().copied().unwrap_or_default(),
            Self::Constant(_) | Self::Title(_) => 0,
        }
    }

    /// The columns of which it is made.
    pub(super) fn parts(&self) -> Vec<usize> {
        match self {
            Self::Copy(at) | Self::EnrollStatus(at) => vec![*at],
            Self::Joined(parts) => parts.clone(),
            Self::Name { parts, .. } => parts.iter().flatten().copied().collect(),
            Self::Class { grade, class, always: _ } => vec![*grade, *class],
            Self::ClassOf { class, .. } => vec![*class],
            Self::ClassWithin { parts, class } => parts.iter().chain([class]).copied().collect(),
            Self::Constant(_) | Self::Title(_) => Vec::new(),
        }
    }

    /// Its value in a row.
    pub(super) fn value(&self, fields: &StringRecord) -> String {
        let field = |at: usize| match normalise(fields.get(at).unwrap_or_default()) {
            text if is_mark_for_nothing(&text) => Cow::Borrowed(""),
            text => text,
        };
        // A code as it was before a spreadsheet wrote it, such as ="1".
        let class_at = |at: usize| code_as_read(&field(at));
        match self {
            Self::Copy(at) => fields.get(*at).unwrap_or_default().to_owned(),
            Self::EnrollStatus(at) => match field(*at).as_ref() {
                "0" => "1".to_owned(),
                "-1" | "1" | "2" | "3" => "0".to_owned(),
                other => other.to_owned(),
            },
            Self::Joined(parts) => {
                let parts: Vec<_> = parts.iter().map(|at| field(*at)).collect();
                let parts: Vec<&str> =
                    parts.iter().map(AsRef::as_ref).filter(|part| !part.is_empty()).collect();
                joined(&parts)
            }
            Self::Name { parts, is_family_first, may_be_whole } => {
                let whole = may_be_whole.map(field).unwrap_or_default();
                let others = parts.iter().flatten().filter(|at| Some(**at) != *may_be_whole);
                if others.map(|at| field(*at)).any(|part| is_whole_of(&whole, &part)) {
                    return joined(&[&whole]);
                }
                let parts = parts.map(|part| part.map(field).unwrap_or_default());
                let [given, middle, family, second] = parts;
                let family = if second.is_empty() { family } else { format!("{family} {second}").into() };
                full_name([&given, &middle, &family], *is_family_first)
            }
            // What a spreadsheet made of a class is judged by itself.
            Self::Class { class, .. } | Self::ClassOf { class, .. } | Self::ClassWithin { class, .. }
                if is_spoiled(&class_at(*class)) =>
            {
                class_at(*class)
            }
            Self::Class { grade, class, always } => {
                class_of_grade(&field(*grade), &class_at(*class), *always)
            }
            Self::ClassOf { grade, class } => class_within(grade, &class_at(*class)),
            Self::ClassWithin { parts, class } => {
                let parts: Vec<_> = parts.iter().map(|at| field(*at)).collect();
                class_within_all(parts.iter().map(AsRef::as_ref), &class_at(*class))
            }
            Self::Constant(text) | Self::Title(text) => text.clone(),
        }
    }
}

/// Whether a class is no class, but what became of one.
fn is_spoiled(class: &str) -> bool {
    is_date_or_time(class, Holds::Codes)
        || is_truth(class)
        || is_failed_formula(class)
        || scientific::refusal("class_code", class, Holds::Codes, true).is_some()
        || is_ditto(class)
        || is_of_another_column("group_code", class)
}
