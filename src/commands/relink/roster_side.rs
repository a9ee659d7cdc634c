//! What the roster says of the two ids of a `relink`.

use crate::app::{App, AppError, exam_side};
use crate::run::{login_column, remembered_mapping};
use crate::store::RosterDetails;
use rosterd_core::exam_plan::{Link, MappedField, values_of_candidate, values_of_row};
use rosterd_core::relink::OtherValues;
use rosterd_core::roster::{LoginValue, StudentId};

/// One id on the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Active,
    Inactive,
    Absent,
}

/// Both ids, and the login value that the roster wants of the new one.
pub(super) struct RosterSide {
    rows: Option<(Row, Row)>,
    pub(super) wanted_login: Option<LoginValue>,
    /// What the roster has of the new one.
    new: Vec<(String, String)>,
}

impl RosterSide {
    /// Nobody looked.
    pub(super) fn unread() -> Self {
        Self { rows: None, wanted_login: None, new: Vec::new() }
    }

    pub(super) async fn read(app: &App, from: &StudentId, to: &StudentId) -> Result<Self, AppError> {
        let column = match exam_side(&app.settings, &app.clock)? {
            Some(side) => login_column(&side, &app.state).await?,
            None => None,
        };
        let roster = app.roster().await?;
        let mut snapshot = roster.snapshot().await?;
        let old = snapshot.details(from).await?;
        let new = snapshot.details(to).await?;
        snapshot.close().await?;
        let wanted_login = column.and_then(|column| {
            let (_, value) = new.as_ref()?.values.iter().find(|(name, _)| *name == column)?;
            LoginValue::parse(value)
        });
        let rows = Some((row(old.as_ref()), row(new.as_ref())));
        Ok(Self { rows, wanted_login, new: new.map(|details| details.values).unwrap_or_default() })
    }

    /// Whether the candidate of the new one shows somebody else, as far as it was confirmed: at least as many values differ from
    /// what the roster has as are the same.
    pub(super) async fn is_unlike(&self, app: &App, own: &Link) -> Result<bool, AppError> {
        let Some(side) = exam_side(&app.settings, &app.clock)? else { return Ok(false) };
        let Some(mapping) = remembered_mapping(&side, &app.state).await? else { return Ok(false) };
        let key = app.state.planner_key().await?;
        let value = |field: &MappedField| {
            let value = self.new.iter().find(|(column, _)| *column == field.column);
            value.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let row: Vec<String> = mapping.fields().iter().map(value).collect();
        let (shown, wanted) = (values_of_candidate(own, &mapping), values_of_row(&row, &mapping, &key));
        Ok(OtherValues::between(&shown, &wanted).speak_against_it())
    }

    /// Why the roster speaks against it.
    pub(super) fn objection(&self, from: &StudentId, to: &StudentId) -> Option<String> {
        match self.rows? {
            (Row::Active, _) => Some(format!(
                "student {from} is on the roster and active: their candidate would become {to}'s, and they would be \
                 entered anew, without their results"
            )),
            (_, Row::Absent) => Some(format!(
                "the roster has no student {to}: the candidate would be nobody's, and leave with the next leavers"
            )),
            (_, Row::Inactive) => {
                Some(format!("student {to} is on the roster, but not active: they have left"))
            }
            (Row::Inactive | Row::Absent, Row::Active) => None,
        }
    }
}

fn row(details: Option<&RosterDetails>) -> Row {
    match details {
        None => Row::Absent,
        Some(details) if details.active => Row::Active,
        Some(_) => Row::Inactive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roster_speaks_against_an_active_old_id_and_a_new_one_that_is_not() {
        let (old, new) = (StudentId::new("old"), StudentId::new("new"));
        let said = |rows| RosterSide { rows: Some(rows), ..RosterSide::unread() }.objection(&old, &new);
        for from in [Row::Absent, Row::Inactive] {
            assert_eq!(said((from, Row::Active)), None);
            assert!(said((from, Row::Absent)).unwrap().contains("has no student new"));
            assert!(said((from, Row::Inactive)).unwrap().contains("not active"));
        }
        for to in [Row::Active, Row::Absent, Row::Inactive] {
            assert!(said((Row::Active, to)).unwrap().contains("old is on the roster"));
        }
        assert_eq!(RosterSide::unread().objection(&old, &new), None);
    }
}
