//! The columns of a students file that name the student's group or class, and by what heading.

use super::{Heading, OWNER_COLUMNS};
use crate::RosterTable;
use crate::header_words::{folded, known};
use crate::made::Made;

/// The column that any known word for a class heads.
const CLASS: &str = "group_code";

/// The column that a word for a group heads which need not be a class.
const GROUP: &str = "group";
/// The names of sheets, which are no column.
const SHEET: &str = "name of the sheet";

/// Words for departments, folded.
const DEPARTMENTS: [&str; 5] = ["部门", "部門", "所属部门", "所屬部門", "department"];
/// Words for accounts, folded.
const ACCOUNTS: [&str; 9] =
    ["帐号", "账号", "帳號", "员工userid", "员工id", "userid", "upn", "username", "账户"];

/// A column of a students file that names the student's group or class.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) column: &'static str,
    /// The table of the memberships.
    pub(crate) members: RosterTable,
    /// What heads it in the file.
    pub(crate) heading: String,
    /// A cell may hold several: the departments of a member, whose list WeCom and DingTalk write into one cell.
    pub(crate) holds_several: bool,
}

impl Heading {
    /// The columns that name the student's group or class.
    pub(crate) fn owners(&self) -> Vec<Owner> {
        let owner = |(column, members): (&'static str, RosterTable)| {
            let (heading, holds_several) = (self.word_for(column), self.is_of_departments(column));
            let is_owner = self.has(column) && !self.own_columns.contains(&column);
            is_owner.then_some(Owner { column, members, heading, holds_several })
        };
        OWNER_COLUMNS.into_iter().filter_map(owner).collect()
    }

    /// Whether a word for departments heads a column of ours.
    fn is_of_departments(&self, column: &str) -> bool {
        let at = self.names.iter().position(|name| name == column);
        let made = self.made.iter().find(|(name, _)| name == column).map(|(_, made)| made);
        let at = match made {
            Some(Made::Copy(at)) => Some(*at),
            Some(
                Made::EnrollStatus(_)
                | Made::Joined(_)
                | Made::Name { .. }
                | Made::Class { .. }
                | Made::ClassOf { .. }
                | Made::ClassWithin { .. }
                | Made::Constant(_)
                | Made::Title(_),
            ) => None,
            None => at,
        };
        let word = at.and_then(|at| self.theirs.get(at)).map(|word| folded(word));
        word.is_some_and(|word| DEPARTMENTS.contains(&word.as_str()))
    }

    /// Whether a word for a member's account heads the id: an account is a word or a number, as an administrator chose.
    pub(crate) fn names_accounts(&self) -> bool {
        let at = self.names.iter().position(|name| name == "student_id");
        let word = at.and_then(|at| self.theirs.get(at)).map(|word| folded(word));
        word.is_some_and(|word| ACCOUNTS.contains(&word.as_str()))
    }

    /// What heads a column of ours in the file: `group_code` for any known word for a class, one word for those that mean any
    /// other group, and one for the names of sheets.
    fn word_for(&self, column: &str) -> String {
        let own = self.names.iter().position(|name| name == column);
        let made = self.made.iter().find(|(name, _)| name == column).map(|(_, made)| made);
        let at = match made {
            Some(Made::Constant(_)) => return SHEET.to_owned(),
            Some(Made::Title(_)) => return CLASS.to_owned(),
            Some(made) => Some(made.shown_at()),
            None => own,
        };
        let word = at.and_then(|at| self.theirs.get(at)).map(String::as_str).unwrap_or_default();
        let is_ours = OWNER_COLUMNS.iter().any(|(owner, _)| owner.eq_ignore_ascii_case(word));
        match known(word).filter(|known| known.column == CLASS) {
            _ if is_ours => CLASS.to_owned(),
            Some(known) if known.is_other_group => GROUP.to_owned(),
            Some(_) => CLASS.to_owned(),
            None => folded(word),
        }
    }
}
