//! Doors for fuzzing: each reads the body of an answer as the client does, and says nothing of an error but that it
//! was one.

use super::{ExamField, LookupAnswer, Page, WriteAnswer, wire};

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
