//! What an operation rests on.

use crate::roster::{ClassTarget, ClassinUid};

/// What must have become of other operations of the same plan before one is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The account has been added there, or the add is a dead letter: whoever moves keeps the old place until then. An
    /// add that finds no room is settled by the removal that makes the room.
    Settled {
        /// Where it is added.
        target: ClassTarget,
        /// The account.
        uid: ClassinUid,
    },
    /// The account has been removed from there.
    Removed {
        /// Where it is removed.
        target: ClassTarget,
        /// The account.
        uid: ClassinUid,
    },
    /// Somebody has been added to the very class of the operation: else nobody would be left in it.
    SomebodyEnters,
}
