//! The decision table row by row, written down a second time.

use super::table::TABLE;
use super::*;

/// docs/contracts/classin.md, 6.1, copied by hand: code, class, then exceptions as `CALL class`. `elsewhere
/// unlisted` marks a claim of success that must not count at other calls.
const EXPECTED: &str = "
1           done
100         run:ours
102         run:permission
104         retry
106         student
113         student         ; SS repair
114         retry
125         student
128         student
129         student
130         full
131         retry           ; CA student ; KA student
133         unlisted        ; SS already ; KA retry
134         student
135         unlisted        ; R already ; RM already
137         student
142         class
143         class
144         course
145         class!
147         course
149         course!
153         course
155         run:ours
157         full
158         retry
159         run:ours
162         unlisted        ; KD already
163         unlisted        ; KA already ; CA already
164         student
166         unlisted        ; CA already
167         unlisted        ; CD already
171         retry
174         student
212         class!
224         student
228         unlisted        ; CA repair ; KA repair ; ES repair
288         student
329         student
332         student
333         student
340         unlisted        ; R done
341         student
342         student
369         class           ; KA course ; KD course
400         student
450         run:ours
460         retry
461         unlisted        ; R already ; RM already ; SS retry
464         retry
466         class!
820         unlisted        ; R repair ; RM repair
821         student
841         unlisted        ; KA done
842         retry
843         retry
845         student
877         student
886         student
887         student
901         run:maintenance
21323       student
101003001   retry
101003002   retry
";

fn call_of(word: &str) -> Call {
    match word {
        "CA" => Call::ClassAdd,
        "CD" => Call::ClassRemove,
        "KA" => Call::CourseAdd,
        "KD" => Call::CourseRemove,
        "R" => Call::Register,
        "RM" => Call::RegisterMultiple,
        "SS" => Call::SchoolStudent,
        "ES" => Call::SchoolName,
        other => panic!("no call {other}"),
    }
}

fn class_of(word: &str) -> (CodeClass, bool) {
    let class = match word {
        "done" => CodeClass::Done,
        "already" => CodeClass::Already,
        "repair" => CodeClass::Repair,
        "retry" => CodeClass::Retry,
        "full" => CodeClass::Full,
        "student" => CodeClass::Student,
        "unlisted" => return (CodeClass::Student, false),
        "class" => CodeClass::Class { for_good: false },
        "class!" => CodeClass::Class { for_good: true },
        "course" => CodeClass::Course { for_good: false },
        "course!" => CodeClass::Course { for_good: true },
        "run:ours" => CodeClass::Run(Stop::OurMistake),
        "run:permission" => CodeClass::Run(Stop::NoPermission),
        "run:maintenance" => CodeClass::Run(Stop::Maintenance),
        other => panic!("no class {other}"),
    };
    (class, true)
}

fn expected_rows() -> Vec<(i64, [(CodeClass, bool); 8])> {
    let rows = EXPECTED.lines().filter(|line| !line.is_empty()).map(|line| {
        let mut parts = line.split(';').map(str::trim);
        let mut head = parts.next().unwrap().split_whitespace();
        let code = head.next().unwrap().parse().unwrap();
        let general = class_of(head.next().unwrap());
        let mut classes = [general; 8];
        for exception in parts {
            let (call, class) = exception.split_once(' ').unwrap();
            let place = Call::ALL.iter().position(|known| *known == call_of(call)).unwrap();
            classes[place] = class_of(class);
        }
        (code, classes)
    });
    rows.collect()
}

#[test]
fn every_row_of_the_contract_is_decided_as_the_contract_says() {
    for (code, classes) in expected_rows() {
        for (call, (class, listed)) in Call::ALL.into_iter().zip(classes) {
            let decision = decide(call, Code(code));
            assert_eq!((decision.class, decision.listed), (class, listed), "code {code} at {call:?}");
        }
    }
}

