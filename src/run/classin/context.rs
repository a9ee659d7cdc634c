//! What calls to ClassIn are made under.

use super::ClassinSide;
use crate::remote::classin::ClassinWriter;
use crate::run::Context;
use rosterd_core::roster::RunId;

/// What calls to ClassIn are made under.
#[derive(Clone, Copy)]
pub(super) struct ClassinApplyContext<'a> {
    pub(super) context: &'a Context,
    pub(super) side: &'a ClassinSide,
    pub(super) writer: &'a ClassinWriter,
    pub(super) run: RunId,
    pub(super) token_key: &'a [u8; 32],
}
