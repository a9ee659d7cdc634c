//! Whether a body is the documented JSON at all, and where it is not.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Segment;

use super::entry::Entry;
use super::{ReadError, malformed};

/// The only names that an error may quote: a body's own could be anybody's.
const QUOTABLE: [&str; 23] = [
    "data",
    "status",
    "total",
    "success",
    "fail",
    "sid",
    "index",
    "fields",
    "sfid",
    "sFid",
    "id",
    "value",
    "label",
    "group",
    "gid",
    "loginValue",
    "eid",
    "score",
    "passed",
    "startTime",
    "endTime",
    "viewResult",
    "title",
];
/// A longer text that is no JSON is a page, not a message.
const LONGEST_PLAIN_TEXT_BYTES: usize = 400;

/// What tells a refusal, whatever else the body holds.
#[derive(Deserialize)]
struct Envelope {
    status: Option<Entry>,
    error: Option<Entry>,
    message: Option<Entry>,
    msg: Option<Entry>,
}

/// Reads a body as a JSON object of this shape.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ReadError> {
    let body = trimmed(body);
    match body.first() {
        None => return malformed("it is empty"),
        Some(b'<') => return malformed("it is HTML"),
        Some(b'{') => {}
        Some(_) => return malformed("it is no JSON object"),
    }
    // The path is worth its time only where there is something to tell.
    serde_json::from_slice(body).or_else(|_| diagnose::<T>(body))
}

fn diagnose<T: DeserializeOwned>(body: &[u8]) -> Result<T, ReadError> {
    if let Ok(outline) = serde_json::from_slice::<Envelope>(body)
        && let Some(Entry::Text(status)) = &outline.status
        && !status.eq_ignore_ascii_case("ok")
    {
        return Err(ReadError::Refused(text_of(outline)));
    }
    let deserializer = &mut serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(deserializer) {
        Err(error) if error.inner().is_data() => {
            malformed(&format!("{} is not of a documented type", quotable_path(error.path())))
        }
        Err(error) if error.inner().is_eof() => malformed("the JSON breaks off"),
        Err(_) => malformed("it is no well-formed JSON"),
        Ok(_) => malformed("something follows the JSON"),
    }
}

fn quotable_path(path: &serde_path_to_error::Path) -> String {
    let mut shown = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => shown.push_str(&format!("[{index}]")),
            Segment::Map { key } if QUOTABLE.contains(&key.as_str()) => {
                if !shown.is_empty() {
                    shown.push('.');
                }
                shown.push_str(key);
            }
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => {
                shown.push_str(if shown.is_empty() { "?" } else { ".?" });
            }
        }
    }
    if shown.is_empty() { "the answer".to_owned() } else { shown }
}

/// An answer whose `status` is there but not `"ok"`, or is missing.
pub(super) fn refusal(body: &[u8], has_status: bool) -> ReadError {
    if has_status {
        ReadError::Refused(service_text(body))
    } else {
        ReadError::Malformed("it has no status".to_owned())
    }
}

/// The service's own text in a refusal: `error` (docs/contracts/onlineexammaker.md, 3) or a likely name, else a short
/// plain text. Not masked yet.
pub(in super::super) fn service_text(body: &[u8]) -> Option<String> {
    let body = trimmed(body);
    if body.first() == Some(&b'{') {
        return serde_json::from_slice::<Envelope>(body).ok().and_then(text_of);
    }
    let plain = std::str::from_utf8(body).ok()?;
    let is_message =
        !plain.is_empty() && plain.len() <= LONGEST_PLAIN_TEXT_BYTES && !plain.starts_with(['<', '[']);
    is_message.then(|| plain.to_owned())
}

fn text_of(outline: Envelope) -> Option<String> {
    let Envelope { status: _, error, message, msg } = outline;
    [error, message, msg].into_iter().flatten().find_map(|entry| match entry {
        Entry::Text(text) if !text.trim().is_empty() => Some(text),
        Entry::Number(number) => Some(number.to_string()),
        Entry::Text(_) | Entry::Object { .. } | Entry::Other => None,
    })
}

/// Whether `data` or `fail` is named at all, `null` included.
pub(super) fn names_a_list(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Names {
        #[serde(default, deserialize_with = "is_there")]
        data: bool,
        #[serde(default, deserialize_with = "is_there")]
        fail: bool,
    }
    fn is_there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| true)
    }
    serde_json::from_slice::<Names>(trimmed(body)).is_ok_and(|names| names.data || names.fail)
}

pub(super) fn trimmed(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii()
}
