//! Students who share a login value: each is told who the others are.

use std::collections::HashMap;

use super::{CannotReason, Difference, Unusable};
use crate::roster::{LoginValue, StudentId};

/// Names to each student the others with the same login value. Rows with another fault do not count: mending that may
/// change their login value too.
pub(super) fn name_others(differences: &mut [Difference]) {
    let mut owners: HashMap<LoginValue, Vec<StudentId>> = HashMap::new();
    for difference in &*differences {
        if let Difference::Unusable(Unusable { student, login: Some(login), reason, .. }) = difference
            && matches!(reason, CannotReason::SharedLogin { .. })
        {
            owners.entry(login.clone()).or_default().push(student.clone());
        }
    }
    for difference in differences {
        if let Difference::Unusable(Unusable { student, login: Some(login), reason, .. }) = difference
            && let CannotReason::SharedLogin { others, .. } = reason
        {
            let all = owners.get(login).map(Vec::as_slice).unwrap_or_default();
            *others = all.iter().filter(|other| *other != student).cloned().collect();
            others.sort();
        }
    }
}
