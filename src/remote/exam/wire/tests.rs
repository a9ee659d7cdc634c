//! What is read from which body. Bodies are those of docs/contracts/onlineexammaker.md, 3, and their variations by
//! 1.3.

use proptest::prelude::*;

use super::*;
use rosterd_core::exam_plan::RunHasher;
use rosterd_core::roster::LoginValue;

/// Login value and field values of one row, comparable.
type PlainRow = (String, Vec<(i64, String)>);

fn page(body: &str) -> Result<Vec<PlainRow>, ReadError> {
    let page = read_page(body.as_bytes(), 0)?;
    let plain =
        |fields: Vec<(FieldId, String)>| fields.into_iter().map(|(id, value)| (id.0, value)).collect();
    Ok(page.rows.into_iter().map(|row| (row.login_value, plain(row.fields))).collect())
}

fn one_row(login_value: &str, fields: &[(i64, &str)]) -> Vec<PlainRow> {
    vec![(login_value.to_owned(), fields.iter().map(|(id, value)| (*id, (*value).to_owned())).collect())]
}

fn reason(result: Result<impl Sized, ReadError>) -> String {
    match result {
        Err(ReadError::Malformed(what)) => what,
        Err(ReadError::Refused(text)) => format!("refused: {}", text.unwrap_or_default()),
        Ok(_) => "read".to_owned(),
    }
}

#[test]
fn a_page_is_read_in_every_spelling_of_its_types() {
    let bodies = [
        r#"{"data":[{"loginValue":"n1","fields":[{"sFid":4,"label":"phone","value":"7"}]}],"status":"ok","total":1}"#,
        r#"{"data":[{"loginValue":"n1","fields":[{"sfid":"4","sLabel":"phone","value":7}]}],"status":"ok","total":"1"}"#,
        r#"{"total":1,"status":"OK","data":[{"fields":[{"value":"7","id":4,"label":3}],"loginValue":"n1","sid":9}]}"#,
        "\u{feff} {\"data\":[{\"loginValue\":\"n1\",\"fields\":[{\"sFid\":4,\"id\":\"row-1\",\"value\":\"7\"},{\"sFid\":5,\"value\":null}]}],\"status\":\"ok\",\"total\":1}\n",
    ];
    for body in bodies {
        assert_eq!(page(body), Ok(one_row("n1", &[(4, "7")])), "{body}");
    }
}

const SAMPLE: &str = r#"{"data":[{"loginValue":"newstufor2993","fields":[{"sFid":1,"label":"name","value":"newstufor2993"},{"sFid":4,"label":"phone","value":"29**3"}]},
         {"loginValue":" \u5f20 ","fields":[{"sFid":1,"label":"n\u0061me","value":"张\"\n"},{"sFid":10,"label":"password","value":""}]},
         {"fields":[],"loginValue":""}],
 "status":"ok","total":12}"#;

fn hasher() -> PageHasher {
    let hasher = RunHasher::new(std::hash::RandomState::new());
    PageHasher::new(hasher, vec![FieldId(1), FieldId(4), FieldId(10)])
}

/// Reads a page in both ways, where it is read at once, and says whether it was.
fn is_read_at_once(body: &[u8], hasher: &PageHasher) -> bool {
    let (mut at_once, mut labels) = (hasher.page(), Labels::default());
    let Some(total) = cursor::read(envelope::trimmed(body), &mut at_once, &mut labels) else { return false };
    let shown = String::from_utf8_lossy(body);
    let Ok(general) = read_page(body, 0) else { panic!("read at once alone: {shown}") };
    let mut page = hasher.page();
    general.rows.iter().for_each(|row| page.row(&row.login_value, &row.fields));
    assert!(at_once == page, "{shown}");
    assert_eq!((total, labels.into_pairs()), (general.total, general.labels), "{shown}");
    true
}

