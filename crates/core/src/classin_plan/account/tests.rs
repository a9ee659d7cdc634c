//! Contacts as ClassIn writes them, accounts shared by siblings, and what answers about accounts prove.

use super::*;
use crate::classin_plan::answer::{AnswerItem, CallAnswer, Token};
use crate::classin_plan::codes::{Call, Code, Stop};
use crate::classin_plan::judge::ItemVerdict;
use crate::roster::{ClassinUid, HomeCountry, StudentId};

const KEY: [u8; 32] = [7; 32];

fn home(letters: &str) -> HomeCountry {
    HomeCountry::parse(letters).unwrap()
}

fn phone(text: &str, country: &str) -> Result<String, ContactFault> {
    let reading = Contact::read(text, "", home(country));
    match (reading.contact, reading.problem) {
        (Some(contact), None) => Ok(contact.expose().to_owned()),
        (None, Some(problem)) => Err(problem.phone.unwrap()),
        odd => panic!("{odd:?}"),
    }
}

// Contacts

#[test]
fn mainland_numbers_are_eleven_digits_without_a_country_code() {
    for text in [
        "13800000000",
        " 138 0000 0000 ",
        "138-0000-0000",
        "+86 138 0000 0000",
        "0086-13800000000",
        "8613800000000",
        "１３８００００００００",
        "+86 138.0000.0000",
        "+86 138\u{a0}0000\u{2011}0000",
    ] {
        assert_eq!(phone(text, "CN").as_deref(), Ok("13800000000"), "{text}");
    }
    assert_eq!(phone("+86 138 0000 0000", "HK").as_deref(), Ok("13800000000"));
}

#[test]
fn other_numbers_are_country_hyphen_number_without_a_zero_in_front() {
    for (text, country, expected) in [
        ("001-8006437676", "CN", "001-8006437676"),
        ("+1 (800) 643-7676", "CN", "001-8006437676"),
        ("800-643-7676", "US", "001-8006437676"),
        ("6123 4567", "HK", "00852-61234567"),
        ("+852 6123 4567", "CN", "00852-61234567"),
        ("0151 23456789", "DE", "0049-15123456789"),
        ("0912 345 678", "TW", "00886-912345678"),
        ("89255077200", "RU", "007-9255077200"),
        ("07400 123456", "GB", "0044-7400123456"),
    ] {
        assert_eq!(phone(text, country).as_deref(), Ok(expected), "{text} {country}");
    }
}

#[test]
fn a_phone_that_cannot_be_read_is_never_guessed_at() {
    use ContactFault::{Impossible, Landline, LeadingZero, NotANumber};
    for (text, country, fault) in [
        ("1380000000", "CN", Impossible),
        ("138000000000", "CN", Impossible),
        ("12000000000", "CN", Impossible),
        ("13800000000", "HK", Impossible),
        ("61234567", "CN", Impossible),
        ("+999 1234567", "CN", Impossible),
        ("13800000000.0", "CN", Impossible),
        ("110", "CN", Impossible),
        ("010-62551234", "CN", Landline),
        ("02112345678", "CN", Landline),
        ("06 698 12345", "IT", LeadingZero),
        ("1.38E+10", "CN", NotANumber),
        ("13800000000 / 13900000000", "CN", NotANumber),
        ("13800000000;13900000000", "CN", NotANumber),
        ("13800000000, 13900000000", "CN", NotANumber),
        ("13800000000 ext 5", "CN", NotANumber),
        ("13800000000x", "CN", NotANumber),
        ("13800000000(mother)", "CN", NotANumber),
        ("1-800-FLOWERS", "US", NotANumber),
        ("none", "CN", NotANumber),
        ("-", "CN", NotANumber),
        ("+", "CN", NotANumber),
        (&"1".repeat(41), "CN", NotANumber),
    ] {
        assert_eq!(phone(text, country), Err(fault), "{text} {country}");
    }
}

#[test]
fn two_numbers_in_one_cell_are_not_read_as_one() {
    for text in ["13800000000 13900000000", "13800000000-13900000000", "13800000000.13900000000"] {
        assert!(phone(text, "CN").is_err(), "{text}");
    }
}

