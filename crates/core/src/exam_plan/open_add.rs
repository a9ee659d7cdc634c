//! What this run found out about an add of an earlier one that was never answered, where no link came of it.

use std::collections::BTreeSet;

use super::skip_reason::SkipReason;
use crate::roster::{Gid, LoginValue, Sid};

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenAdd {
    /// The service did not say whose candidate is there.
    Untold,
    /// Neither the listing nor a look-up shows anybody. Both may lag behind, and the service may take one login value twice:
    /// so it is sent again from this moment on and not before, in milliseconds since 1970 UTC.
    NotShown {
        /// The moment.
        again_at_ms: i64,
    },
    /// What the service makes of this login value, which was sent, is another student's candidate, or one that shows other
    /// values or may be that of several.
    Alike {
        /// The login value that was sent.
        login: LoginValue,
    },
    /// A listed candidate has the login value that was sent, whatever the roster says by now.
    There {
        /// That login value.
        login: LoginValue,
        /// The candidate, which is nobody's.
        sid: Sid,
        /// Its groups, where they were told.
        groups: Option<BTreeSet<Gid>>,
    },
}

impl OpenAdd {
    /// Why the student is not added in this run under this login value; `None` where that may be.
    #[must_use]
    pub fn withholds(&self, wanted: &LoginValue, now_ms: i64) -> Option<SkipReason> {
        match self {
            Self::Untold => Some(SkipReason::NotFoundOut),
            Self::Alike { login } => (login == wanted).then_some(SkipReason::LoginAlike(None)),
            Self::NotShown { again_at_ms } => {
                (now_ms < *again_at_ms).then_some(SkipReason::AddNotShown { again_at_ms: *again_at_ms })
            }
            Self::There { .. } => None,
        }
    }

    /// Whether only a later run can tell what became of it, whatever this one does.
    #[must_use]
    pub fn is_to_be_found_out(&self) -> bool {
        match self {
            Self::Untold | Self::Alike { .. } | Self::NotShown { .. } => true,
            Self::There { .. } => false,
        }
    }
}
