//! The service's spelling: what is sent and what is read, private to this folder.
//!
//! Reading is lenient in types (docs/contracts/onlineexammaker.md, 1.3) and strict in shape: what is not the
//! documented answer is an error, never an empty list. An error says where, never what: no value of an answer leaves
//! here.

mod cursor;
mod entry;
mod envelope;
mod label;
mod lenient;
mod results;
mod row;
mod sent;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use self::entry::{Entry, NO_INDEX};
use self::envelope::{parse, refusal};
use self::label::Labels;
use self::lenient::{LenientInteger, LenientText};
use self::row::{FieldValues, Rows};
use super::{CandidateInfo, ExamField, HashedPage, LookupAnswer, Page};
use rosterd_core::exam_plan::{PageHasher, WriteAnswer};
use rosterd_core::roster::{FieldId, Gid, Sid};

pub(super) use self::envelope::service_text;
pub(super) use self::results::read_results;
pub(super) use self::sent::{
    add_parameters, category_parameters, change_parameters, delete_parameters, lookup_parameters,
    move_parameters, page_parameters,
};

/// An answer with status 200 that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    /// The service says so itself; its own text, not masked yet.
    Refused(Option<String>),
    /// Not the documented answer; where it departs from it.
    Malformed(String),
}

fn malformed<T>(what: &str) -> Result<T, ReadError> {
    Err(ReadError::Malformed(what.to_owned()))
}

#[derive(Deserialize)]
struct FieldsAnswer {
    status: Option<LenientText>,
    data: Option<Vec<FieldDefinition>>,
}

#[derive(Deserialize)]
struct FieldDefinition {
    #[serde(alias = "sFid")]
    sfid: Option<LenientInteger>,
    id: Option<LenientInteger>,
    #[serde(alias = "sLabel")]
    label: Option<LenientText>,
}

/// Reads `getFields`. Contract: docs/contracts/onlineexammaker.md, 3.1. An account has at least its login field, so
/// an empty list is no answer.
pub(super) fn read_fields(body: &[u8]) -> Result<Vec<ExamField>, ReadError> {
    let answer: FieldsAnswer = parse(body)?;
    require_ok(body, answer.status.as_ref())?;
    let Some(data) = answer.data.filter(|data| !data.is_empty()) else {
        return malformed("it names no field");
    };
    let field = |definition: FieldDefinition| {
        let FieldDefinition { sfid, id, label } = definition;
        let id = FieldId(sfid.or(id)?.0);
        Some(ExamField { id, label: label.map(|label| label.0).unwrap_or_default() })
    };
    match data.into_iter().map(field).collect() {
        Some(fields) => Ok(fields),
        None => malformed("a field has no id"),
    }
}

#[derive(Deserialize)]
struct PageAnswer {
    status: Option<LenientText>,
    total: Option<LenientInteger>,
    data: Option<Rows>,
}

/// Reads `getstulist`. Contract: docs/contracts/onlineexammaker.md, 3.7. A missing list is an empty one only where
/// `total` says that nothing is there from `start` on.
pub(super) fn read_page(body: &[u8], start: u64) -> Result<Page, ReadError> {
    let answer: PageAnswer = parse(body)?;
    require_ok(body, answer.status.as_ref())?;
    let Some(total) = answer.total.and_then(|total| u64::try_from(total.0).ok()) else {
        return malformed("total is missing or negative");
    };
    match answer.data {
        Some(Rows(rows, labels)) => Ok(Page { total, rows, labels: labels.into_pairs() }),
        None if start >= total => Ok(Page { total, ..Page::default() }),
        None => malformed("data is missing although total counts candidates"),
    }
}

/// Reads the same without keeping a value of it: in the documented shape at once, and in any other as it is read above.
pub(super) fn read_hashed_page(
    body: &[u8],
    start: u64,
    hasher: &PageHasher,
) -> Result<HashedPage, ReadError> {
    let (mut rows, mut labels) = (hasher.page(), Labels::default());
    if let Some(total) = cursor::read(envelope::trimmed(body), &mut rows, &mut labels) {
        return Ok(HashedPage { total, rows, labels: labels.into_pairs() });
    }
    let page = read_page(body, start)?;
    let mut rows = hasher.page();
    page.rows.iter().for_each(|row| rows.row(&row.login_value, &row.fields));
    Ok(HashedPage { total: page.total, rows, labels: page.labels })
}