#[test]
fn the_email_stands_in_for_a_phone_that_is_missing_or_a_landline() {
    let cn = home("CN");
    let absent = Contact::read(" ", "Li.Lei@Example.org", cn);
    assert_eq!(absent.contact.as_ref().map(Contact::expose), Some("li.lei@example.org"));
    assert_eq!(absent.contact.map(|contact| contact.kind()), Some(ContactKind::Email));
    assert_eq!(absent.problem, None);

    let landline = Contact::read("010-62345678", "a@example.org", cn);
    assert_eq!(landline.contact.as_ref().map(Contact::expose), Some("a@example.org"));
    let text = landline.problem.unwrap().to_string();
    assert!(text.starts_with("phone is a landline") && text.contains("asked for by email"), "{text}");

    let both = Contact::read("13800000000", "no address", cn);
    assert_eq!((both.contact.unwrap().expose(), both.problem), ("13800000000", None));
}

#[test]
fn the_email_never_stands_in_for_a_phone_that_holds_a_slip() {
    let cn = home("CN");
    for (slip, what) in [
        ("1380000000", "phone is no number"),
        ("1380000OO01", "phone holds something else"),
        ("0", "phone is no number"),
    ] {
        let reading = Contact::read(slip, "a@example.org", cn);
        assert_eq!(reading.contact, None, "{slip}");
        let text = reading.problem.unwrap().to_string();
        assert!(text.starts_with(what) && text.contains("or empty it"), "{slip}: {text}");
    }
}

#[test]
fn what_is_no_address_is_no_contact_and_the_columns_are_named() {
    let cn = home("CN");
    let label = "x".repeat(250);
    for email in [
        "example.org",
        "@example.org",
        "a@",
        "a@example",
        "a@.org",
        "a@b@example.org",
        "a b@example.org",
        "a@example.org;b@example.org",
        "Li <a@example.org>",
        &format!("a@{label}.org"),
    ] {
        let reading = Contact::read("", email, cn);
        assert_eq!(reading.contact, None, "{email}");
        assert_eq!(reading.problem.unwrap().to_string(), "email is no e-mail address: correct it");
    }
    let nothing = Contact::read("", "\u{3000}", cn).problem.unwrap().to_string();
    assert!(nothing.contains("phone and email are empty"), "{nothing}");
    let both = Contact::read("12", "13", cn).problem.unwrap().to_string();
    assert!(both.contains("phone is") && both.contains("email is"), "{both}");
}

#[test]
fn neither_contact_nor_problem_shows_a_value() {
    let cn = home("CN");
    for (phone, email) in
        [("13800000000", "a@example.org"), ("1380000000", "a@example.org"), ("1380000000", "a@nowhere")]
    {
        let reading = Contact::read(phone, email, cn);
        let shown = format!("{reading:?} {}", reading.problem.map_or(String::new(), |it| it.to_string()));
        assert!(!shown.contains("138") && !shown.contains("a@"), "{shown}");
    }
}

#[test]
fn a_home_country_is_two_letters_that_have_phones() {
    assert_eq!(HomeCountry::parse("cn").unwrap().as_str(), "CN");
    for letters in ["", "C", "CHN", "XX", "86", "中国"] {
        assert!(HomeCountry::parse(letters).is_none(), "{letters}");
    }
}

// Accounts

fn applicant(student: &str, phone: &str, name: &str) -> Applicant {
    Applicant {
        student: StudentId::new(student),
        contact: Contact::read(phone, "", home("CN")).contact.unwrap(),
        name: SchoolName::cut(name),
    }
}

fn students(accounts: &[Registration]) -> Vec<String> {
    let ids = |one: &Registration| one.students.iter().map(StudentId::as_str).collect::<Vec<_>>().join("+");
    accounts.iter().map(ids).collect()
}

#[test]
fn siblings_who_share_a_contact_are_one_account_whatever_their_order() {
    let people = [
        applicant("s3", "+86 13800000000", "C"),
        applicant("s2", "13900000000", "B"),
        applicant("s1", "13800000000", " "),
    ];
    let accounts = registrations(people.clone(), &KEY);
    assert_eq!(students(&accounts), ["s1+s3", "s2"]);
    assert_eq!(accounts[0].name, SchoolName::cut("C"), "the first of them who has a name");
    assert_eq!(accounts, registrations(people.into_iter().rev(), &KEY));
    assert_eq!(accounts[0].token, Token::derive(&KEY, &StudentId::new("s1"), None));
}

