//! A door for fuzzing: reads the body of an answer as the client does.

use super::wire;
use rosterd_core::classin_plan::CallAnswer;

/// Reads an answer to any call.
#[must_use]
pub fn answer(body: &[u8]) -> Option<CallAnswer> {
    wire::read_answer(body).ok().map(|(answer, _)| answer)
}
