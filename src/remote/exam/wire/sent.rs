//! The parameters of each call, spelled as the vendor's samples spell them.
//!
//! Contract: docs/contracts/onlineexammaker.md, 1.3 and 2.4: structured data is compact JSON text inside one form
//! value; `gid` is a string in `addStudents` and a number in `gids`; the list of people is `sids`, but `sid` in
//! `mvStuInfo`.

use serde::Serialize;

use super::super::signature::Parameters;
use super::super::{CandidateChange, LookupKey, NewCandidate};
use rosterd_core::exam_plan::GroupAction;
use rosterd_core::roster::{FieldId, Gid, LoginValue, Sid};

#[derive(Serialize)]
struct Added<'a> {
    gid: String,
    fields: Vec<SentField<'a>>,
}

#[derive(Serialize)]
struct Changed<'a> {
    sid: i64,
    /// Empty: `sid` identifies (docs/contracts/onlineexammaker.md, 3.3).
    #[serde(rename = "loginValue")]
    login_value: &'static str,
    fields: Vec<SentField<'a>>,
}

#[derive(Serialize)]
struct SentField<'a> {
    sfid: i64,
    value: &'a str,
}

#[derive(Serialize)]
struct Moved {
    gids: Vec<i64>,
    #[serde(rename = "loginValues")]
    login_values: [&'static str; 0],
    sid: Vec<i64>,
    action: &'static str,
}

/// `start` and `limit` of `getstulist` and `queryresults`.
pub(in super::super) fn page_parameters(start: u64, limit: u32) -> Parameters {
    vec![("limit", limit.to_string()), ("start", start.to_string())]
}

/// `sids` or `loginValues` of `getstudentsinfo`.
pub(in super::super) fn lookup_parameters(key: LookupKey<'_>) -> serde_json::Result<Parameters> {
    match key {
        LookupKey::Sids(sids) => one("sids", &numbers(sids)),
        LookupKey::LoginValues(values) => {
            let values: Vec<&str> = values.iter().map(LoginValue::as_str).collect();
            one("loginValues", &values)
        }
    }
}

/// `info` of `addStudents`.
pub(in super::super) fn add_parameters(batch: &[NewCandidate]) -> serde_json::Result<Parameters> {
    let added = batch.iter().map(|NewCandidate { gid, values }| {
        let fields = sent_fields(values);
        Added { gid: gid.to_string(), fields }
    });
    one("info", &added.collect::<Vec<_>>())
}

/// `info` of `changeStuinfo`.
pub(in super::super) fn change_parameters(batch: &[CandidateChange]) -> serde_json::Result<Parameters> {
    let changed = batch.iter().map(|CandidateChange { sid, values }| {
        let fields = sent_fields(values);
        Changed { sid: sid.0, login_value: "", fields }
    });
    one("info", &changed.collect::<Vec<_>>())
}

/// `sids` of `delStu`.
pub(in super::super) fn delete_parameters(sids: &[Sid]) -> serde_json::Result<Parameters> {
    one("sids", &numbers(sids))
}

/// `mvStuInfo` of `movestugroup`.
pub(in super::super) fn move_parameters(
    action: GroupAction,
    gids: &[Gid],
    sids: &[Sid],
) -> serde_json::Result<Parameters> {
    let gids = gids.iter().map(|gid| gid.0).collect();
    one("mvStuInfo", &Moved { gids, login_values: [], sid: numbers(sids), action: spelled(action) })
}

/// `parentGid` and `title` of `addcategory`; 0 is the root.
pub(in super::super) fn category_parameters(parent: Gid, title: &str) -> Parameters {
    vec![("parentGid", parent.to_string()), ("title", title.to_owned())]
}

fn spelled(action: GroupAction) -> &'static str {
    match action {
        GroupAction::MoveTo => "moveto",
        GroupAction::AddTo => "addto",
        GroupAction::DeleteFrom => "delfrom",
    }
}

fn numbers(sids: &[Sid]) -> Vec<i64> {
    sids.iter().map(|sid| sid.0).collect()
}

fn sent_fields(values: &[(FieldId, String)]) -> Vec<SentField<'_>> {
    values.iter().map(|(id, value)| SentField { sfid: id.0, value }).collect()
}

fn one<T: Serialize>(name: &'static str, value: &T) -> serde_json::Result<Parameters> {
    Ok(vec![(name, serde_json::to_string(value)?)])
}
