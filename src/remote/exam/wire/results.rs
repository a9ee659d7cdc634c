//! Rows of `queryresults`. Contract: docs/contracts/onlineexammaker.md, 1.3 and 3.8: everything comes as strings in
//! the sample, and as numbers in the legacy API.
//!
//! A row that does not say whose result of which exam it is cannot be read, and keeps its place in the page; any other value
//! that cannot be read is left out and counted. Of the result's link only its `tid` is taken, the name not at all.

use serde::Deserialize;
use serde_json::Value;

use super::super::{ResultsPage, ResultsRow};
use super::envelope::parse;
use super::lenient::{LenientInteger, LenientText};
use super::{ReadError, malformed, require_ok};
use rosterd_core::exam_plan::Digest;
use rosterd_core::roster::{Attempt, AttemptKey, AttemptStatus, ExamId, LoginValue, Sid};

/// A `tid` that is longer, or has other characters than identifiers have, is none.
const LONGEST_TID: usize = 128;

#[derive(Deserialize)]
struct ResultsBody {
    status: Option<LenientText>,
    total: Option<LenientInteger>,
    data: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct ResultRow {
    eid: LenientInteger,
    sid: LenientInteger,
    score: Option<LenientText>,
    passed: Option<LenientText>,
    status: Option<LenientText>,
    #[serde(rename = "startTime")]
    start_time: Option<LenientText>,
    #[serde(rename = "endTime")]
    end_time: Option<LenientText>,
    #[serde(rename = "loginValue")]
    login_value: Option<LenientText>,
    #[serde(rename = "viewResult")]
    view_result: Option<LenientText>,
    tid: Option<LenientText>,
}

/// Reads `queryresults`. A missing list is an empty one only where `total` says that nothing is there from `start` on.
pub(in super::super) fn read_results(body: &[u8], start: u64) -> Result<ResultsPage, ReadError> {
    let answer: ResultsBody = parse(body)?;
    require_ok(body, answer.status.as_ref())?;
    let Some(total) = answer.total.and_then(|total| u64::try_from(total.0).ok()) else {
        return malformed("total is missing or negative");
    };
    let mut page = ResultsPage { total, ..ResultsPage::default() };
    match answer.data {
        Some(data) => {
            for row in data {
                let row = match ResultRow::deserialize(&row) {
                    Ok(row) => ResultsRow::Attempt(attempt(row, &mut page.unreadable)),
                    Err(_) => unreadable(row),
                };
                page.rows.push(row);
            }
        }
        None if start >= total => {}
        None => return malformed("data is missing although total counts results"),
    }
    Ok(page)
}

/// What is known of a row that cannot be read: enough to know it again, and nothing of what it says.
fn unreadable(mut row: Value) -> ResultsRow {
    let is_missing = |name: &str| row.get(name).is_none_or(Value::is_null);
    let what = match (row.is_object(), is_missing("eid"), is_missing("sid")) {
        (false, _, _) => "it is no row",
        (true, true, _) => "eid is missing",
        (true, false, true) => "sid is missing",
        (true, false, false) => "eid, sid or another value is not what it should be",
    };
    if let Value::Object(values) = &mut row {
        values.remove("viewResult");
    }
    ResultsRow::Unreadable { digest: Digest::open("result row").text(&row.to_string()).finish_text(), what }
}

fn attempt(row: ResultRow, unreadable: &mut u64) -> Attempt {
    let mut number = |text: Option<LenientText>| -> Option<f64> {
        let text = text?.0;
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let read = text.parse::<f64>().ok().filter(|number| number.is_finite());
        *unreadable += u64::from(read.is_none());
        read
    };
    let score = number(row.score);
    let mut whole = |text| number(text).and_then(whole_number);
    let passed = whole(row.passed).map(|passed| passed != 0);
    let status = AttemptStatus::of(whole(row.status));
    let started_at_ms = whole(row.start_time).and_then(milliseconds).unwrap_or(0);
    let ended_at_ms = whole(row.end_time).and_then(milliseconds);
    let tid = row
        .view_result
        .and_then(|link| tid_in(&link.0))
        .or_else(|| row.tid.map(|tid| tid.0).filter(|tid| is_identifier(tid)));
    let untimed = if started_at_ms == 0 { tid.clone().unwrap_or_default() } else { String::new() };
    Attempt {
        key: AttemptKey { exam: ExamId(row.eid.0), sid: Sid(row.sid.0), started_at_ms, untimed },
        tid,
        login: row.login_value.and_then(|login| LoginValue::parse(&login.0)),
        score,
        passed,
        status,
        ended_at_ms,
    }
}

/// A number without a fraction, of a size that it holds exactly.
fn whole_number(number: f64) -> Option<i64> {
    // Through text: there is no conversion that says whether it fits.
    if number.fract() == 0.0 { format!("{number:.0}").parse().ok() } else { None }
}

/// Unix seconds as milliseconds; 0 stands for "not yet".
fn milliseconds(seconds: i64) -> Option<i64> {
    seconds.checked_mul(1000).filter(|at| *at > 0)
}

/// The `tid` of a link; the rest of it is a secret.
fn tid_in(link: &str) -> Option<String> {
    let (_, query) = link.split_once('?')?;
    let tid = query.split('&').find_map(|pair| pair.strip_prefix("tid="))?;
    is_identifier(tid).then(|| tid.to_owned())
}

fn is_identifier(text: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= LONGEST_TID && text.bytes().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"viewResult":"https://x.test/transgetresult?tid=t-1\u0026token=s3cret","score":"2.5","passed":"0","status":"1","startTime":"1639647217","endTime":"1639647236","sid":"170597","loginValue":"n11","name":"n11","eid":"107264"}"#;