#[test]
fn the_table_has_the_codes_of_the_contract_and_no_other_each_once() {
    let ours: Vec<i64> = TABLE.iter().map(|row| row.code.0).collect();
    let theirs: Vec<i64> = expected_rows().into_iter().map(|(code, _)| code).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn an_unknown_code_is_a_failure_of_its_students_and_never_a_success() {
    for code in [0, -1, 2, 165, 999, 200, i64::MAX, i64::MIN] {
        for call in Call::ALL {
            let decision = decide(call, Code(code));
            assert_eq!((decision.class, decision.listed), (CodeClass::Student, false), "code {code}");
        }
    }
}

#[test]
fn a_claim_of_membership_never_passes_for_a_removal() {
    for call in [Call::ClassRemove, Call::CourseRemove] {
        for code in [133, 163, 166, 841, 228] {
            assert_eq!(decide(call, Code(code)).class, CodeClass::Student, "code {code} at {call:?}");
        }
    }
    for call in [Call::ClassAdd, Call::CourseAdd] {
        for code in [162, 167, 135, 461] {
            assert_eq!(decide(call, Code(code)).class, CodeClass::Student, "code {code} at {call:?}");
        }
    }
}

#[test]
fn each_message_is_one_plain_sentence_without_a_full_stop() {
    for row in TABLE {
        let exception = row.exception.map(|exception| exception.message);
        for message in [Some(row.message), exception].into_iter().flatten() {
            assert!(!message.ends_with('.') && !message.contains("  "), "code {}: {message}", row.code);
            assert!(!message.contains('\n') && message.len() > 3, "code {}: {message}", row.code);
        }
    }
}

#[test]
fn the_refusal_of_our_credentials_names_all_seven_causes() {
    let message = decide(Call::ClassAdd, Code::NO_PERMISSION).message;
    for cause in ["SID", "signature", "mistyped", "clock", "API permission", "retired", "arrears"] {
        assert!(message.contains(cause), "{cause}");
    }
}

#[test]
fn each_question_is_answered_with_yes_by_the_codes_of_the_contract_alone() {
    type Question = fn(Code) -> bool;
    let questions: [(&str, Question, &[i64]); 9] = [
        ("is full", Code::is_full, &[130, 157]),
        ("asks for school membership", Code::asks_for_school_membership, &[228]),
        ("was registered", Code::was_registered, &[1, 340, 820]),
        ("is too soon", Code::is_too_soon, &[101_003_002]),
        ("has ended", Code::has_ended, &[145]),
        ("is deleted", Code::is_deleted, &[149, 212]),
        ("is not there", Code::is_not_there, &[142, 143, 144, 147]),
        ("has no account", Code::has_no_account, &[400]),
        ("may be one value", Code::may_be_one_value, &[100, 155]),
    ];
    let unknown = [0, -1, 2, 999, i64::MAX].map(Code);
    for (name, question, expected) in questions {
        let codes = TABLE.iter().map(|row| row.code).chain(unknown);
        let answered: Vec<i64> = codes.filter(|code| question(*code)).map(|code| code.0).collect();
        assert_eq!(answered, expected, "{name}");
    }
}

#[test]
fn a_named_code_stands_in_the_table() {
    let named =
        [Code::DONE, Code::NO_PERMISSION, Code::NO_ROOM, Code::NOT_A_SCHOOL_STUDENT, Code::MAINTENANCE];
    for code in named {
        assert!(TABLE.iter().any(|row| row.code == code), "{code}");
    }
    assert!(Code::NO_ROOM.is_full() && Code::NOT_A_SCHOOL_STUDENT.asks_for_school_membership());
    assert_eq!(decide(Call::ClassAdd, Code::NO_PERMISSION).class, CodeClass::Run(Stop::NoPermission));
    assert_eq!(decide(Call::ClassAdd, Code::MAINTENANCE).class, CodeClass::Run(Stop::Maintenance));
}

#[test]
fn the_sentence_names_the_number_only_where_nobody_knows_what_it_means() {
    assert_eq!(decide(Call::ClassAdd, Code(1)).sentence(), "done");
    assert!(decide(Call::ClassAdd, Code(999)).sentence().ends_with("what it means (code 999)"));
}