#[test]
fn at_most_ten_accounts_are_asked_for_at_once_and_each_once() {
    let people = (0..23).map(|n| applicant(&format!("s{n:02}"), &format!("138000000{n:02}"), "n"));
    let accounts = registrations(people, &KEY);
    for (size, expected) in
        [(10, vec![10, 10, 3]), (30, vec![10, 10, 3]), (0, vec![1; 23]), (23, vec![10, 10, 3])]
    {
        let batches = registration_batches(&accounts, size);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), expected);
        assert_eq!(batches.concat(), accounts);
    }
    assert!(registration_batches(&[], 10).is_empty());
}

// Verdicts

fn token(n: usize) -> Token {
    Token::parse(&format!("s{n}")).unwrap()
}

fn item(code: i64, token: Option<usize>, uid: Option<i64>) -> AnswerItem {
    AnswerItem {
        code: Some(code),
        token: token.map(|n| format!("s{n}")),
        text: None,
        uid: uid.map(ClassinUid),
    }
}

fn one(top: i64, uid: Option<i64>) -> AccountVerdict {
    let answer = CallAnswer { top: Some(top), uid: uid.map(ClassinUid), ..CallAnswer::default() };
    judge_registrations(Call::Register, &[token(0)], &answer).items[0].verdict
}

fn several(count: usize, top: i64, items: Vec<AnswerItem>) -> Vec<AccountVerdict> {
    let tokens: Vec<Token> = (0..count).map(token).collect();
    let answer = CallAnswer { top: Some(top), items: Some(items), ..CallAnswer::default() };
    let judged = judge_registrations(Call::RegisterMultiple, &tokens, &answer);
    judged.items.into_iter().map(|item| item.verdict).collect()
}

fn not(verdict: ItemVerdict) -> AccountVerdict {
    AccountVerdict::Not(verdict)
}

fn known(uid: i64, code: i64, membership: Membership) -> AccountVerdict {
    AccountVerdict::Known { uid: ClassinUid(uid), code: Code(code), membership }
}

#[test]
fn a_uid_is_known_by_the_codes_that_carry_it_and_by_no_other() {
    use Membership::{Sure, ToAskFor};
    assert_eq!(one(1, Some(7)), known(7, 1, Sure));
    for code in [135, 461, 340, 820] {
        assert_eq!(one(code, Some(7)), known(7, code, ToAskFor), "{code}");
        assert_eq!(one(code, None), not(ItemVerdict::Repeat { code: Code(code) }), "{code}");
    }
    for code in [134, 137, 288, 821, 845, 133, 166, 157, 145, 4711] {
        assert_eq!(one(code, Some(7)), not(ItemVerdict::Student { code: Code(code) }), "{code}");
    }
    for code in [104, 114, 131] {
        assert_eq!(one(code, Some(7)), not(ItemVerdict::Retry { code: Code(code) }), "{code}");
    }
    assert_eq!(one(101_003_002, Some(7)), not(ItemVerdict::Repeat { code: Code(101_003_002) }));
    assert_eq!(one(1, None), not(ItemVerdict::Unknown));
    let nothing = judge_registrations(Call::Register, &[token(0)], &CallAnswer::default());
    assert_eq!(nothing.items[0].verdict, not(ItemVerdict::Unknown));
}

#[test]
fn among_several_a_uid_belongs_to_the_token_beside_it() {
    use Membership::{Sure, ToAskFor};
    let turned = vec![item(135, Some(1), Some(8)), item(1, Some(0), Some(7))];
    assert_eq!(several(2, 1, turned), [known(7, 1, Sure), known(8, 135, ToAskFor)]);
    let alone = vec![item(1, None, Some(7))];
    assert_eq!(several(1, 1, alone), [known(7, 1, Sure)]);
}