    fn read(row: &str) -> Attempt {
        let body = format!(r#"{{"data":[{row}],"status":"ok","total":1}}"#);
        let page = read_results(body.as_bytes(), 0).map_err(|_| ()).unwrap();
        assert_eq!(page.total, 1);
        page.rows[0].attempt().unwrap().clone()
    }

    #[test]
    fn a_row_is_read_alike_from_strings_and_from_numbers() {
        let numbers = r#"{"tid":"t-1","score":2.5,"passed":0,"status":1,"startTime":1639647217,"endTime":1639647236,"sid":170597,"loginValue":"n11","eid":107264}"#;
        assert_eq!(read(ROW), read(numbers));
        let row = read(ROW);
        assert_eq!((row.key.exam, row.key.sid), (ExamId(107_264), Sid(170_597)));
        assert_eq!((row.key.started_at_ms, row.ended_at_ms), (1_639_647_217_000, Some(1_639_647_236_000)));
        assert_eq!((row.score, row.passed), (Some(2.5), Some(false)));
    }

    #[test]
    fn of_the_link_only_the_tid_is_taken_and_nothing_of_the_name() {
        let row = read(ROW);
        assert_eq!(row.tid.as_deref(), Some("t-1"));
        assert!(!format!("{row:?}").contains("s3cret"));
        let odd = ROW.replace("tid=t-1", "tid=%22%3E");
        assert_eq!(read(&odd).tid, None);
    }

    #[test]
    fn an_attempt_in_progress_has_no_end_however_that_is_written() {
        for end in [r#""0""#, r#""""#, "null", "0"] {
            let row = ROW.replace(r#""endTime":"1639647236""#, &format!(r#""endTime":{end}"#));
            assert_eq!(read(&row).ended_at_ms, None, "{end}");
        }
        assert_eq!(read(&ROW.replace(r#""endTime":"1639647236","#, "")).ended_at_ms, None);
    }

    #[test]
    fn attempts_without_a_start_are_told_apart_by_their_tid() {
        let row = ROW.replace(r#""startTime":"1639647217","#, "");
        let other = row.replace("tid=t-1", "tid=t-2");
        assert_ne!(read(&row).key, read(&other).key);
    }

    #[test]
    fn a_value_that_is_no_number_is_left_out_and_counted() {
        let row = ROW.replace(r#""score":"2.5""#, r#""score":"absent""#);
        let body = format!(r#"{{"data":[{row}],"status":"ok","total":1}}"#);
        let page = read_results(body.as_bytes(), 0).map_err(|_| ()).unwrap();
        assert_eq!((page.rows[0].attempt().unwrap().score, page.unreadable), (None, 1));
    }

    #[test]
    fn a_row_that_does_not_say_whose_result_it_is_keeps_its_place_and_is_known_again_whatever_its_link() {
        let row = |row: &str| {
            let body = format!(r#"{{"data":[{ROW},{row},{ROW}],"status":"ok","total":3}}"#);
            let page = read_results(body.as_bytes(), 0).map_err(|_| ()).unwrap();
            assert!(page.rows[0].attempt().is_some() && page.rows[2].attempt().is_some());
            page.rows[1].clone()
        };
        let table = [
            (ROW.replace(r#","eid":"107264""#, ""), "eid is missing"),
            (ROW.replace(r#""eid":"107264""#, r#""eid":null"#), "eid is missing"),
            (ROW.replace(r#""sid":"170597","#, ""), "sid is missing"),
            (ROW.replace(r#""170597""#, r#""nobody""#), "eid, sid or another value is not what it should be"),
            ("[]".to_owned(), "it is no row"),
        ];
        for (text, expected) in table {
            let ResultsRow::Unreadable { what, digest } = row(&text) else { panic!("{text}") };
            assert_eq!(what, expected, "{text}");
            assert_eq!(row(&text.replace("s3cret", "another")), ResultsRow::Unreadable { what, digest });
        }
        let missing = r#"{"status":"ok","total":5}"#;
        assert!(matches!(read_results(missing.as_bytes(), 0), Err(ReadError::Malformed(_))));
        assert!(read_results(missing.as_bytes(), 5).is_ok());
    }
}
