//! What a listing tells about which field holds the login value.

use std::collections::BTreeMap;

use crate::roster::FieldId;

/// Rows that a listing needs before it can disprove a configured login field.
const ROWS_FOR_DISPROOF: u64 = 10;

/// The share of the rows, in percent, in which the login field equals the login value.
const NEARLY_ALL: u64 = 95;

/// Fields whose matches are counted at most; an account has far fewer.
const MOST_FIELDS: usize = 1000;

/// In how many listed rows each field equals the login value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginEvidence {
    rows: u64,
    equal: BTreeMap<FieldId, u64>,
}

/// What the listing says about a configured login field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFieldVerdict {
    /// Nothing speaks against it.
    Plausible,
    /// Another field equals the login value in nearly all rows, and this one does not.
    Disproved {
        /// That other field.
        by: FieldId,
        /// In how many rows the other one equals the login value.
        equal: u64,
        /// The listed rows.
        rows: u64,
    },
    /// No field equals the login value in nearly all rows: values are hidden or masked.
    Unproven {
        /// In how many rows the configured field equals the login value.
        equal: u64,
        /// The listed rows.
        rows: u64,
    },
}

impl LoginEvidence {
    /// Counts one row.
    pub(super) fn row(&mut self) {
        self.rows += 1;
    }

    /// Counts a field that equals the login value of the row.
    pub(super) fn equals(&mut self, field: FieldId) {
        self.add(field, 1);
    }

    /// Adds what other rows tell.
    pub(super) fn extend(&mut self, more: &Self) {
        let Self { rows, equal } = more;
        self.rows += rows;
        equal.iter().for_each(|(field, rows)| self.add(*field, *rows));
    }

    fn add(&mut self, field: FieldId, rows: u64) {
        if let Some(equal) = self.equal.get_mut(&field) {
            *equal += rows;
        } else if self.equal.len() < MOST_FIELDS {
            self.equal.insert(field, rows);
        }
    }

    /// The fields that equal the login value in nearly all rows; none for an empty listing.
    #[must_use]
    pub fn matching(&self) -> Vec<FieldId> {
        self.equal.keys().copied().filter(|field| self.is_nearly_all(self.equal(*field))).collect()
    }

    /// What the rows say about a field that is configured as the login field.
    #[must_use]
    pub fn verdict(&self, configured: FieldId) -> LoginFieldVerdict {
        let (equal, rows) = (self.equal(configured), self.rows);
        if rows == 0 || self.is_nearly_all(equal) {
            return LoginFieldVerdict::Plausible;
        }
        let best = self.equal.iter().filter(|(_, equal)| self.is_nearly_all(**equal)).max_by_key(|it| it.1);
        match best {
            Some((by, equal)) if rows >= ROWS_FOR_DISPROOF => {
                LoginFieldVerdict::Disproved { by: *by, equal: *equal, rows }
            }
            Some(_) => LoginFieldVerdict::Plausible,
            None => LoginFieldVerdict::Unproven { equal, rows },
        }
    }

    fn equal(&self, field: FieldId) -> u64 {
        self.equal.get(&field).copied().unwrap_or(0)
    }

    fn is_nearly_all(&self, equal: u64) -> bool {
        self.rows > 0 && equal.saturating_mul(100) >= self.rows.saturating_mul(NEARLY_ALL)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;
    use crate::exam_plan::{PageHasher, RunHasher};

    const LOGIN: FieldId = FieldId(6);
    const PHONE: FieldId = FieldId(4);

    /// `both` rows in which both fields equal the login value, and so on.
    fn evidence(both: u64, login_only: u64, phone_only: u64, neither: u64) -> LoginEvidence {
        let mut evidence = LoginEvidence::default();
        let mut rows = |count: u64, login: &str, phone: &str| {
            for _ in 0..count {
                let mut page = PageHasher::new(RunHasher::new(RandomState::new()), vec![]).page();
                page.row("a", &[(LOGIN, login.to_owned()), (PHONE, phone.to_owned())]);
                evidence.extend(&page.evidence);
            }
        };
        rows(both, "a", " a ");
        rows(login_only, "a", "1");
        rows(phone_only, "x", "a");
        rows(neither, "", "******");
        evidence
    }

    #[test]
    fn a_configured_login_field_is_judged_by_at_least_ten_rows() {
        let disproved = |equal, rows| LoginFieldVerdict::Disproved { by: LOGIN, equal, rows };
        let table = [
            ("no rows", evidence(0, 0, 0, 0), LoginFieldVerdict::Plausible),
            ("nine rows", evidence(0, 9, 0, 0), LoginFieldVerdict::Plausible),
            ("ten rows", evidence(0, 10, 0, 0), disproved(10, 10)),
            ("just 95 %", evidence(0, 19, 0, 1), disproved(19, 20)),
            ("just under 95 %", evidence(0, 18, 2, 0), LoginFieldVerdict::Unproven { equal: 2, rows: 20 }),
            ("both", evidence(20, 0, 0, 0), LoginFieldVerdict::Plausible),
            ("both but for one", evidence(19, 1, 0, 0), LoginFieldVerdict::Plausible),
            ("the configured one", evidence(0, 0, 20, 0), LoginFieldVerdict::Plausible),
            ("hidden or masked", evidence(0, 0, 0, 12), LoginFieldVerdict::Unproven { equal: 0, rows: 12 }),
        ];
        for (name, evidence, verdict) in table {
            assert_eq!(evidence.verdict(PHONE), verdict, "{name}");
        }
    }

    #[test]
    fn the_login_field_is_the_one_that_equals_the_login_value_in_nearly_all_rows() {
        assert_eq!(evidence(0, 19, 0, 1).matching(), [LOGIN]);
        assert_eq!(evidence(0, 18, 0, 1).matching(), []);
        assert_eq!(evidence(19, 1, 0, 0).matching(), [PHONE, LOGIN]);
        assert_eq!(evidence(0, 0, 0, 0).matching(), []);
    }
}