#[test]
fn among_several_a_uid_without_its_token_is_nobodys() {
    let bare = vec![item(1, None, Some(7)), item(1, None, Some(8))];
    assert_eq!(several(2, 1, bare), [not(ItemVerdict::SendSingly); 2]);
    let refused = vec![item(134, None, None), item(1, None, Some(8))];
    assert_eq!(several(2, 1, refused), [not(ItemVerdict::SendSingly); 2], "nor is a refusal");
    let repeated = vec![item(1, Some(0), Some(7)), item(1, Some(0), Some(8))];
    assert!(!several(2, 1, repeated).iter().any(|verdict| matches!(verdict, AccountVerdict::Known { .. })));
    let foreign = vec![item(1, Some(9), Some(7))];
    assert!(!several(1, 1, foreign).iter().any(|verdict| matches!(verdict, AccountVerdict::Known { .. })));
    let missing = vec![item(1, Some(0), Some(7))];
    let verdicts = several(2, 1, missing);
    assert_eq!(verdicts, [known(7, 1, Membership::Sure), not(ItemVerdict::Unknown)]);
}

#[test]
fn a_refusal_of_the_whole_call_is_taken_apart_or_stops_the_run() {
    let tokens = [token(0), token(1)];
    let judged = |code| {
        let answer = CallAnswer { top: Some(code), ..CallAnswer::default() };
        judge_registrations(Call::RegisterMultiple, &tokens, &answer)
    };
    for code in [134, 135] {
        assert!(judged(code).items.iter().all(|item| item.verdict == not(ItemVerdict::SendSingly)), "{code}");
    }
    for code in [100, 155] {
        let halves = not(ItemVerdict::Halve { code: Code(code) });
        assert!(judged(code).items.iter().all(|item| item.verdict == halves), "{code}");
    }
    assert_eq!(judged(450).stop, Some((Stop::OurMistake, Code(450))));
    assert_eq!(judged(131).items[1].verdict, not(ItemVerdict::Retry { code: Code(131) }));
    let alone = CallAnswer { top: Some(100), ..CallAnswer::default() };
    let alone = judge_registrations(Call::Register, &tokens[..1], &alone);
    assert_eq!(
        (alone.items[0].verdict, alone.items[0].suspect),
        (not(ItemVerdict::Student { code: Code(100) }), Some(Code(100)))
    );
}

#[test]
fn joining_the_school_never_tells_a_uid_and_names_what_is_missing() {
    let judged = |top: Option<i64>| {
        judge_school_student(&CallAnswer { top, uid: Some(ClassinUid(7)), ..CallAnswer::default() }).verdict
    };
    assert_eq!(judged(Some(1)), ItemVerdict::Done { code: Code(1) });
    assert_eq!(judged(Some(133)), ItemVerdict::Already { code: Code(133) });
    assert_eq!(judged(Some(113)), ItemVerdict::Student { code: Code(113) });
    for code in [128, 134, 288, 886, 228, 135, 4711] {
        assert_eq!(judged(Some(code)), ItemVerdict::Student { code: Code(code) }, "{code}");
    }
    for code in [104, 114, 461] {
        assert_eq!(judged(Some(code)), ItemVerdict::Retry { code: Code(code) }, "{code}");
    }
    assert_eq!(judged(Some(101_003_002)), ItemVerdict::Repeat { code: Code(101_003_002) });
    assert_eq!(judged(Some(901)), ItemVerdict::StopRun { stop: Stop::Maintenance, code: Code(901) });
    assert_eq!(judged(None), ItemVerdict::Unknown);
}

#[test]
fn a_name_is_confirmed_or_its_account_is_no_student_of_the_school() {
    let judged = |top: Option<i64>| judge_name(&CallAnswer { top, ..CallAnswer::default() });
    assert_eq!(judged(Some(1)).verdict, ItemVerdict::Done { code: Code(1) });
    assert_eq!(judged(Some(228)).verdict, ItemVerdict::Repair { code: Code(228) });
    assert_eq!(judged(Some(104)).verdict, ItemVerdict::Retry { code: Code(104) });
    assert_eq!(judged(Some(4711)).verdict, ItemVerdict::Student { code: Code(4711) });
    assert_eq!(judged(Some(133)).verdict, ItemVerdict::Student { code: Code(133) });
    assert_eq!(judged(Some(100)).suspect, Some(Code(100)));
    assert_eq!(judged(None).verdict, ItemVerdict::Unknown);
}