#[derive(Deserialize)]
struct LookupBody {
    status: Option<LenientText>,
    data: Option<Vec<LookupRow>>,
    fail: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct LookupRow {
    sid: LenientInteger,
    fields: Option<FieldValues>,
    #[serde(alias = "groups")]
    group: Option<Vec<Entry>>,
}

/// Reads `getstudentsinfo`. Contract: docs/contracts/onlineexammaker.md, 3.6. Either list may be missing, but not
/// both: that would make everybody who was asked for look gone.
pub(super) fn read_lookup(body: &[u8]) -> Result<LookupAnswer, ReadError> {
    let answer: LookupBody = parse(body)?;
    require_ok(body, answer.status.as_ref())?;
    if answer.data.is_none() && answer.fail.is_none() && !envelope::names_a_list(body) {
        return malformed("data and fail are both missing");
    }
    let data = answer.data.unwrap_or_default();
    let group_titles = titles(&data);
    let rows: Option<Vec<_>> = data.into_iter().map(candidate).collect();
    let Some(rows) = rows else {
        return malformed("a group has no gid");
    };
    let unresolved = answer.fail.unwrap_or_default().into_iter().filter_map(Entry::into_key).collect();
    Ok(LookupAnswer { rows, unresolved, group_titles })
}

/// What the groups of these candidates are called.
fn titles(rows: &[LookupRow]) -> BTreeMap<Gid, String> {
    let entries = rows.iter().flat_map(|row| row.group.iter().flatten());
    entries.filter_map(|entry| Some((Gid(entry.gid()?), entry.title()?.to_owned()))).collect()
}

/// Contract: docs/contracts/onlineexammaker.md, 3.5: a candidate's last group cannot be taken from it, so it is in one at
/// least. A list that is absent, empty or names what is no group (the root is 0) does not tell the groups.
fn candidate(row: LookupRow) -> Option<CandidateInfo> {
    let LookupRow { sid, fields, group } = row;
    let groups: Option<BTreeSet<Gid>> =
        group.unwrap_or_default().iter().map(|entry| entry.gid().map(Gid)).collect();
    let is_told = |groups: &BTreeSet<Gid>| groups.first().is_some_and(|gid| gid.0 > 0);
    let fields = fields.map(|fields| fields.0).unwrap_or_default();
    Some(CandidateInfo { sid: Sid(sid.0), fields, groups: Some(groups?).filter(is_told) })
}

#[derive(Deserialize)]
struct WriteBody {
    status: Option<LenientText>,
    success: Option<Vec<Entry>>,
    fail: Option<Vec<Entry>>,
}

/// Reads the answer to a write. Contract: docs/contracts/onlineexammaker.md, 4.1: the lists count whatever `status`
/// says; only without any item is another `status` a refusal. An entry of `success` that cannot be read spoils the
/// answer, for what it stands for may have been applied.
pub(super) fn read_write_answer(body: &[u8]) -> Result<WriteAnswer, ReadError> {
    let WriteBody { status, success, fail } = parse(body)?;
    let mut answer = WriteAnswer {
        status_ok: is_ok(status.as_ref()),
        lists_present: success.is_some() || fail.is_some(),
        ..WriteAnswer::default()
    };
    for entry in success.unwrap_or_default() {
        if let Entry::Object { sid: Some(sid), index, .. } = entry {
            answer.added.push((Sid(sid), index.unwrap_or(NO_INDEX)));
        } else if let Some(sid) = entry.as_integer() {
            answer.changed.push(Sid(sid));
        } else {
            return malformed("success holds something other than sids");
        }
    }
    let fail = fail.unwrap_or_default();
    let reasons: BTreeSet<Option<&str>> = fail.iter().map(Entry::reason).collect();
    // A reason is that of every item or is not known of any: the entries need not tell whose they are.
    if let (Some(Some(reason)), 1) = (reasons.first(), reasons.len()) {
        answer.message = Some((*reason).to_owned());
    }
    for entry in &fail {
        match entry.as_position() {
            Some(position) => answer.fail.push(position),
            None => answer.fail_unreadable += 1,
        }
    }
    if !answer.status_ok {
        let named = answer.added.len() + answer.changed.len() + answer.fail.len() + answer.fail_unreadable;
        if named == 0 {
            return Err(refusal(body, status.is_some()));
        }
        answer.message = service_text(body).or(answer.message);
    }
    Ok(answer)
}

#[derive(Deserialize)]
struct CategoryBody {
    status: Option<LenientText>,
    gid: Option<LenientInteger>,
}

/// Reads `addcategory`. Contract: docs/contracts/onlineexammaker.md, 3.9. Without a gid nothing is known of what was
/// created.
pub(super) fn read_category(body: &[u8]) -> Result<Gid, ReadError> {
    let CategoryBody { status, gid } = parse(body)?;
    require_ok(body, status.as_ref())?;
    match gid {
        Some(LenientInteger(gid)) if gid > 0 => Ok(Gid(gid)),
        Some(_) | None => malformed("gid is missing or not positive"),
    }
}

fn is_ok(status: Option<&LenientText>) -> bool {
    status.is_some_and(|status| status.0.eq_ignore_ascii_case("ok"))
}

fn require_ok(body: &[u8], status: Option<&LenientText>) -> Result<(), ReadError> {
    if is_ok(status) { Ok(()) } else { Err(refusal(body, status.is_some())) }
}

#[cfg(test)]
mod tests;
