//! The login value that a candidate has while it changes places in a circle of renames: it says itself whose it is.

use crate::roster::{LoginValue, RunId, Sid};

/// A login value that nobody else has, for a candidate that gives way to another in this run.
#[must_use]
pub fn temporary_login(sid: Sid, run: RunId) -> LoginValue {
    LoginValue::new(format!("moving-{sid}-{run}"))
}

/// Whether some run gave this login value to this candidate for a moment.
#[must_use]
pub fn is_temporary_login(login: &LoginValue, sid: Sid) -> bool {
    let of_this = login.as_str().strip_prefix("moving-").and_then(|rest| rest.strip_prefix(&sid.to_string()));
    let run = of_this.and_then(|rest| rest.strip_prefix('-'));
    run.is_some_and(|run| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_login_value_is_known_by_its_candidate() {
        assert!(is_temporary_login(&temporary_login(Sid(12), RunId(3)), Sid(12)));
        let others =
            ["moving-12-", "moving-123-4", "moving-1-2-3", "moving-12-x", "moving-12", "xmoving-12-3", "s12"];
        for other in others {
            assert!(!is_temporary_login(&LoginValue::new(other), Sid(12)), "{other}");
        }
    }
}