#[test]
fn a_page_in_the_documented_shape_is_read_at_once_and_any_other_in_general() {
    let one = |row: &str| format!(r#"{{"data":[{row}],"status":"ok","total":1}}"#);
    let table: [(&str, String, bool); 20] = [
        ("the sample", SAMPLE.to_owned(), true),
        ("no rows", r#"{"data":[],"status":"OK","total":0}"#.to_owned(), true),
        ("a byte order mark", format!("\u{feff} {SAMPLE} \n"), true),
        ("another order", r#"{"total":1,"status":"ok","data":[{"fields":[{"value":"7","label":"a","sFid":4}],"loginValue":"n"}]}"#.to_owned(), true),
        ("no label", one(r#"{"loginValue":"n","fields":[{"sFid":4,"value":"7"}]}"#), true),
        ("a number as login value", one(r#"{"loginValue":7,"fields":[]}"#), false),
        ("a number as value", one(r#"{"loginValue":"n","fields":[{"sFid":4,"value":7}]}"#), false),
        ("a value of null", one(r#"{"loginValue":"n","fields":[{"sFid":4,"value":null}]}"#), false),
        ("no value", one(r#"{"loginValue":"n","fields":[{"sFid":4}]}"#), false),
        ("a text as id", one(r#"{"loginValue":"n","fields":[{"sFid":"4","value":"7"}]}"#), false),
        ("another name of the id", one(r#"{"loginValue":"n","fields":[{"sfid":4,"value":"7"}]}"#), false),
        ("no fields", one(r#"{"loginValue":"n"}"#), true),
        ("no login value", one(r#"{"fields":[{"sFid":4,"value":"7"}]}"#), false),
        ("an unknown name", one(r#"{"loginValue":"n","fields":[],"sid":3}"#), false),
        ("a value twice", one(r#"{"loginValue":"n","fields":[{"sFid":4,"value":"7","value":"8"}]}"#), false),
        ("half of a pair", one(r#"{"loginValue":"n","fields":[{"sFid":4,"value":"\ud800"}]}"#), false),
        ("a line end in a value", one("{\"loginValue\":\"n\nm\",\"fields\":[]}"), false),
        ("something behind it", format!("{SAMPLE}x"), false),
        ("an error", r#"{"data":[],"status":"error","total":0}"#.to_owned(), false),
        ("a fraction", r#"{"data":[],"status":"ok","total":0.5}"#.to_owned(), false),
    ];
    let hasher = hasher();
    for (name, body, at_once) in table {
        assert_eq!(is_read_at_once(body.as_bytes(), &hasher), at_once, "{name}");
        let general = read_page(body.as_bytes(), 0).map(|page| page.total);
        let hashed = read_hashed_page(body.as_bytes(), 0, &hasher).map(|page| page.total);
        assert_eq!(hashed, general, "{name}");
    }
}

proptest! {
    #[test]
    fn a_page_with_a_slip_is_read_at_once_as_in_general_or_not_at_once(
        slips in proptest::collection::vec((0..SAMPLE.len(), 0..3_u8, prop::sample::select(&b"{}[]\",:\\0123 ntu\xe5\xff"[..])), 1..4)
    ) {
        let mut body = SAMPLE.as_bytes().to_vec();
        for (at, kind, byte) in slips {
            let at = at.min(body.len() - 1);
            match kind {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => drop(body.remove(at)),
            }
        }
        is_read_at_once(&body, &hasher());
    }
}

#[test]
fn a_row_may_be_without_a_login_value_where_it_has_values() {
    for login in ["", r#""loginValue":null,"#, r#""loginValue":"","#] {
        let body =
            format!(r#"{{"data":[{{{login}"fields":[{{"sFid":4,"value":"7"}}]}}],"status":"ok","total":1}}"#);
        assert_eq!(page(&body), Ok(one_row("", &[(4, "7")])), "{body}");
    }
}

#[test]
fn a_login_value_may_come_as_a_number_and_fields_may_be_missing() {
    for fields in ["", r#","fields":null"#, r#","fields":[]"#] {
        let body = format!(r#"{{"data":[{{"loginValue":2993{fields}}}],"status":"ok","total":1}}"#);
        assert_eq!(page(&body), Ok(one_row("2993", &[])), "{body}");
    }
}

#[test]
fn escapes_are_undone() {
    let body = r#"{"data":[{"loginValue":"a\u0026b","fields":[{"sFid":1,"value":"\u5f20\"\n"}]}],"status":"ok","total":1}"#;
    assert_eq!(page(body), Ok(one_row("a&b", &[(1, "张\"\n")])));
}

#[test]
fn a_missing_page_is_empty_only_where_total_says_so() {
    for data in ["", r#""data":null,"#, r#""data":[],"#] {
        let body = |total: u64| format!(r#"{{{data}"status":"ok","total":{total}}}"#);
        assert!(read_page(body(0).as_bytes(), 0).is_ok_and(|page| page.total == 0 && page.rows.is_empty()));
        assert!(
            read_page(body(12).as_bytes(), 12).is_ok_and(|page| page.total == 12 && page.rows.is_empty())
        );
    }
    for data in ["", r#""data":null,"#] {
        let body = format!(r#"{{{data}"status":"ok","total":12}}"#);
        assert_eq!(
            reason(read_page(body.as_bytes(), 11)),
            "data is missing although total counts candidates"
        );
    }
}

#[test]
fn what_is_no_documented_page_is_an_error_and_never_an_empty_page() {
    let rows = [
        ("", "it is empty"),
        ("  \n", "it is empty"),
        ("<!DOCTYPE html><html>log in</html>", "it is HTML"),
        ("[]", "it is no JSON object"),
        ("null", "it is no JSON object"),
        ("\"ok\"", "it is no JSON object"),
        ("maintenance", "it is no JSON object"),
        ("{}", "it has no status"),
        (r#"{"data":[],"total":0}"#, "it has no status"),
        (r#"{"status":null,"data":[],"total":0}"#, "it has no status"),
        (r#"{"status":"ok"}"#, "total is missing or negative"),
        (r#"{"status":"ok","data":[]}"#, "total is missing or negative"),
        (r#"{"status":"ok","data":[],"total":null}"#, "total is missing or negative"),
        (r#"{"status":"ok","data":[],"total":-1}"#, "total is missing or negative"),
        (r#"{"status":"ok","data":[],"total":"many"}"#, "total is not of a documented type"),
        (r#"{"status":"ok","data":{},"total":0}"#, "data is not of a documented type"),
        (r#"{"status":"ok","data":"","total":0}"#, "data is not of a documented type"),
        (r#"{"status":"ok","total":1,"data":[{"fields":[]}]}"#, "data[0] is not of a documented type"),
        (r#"{"status":"ok","total":1,"data":[["n1",[]]]}"#, "data[0] is not of a documented type"),
        (
            r#"{"status":"ok","total":1,"data":[{"loginValue":["n1"]}]}"#,
            "data[0].loginValue is not of a documented type",
        ),
        (
            r#"{"status":"ok","total":1,"data":[{"loginValue":"n1","fields":[{"value":"x"}]}]}"#,
            "data[0].fields[0] is not of a documented type",
        ),
        (
            r#"{"status":"ok","total":1,"data":[{"loginValue":"n1","fields":[{"sFid":"x","value":"x"}]}]}"#,
            "data[0].fields[0].sFid is not of a documented type",
        ),
        (r#"{"status":"ok","total":1,"data":[{"loginValue":"n1""#, "the JSON breaks off"),
        (r#"{"status":"ok","total":0,"data":[}"#, "it is no well-formed JSON"),
        (r#"{"status":"ok","total":0,"data":[]}{}"#, "something follows the JSON"),
        (r#"{"status":"error","error":"the title cannot be empty"}"#, "refused: the title cannot be empty"),
        (r#"{"status":"error","data":"x","message":"m"}"#, "refused: m"),
        (r#"{"status":"fail","data":[],"total":0}"#, "refused: "),
    ];
    for (body, expected) in rows {
        assert_eq!(reason(read_page(body.as_bytes(), 0)), expected, "{body}");
    }
}

#[test]
fn an_error_never_quotes_the_body() {
    let secret = "13800000000";
    let bodies = [
        format!(r#"{{"status":"ok","total":1,"data":["{secret}"]}}"#),
        format!(r#"{{"status":"ok","total":"{secret}x","data":[]}}"#),
        format!(r#"{{"status":"ok","total":1,"data":[{{"{secret}":tru}}]}}"#),
        format!(r#"{{"{secret}":{{"a":"#),
        secret.to_owned(),
    ];
    for body in bodies {
        let error = read_page(body.as_bytes(), 0).err().unwrap();
        assert!(!format!("{error:?}").contains("138"), "{error:?}");
    }
}

#[test]
fn fields_are_read_in_every_spelling() {
    let bodies = [
        r#"{"data":[{"sfid":1,"label":"name"}],"status":"ok"}"#,
        r#"{"data":[{"sFid":"1","sLabel":"name"}],"status":"ok"}"#,
        r#"{"data":[{"id":1,"label":"name","isLoginField":true}],"status":"ok"}"#,
    ];
    let expected = vec![ExamField { id: FieldId(1), label: "name".to_owned() }];
    for body in bodies {
        assert_eq!(read_fields(body.as_bytes()), Ok(expected.clone()), "{body}");
    }
}

#[test]
fn an_account_without_fields_is_no_account() {
    for body in [r#"{"status":"ok"}"#, r#"{"status":"ok","data":null}"#, r#"{"status":"ok","data":[]}"#] {
        assert_eq!(reason(read_fields(body.as_bytes())), "it names no field", "{body}");
    }
    assert_eq!(reason(read_fields(br#"{"status":"ok","data":[{"label":"x"}]}"#)), "a field has no id");
}

#[test]
fn a_look_up_is_read_in_every_spelling_of_ids() {
    let bodies = [
        r#"{"data":[{"sid":7,"fields":[{"sFid":1,"label":"name","value":"n"}],"group":[{"gid":3,"title":"t"},{"gid":4,"title":"t"}]}],"fail":[8],"status":"ok"}"#,
        r#"{"data":[{"sid":"7","fields":[{"sfid":"1","value":"n"}],"group":[{"gid":"3"},{"id":4}]}],"fail":["8"],"status":"ok"}"#,
        r#"{"data":[{"sid":7,"fields":[{"id":1,"value":"n"}],"groups":[3,"4"]}],"fail":[{"sid":8},null,true],"status":"ok"}"#,
    ];
    for body in bodies {
        let answer = read_lookup(body.as_bytes()).unwrap_or_else(|error| panic!("{error:?} {body}"));
        assert_eq!(answer.rows.len(), 1);
        assert_eq!(answer.rows[0].sid, Sid(7));
        assert_eq!(answer.rows[0].fields, [(FieldId(1), "n".to_owned())]);
        assert_eq!(answer.rows[0].groups, Some(BTreeSet::from([Gid(3), Gid(4)])));
        assert_eq!(answer.unresolved, BTreeSet::from(["8".to_owned()]));
    }
}

#[test]
fn an_unresolved_login_value_keeps_its_leading_zeros() {
    let answer =
        read_lookup(br#"{"data":null,"fail":["007",{"loginValue":"08"}],"status":"ok"}"#).ok().unwrap();
    assert_eq!(answer.unresolved, BTreeSet::from(["007".to_owned(), "08".to_owned()]));
}

#[test]
fn a_look_up_without_either_list_is_no_answer() {
    assert_eq!(reason(read_lookup(br#"{"status":"ok"}"#)), "data and fail are both missing");
    for body in
        [r#"{"data":null,"status":"ok"}"#, r#"{"fail":[],"status":"ok"}"#, r#"{"data":[],"status":"ok"}"#]
    {
        assert!(read_lookup(body.as_bytes()).is_ok_and(|answer| answer.rows.is_empty()), "{body}");
    }
}

#[test]
fn a_candidate_in_no_group_is_one_whose_groups_are_not_told() {
    for group in
        ["", r#","group":null"#, r#","group":[]"#, r#","groups":[0]"#, r#","group":[{"gid":"0"},{"gid":3}]"#]
    {
        let body = format!(r#"{{"data":[{{"sid":1,"fields":[]{group}}}],"status":"ok"}}"#);
        let answer = read_lookup(body.as_bytes()).unwrap_or_else(|error| panic!("{error:?} {body}"));
        assert_eq!(answer.rows[0].groups, None, "{group}");
    }
}

#[test]
fn a_row_without_sid_or_with_a_nameless_group_spoils_the_look_up() {
    let body = br#"{"data":[{"fields":[]}],"fail":[],"status":"ok"}"#;
    assert_eq!(reason(read_lookup(body)), "data[0] is not of a documented type");
    let body = br#"{"data":[{"sid":1,"group":[{"title":"t"}]}],"fail":[],"status":"ok"}"#;
    assert_eq!(reason(read_lookup(body)), "a group has no gid");
}

#[test]
fn the_lists_of_a_write_are_read_in_every_type() {
    let body = br#"{"success":[{"sid":"5","index":"0"},{"index":1,"sid":6},{"sid":7},"8",9],"fail":[2,"3",{"index":4,"reason":"x"},{"index":"5"},"li",null,{},[1]],"status":"ok"}"#;
    let answer = read_write_answer(body).unwrap();
    assert!(answer.status_ok && answer.lists_present);
    assert_eq!(answer.added, [(Sid(5), 0), (Sid(6), 1), (Sid(7), NO_INDEX)]);
    assert_eq!(answer.changed, [Sid(8), Sid(9)]);
    assert_eq!(answer.fail, [2, 3, 4, 5]);
    assert_eq!(answer.fail_unreadable, 4);
}

#[test]
fn empty_lists_of_a_write_may_be_null_or_absent() {
    for body in [
        r#"{"fail":[],"status":"ok","success":["1"]}"#,
        r#"{"fail":null,"status":"ok","success":["1"]}"#,
        r#"{"status":"ok","success":["1"]}"#,
    ] {
        let answer = read_write_answer(body.as_bytes()).unwrap();
        assert_eq!(
            (answer.changed, answer.fail, answer.lists_present),
            (vec![Sid(1)], vec![], true),
            "{body}"
        );
    }
    let answer = read_write_answer(br#"{"status":"ok"}"#).unwrap();
    assert_eq!(answer, WriteAnswer { status_ok: true, ..WriteAnswer::default() });
}

#[test]
fn the_lists_of_a_write_count_whatever_status_says() {
    let answer =
        read_write_answer(br#"{"fail":[1],"status":"error","success":["7"],"error":"part"}"#).unwrap();
    assert_eq!((answer.status_ok, answer.changed, answer.fail), (false, vec![Sid(7)], vec![1]));
    assert_eq!(answer.message.as_deref(), Some("part"));
    let answer = read_write_answer(br#"{"success":["7"]}"#).unwrap();
    assert_eq!((answer.status_ok, answer.changed), (false, vec![Sid(7)]));
}

#[test]
fn another_status_without_any_item_refuses_the_whole_write() {
    for lists in ["", r#","fail":null,"success":null"#, r#","fail":[],"success":[]"#] {
        let body = format!(r#"{{"status":"error","error":"no"{lists}}}"#);
        assert_eq!(reason(read_write_answer(body.as_bytes())), "refused: no", "{body}");
    }
    assert_eq!(reason(read_write_answer(b"{}")), "it has no status");
}

#[test]
fn a_success_that_names_no_sid_spoils_the_answer() {
    for entry in ["null", r#""li""#, "{}", r#"{"index":1}"#, "1.5", "[7]", "18446744073709551615"] {
        let body = format!(r#"{{"status":"ok","fail":[],"success":["7",{entry}]}}"#);
        assert_eq!(
            reason(read_write_answer(body.as_bytes())),
            "success holds something other than sids",
            "{entry}"
        );
    }
}

#[test]
fn a_look_up_sends_the_key_it_was_given() {
    use crate::remote::exam::LookupKey;
    let sids = [Sid(170_605), Sid(170_606)];
    assert_eq!(lookup_parameters(LookupKey::Sids(&sids)).unwrap(), [("sids", "[170605,170606]".to_owned())]);
    let values = [LoginValue::new("James"), LoginValue::new("a\"b")];
    let expected = [("loginValues", r#"["James","a\"b"]"#.to_owned())];
    assert_eq!(lookup_parameters(LookupKey::LoginValues(&values)).unwrap(), expected);
}
