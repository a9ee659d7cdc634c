//! What a sheet does to rows and columns beside their values: it hides them, or draws a line through them. Some offices mean by
//! that who has left, others hide what they are not working on; the list does not say which.

use super::table::Headers;

/// How a sheet shows a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// It does not, for a filter or by hand.
    pub(super) is_hidden: bool,
    /// Columns that it does not show, from 0.
    pub(super) hidden_columns: Vec<usize>,
    /// Columns whose text has a line through it, from 0.
    pub(super) struck: Vec<usize>,
}

impl Marks {
    /// What is wrong with a row of a table, with the numbers of columns from 1.
    pub(super) fn problems(&self, headers: &Headers) -> Vec<(usize, &'static str, String)> {
        if self.is_hidden {
            let rule = "the row is hidden, by a filter or by hand, and may be of somebody who has left: clear the filter and show all \
                        rows, and delete those that are no longer of the list; or leave the hidden ones out with --skip-bad-rows, \
                        where nobody counts as missing";
            return vec![(1, "hidden-row", rule.to_owned())];
        }
        let of_person = |at: usize| ["student_id", "name"].iter().any(|column| headers.is_of(column, at));
        if let Some(at) = self.struck.iter().find(|at| of_person(**at)) {
            let rule = "the row is struck out, and may be of somebody who has left: delete it where it is, else take the line away";
            return vec![(at + 1, "struck-out", rule.to_owned())];
        }
        let used = self.struck.iter().filter(|at| headers.uses(**at));
        let rule = "the value is struck out: delete it where it is no longer right, else take the line away";
        used.map(|at| (at + 1, "struck-out", rule.to_owned())).collect()
    }
}
