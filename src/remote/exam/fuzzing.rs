//! Doors for fuzzing: each reads the body of an answer as the client does, and says nothing of an error but that it
//! was one.

use std::hash::RandomState;

use super::{ExamField, LookupAnswer, Page, WriteAnswer, wire};
use rosterd_core::exam_plan::{PageHasher, RunHasher};
use rosterd_core::roster::{FieldId, LoginValue};

/// Reads an answer of `getFields`.
#[must_use]
pub fn fields(body: &[u8]) -> Option<Vec<ExamField>> {
    wire::read_fields(body).ok()
}

/// Reads a page of `getstulist` that was asked for from `start` on.
#[must_use]
pub fn page(body: &[u8], start: u64) -> Option<Page> {
    wire::read_page(body, start).ok()
}

/// Reads the same as a run does; the total and the login values.
#[must_use]
pub fn hashed_page(body: &[u8], start: u64) -> Option<(u64, Vec<LoginValue>)> {
    let hasher = PageHasher::new(RunHasher::new(RandomState::new()), vec![FieldId(1)]);
    let page = wire::read_hashed_page(body, start, &hasher).ok()?;
    Some((page.total, page.rows.login_values().collect()))
}

/// Reads an answer of `getstudentsinfo`.
#[must_use]
pub fn lookup(body: &[u8]) -> Option<LookupAnswer> {
    wire::read_lookup(body).ok()
}

/// Reads the answer to a write.
#[must_use]
pub fn write(body: &[u8]) -> Option<WriteAnswer> {
    wire::read_write_answer(body).ok()
}
