//! ClassIn's codes from end to end: every row of the contract's decision table, at every call it can come from, at the
//! top and at an item, to one and to several, through the sandbox, the client and the judge.
//!
//! The expectation is written down from the contract (docs/contracts/classin.md, 6.1 and 5, for what stands where),
//! not from the code. The documented endpoints of each code (docs/contracts/classin.md, 6.4) are written down as
//! well.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an expectation names the kinds that it treats apart, and takes all others alike"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use rosterd::Clock;
use rosterd::Endpoint;
use rosterd::Transport;
use rosterd::{AddItem, ClassinConnection, ClassinError, ClassinWriter};
use rosterd_core::classin_plan::{
    AccountVerdict, Call, CallAnswer, Code, Contact, ItemVerdict, Judged, Membership, Registration,
    SchoolName, Scope, Sent, Stop, Token, decide, judge, judge_name, judge_registrations,
    judge_school_student,
};
use rosterd_core::roster::{ClassId, ClassTarget, ClassinUid, CourseId, HomeCountry, StudentId};
use rosterd_sandbox::{Sandbox, SandboxSettings, Serving};
use secrecy::SecretString;

/// Section 6.1. First the code and its class; `only` names the calls where a claim of success, or a repair, counts
/// (elsewhere the code is as good as unknown); behind each `;` a call where it means something else.
///
/// 163 at CA is our reading: a student of the course attends all its classes.
const TABLE: &str = "
1          done
100        run ours
102        run permission
104        retry
106        student
113        student          ; SS repair
114        retry
125        student
128        student
129        student
130        full
131        retry            ; CA student ; KA student
133        already only SS  ; KA retry
134        student
135        already only R RM
137        student
142        class
143        class
144        course
145        class for-good
147        course
149        course for-good
153        course
155        run ours
157        full
158        retry
159        run ours
162        already only KD
163        already only KA CA
164        student
166        already only CA
167        already only CD
171        retry
174        student
212        class for-good
224        student
228        repair only CA KA ES
288        student
329        student
332        student
333        student
340        done only R
341        student
342        student
369        class            ; KA course ; KD course
400        student
450        run ours
460        retry
461        already only R RM ; SS retry
464        retry
466        class for-good
820        repair only R RM
821        student
841        done only KA
842        retry
843        retry
845        student
877        student
886        student
887        student
901        run maintenance
21323      student
101003001  retry
101003002  retry
";

/// Codes that stand nowhere in the table: neighbours of known ones, the newer interface's, and absurd ones.
const UNKNOWN: [i64; 9] = [0, 2, 101, 165, 200, 999, 40_030, 110_100_069, 4_294_967_296];

/// Section 6.4, for the calls that rosterd makes.
const DOCUMENTED: &str = "
CA 113 114 125 129 131 142 143 144 145 155 157 158 159 164 166 212 228 288 329 332 333 369 400 466 886
CD 113 114 142 143 144 145 155 159 167 171 212 369 400 466
R  114 131 134 135 137 224 288 340 341 342 461 820 821 845 101003002
RM 114 131 134 135 137 155 224 288 450 461 820 821 845 101003002
SS 104 113 114 128 133 134 288 886 101003002
KA 104 113 114 125 129 130 131 133 134 144 147 149 153 155 163 164 174 228 288 332 333 369 400 464 841 886 887
KD 104 114 134 144 147 153 155 162 369 400
ES 104 228
";

const CALLS: [(&str, Call); 8] = [
    ("CA", Call::ClassAdd),
    ("CD", Call::ClassRemove),
    ("KA", Call::CourseAdd),
    ("KD", Call::CourseRemove),
    ("R", Call::Register),
    ("RM", Call::RegisterMultiple),
    ("SS", Call::SchoolStudent),
    ("ES", Call::SchoolName),
];

/// A class of section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Done,
    Already,
    Repair,
    Retry,
    Full,
    Student,
    OneClass { for_good: bool },
    WholeCourse { for_good: bool },
    Run(Stop),
}

fn kind_of(words: &[&str]) -> Kind {
    match words {
        ["done"] => Kind::Done,
        ["already"] => Kind::Already,
        ["repair"] => Kind::Repair,
        ["retry"] => Kind::Retry,
        ["full"] => Kind::Full,
        ["student"] => Kind::Student,
        ["class"] => Kind::OneClass { for_good: false },
        ["class", "for-good"] => Kind::OneClass { for_good: true },
        ["course"] => Kind::WholeCourse { for_good: false },
        ["course", "for-good"] => Kind::WholeCourse { for_good: true },
        ["run", "ours"] => Kind::Run(Stop::OurMistake),
        ["run", "permission"] => Kind::Run(Stop::NoPermission),
        ["run", "maintenance"] => Kind::Run(Stop::Maintenance),
        other => panic!("no class {other:?}"),
    }
}

/// What a code means at a call; `None` where it is as good as unknown.
type Meaning = Option<Kind>;

/// Every code with its meaning at each call.
fn meanings() -> BTreeMap<i64, BTreeMap<&'static str, Meaning>> {
    let mut all = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let mut parts = line.split(';');
        let head: Vec<&str> = parts.next().unwrap().split_whitespace().collect();
        let code: i64 = head[0].parse().unwrap();
        let only = head.iter().position(|word| *word == "only");
        let general = kind_of(&head[1..only.unwrap_or(head.len())]);
        let counts = |call: &str| only.is_none_or(|at| head[at + 1..].contains(&call));
        let mut row: BTreeMap<&str, Meaning> =
            CALLS.iter().map(|(name, _)| (*name, counts(name).then_some(general))).collect();
        for exception in parts {
            let words: Vec<&str> = exception.split_whitespace().collect();
            let name = CALLS.iter().find(|(name, _)| *name == words[0]).unwrap().0;
            row.insert(name, Some(kind_of(&words[1..])));
        }
        assert!(all.insert(code, row).is_none(), "{code} stands there twice");
    }
    all
}

fn unknown_rows() -> impl Iterator<Item = (i64, BTreeMap<&'static str, Meaning>)> {
    UNKNOWN.into_iter().map(|code| (code, CALLS.iter().map(|(name, _)| (*name, None)).collect()))
}

// The sandbox and the real client

struct School {
    sandbox: Sandbox,
    _serving: Serving,
    client: ClassinWriter,
    course: i64,
    class: i64,
    uids: Vec<i64>,
}

async fn school() -> School {
    let off = |name: &str| (name.to_owned(), "0".to_owned());
    let settings =
        SandboxSettings { switches: vec![off("duplicate_window_s")], ..SandboxSettings::default() };
    let sandbox = Sandbox::new(settings).unwrap();
    let course = sandbox.create_course("course");
    let class = sandbox.create_class(course, "class");
    let uids = (0..3).map(|_| sandbox.create_account("n", None)).collect();
    let serving = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let endpoint = Endpoint {
        base_url: serving.base_url(),
        requests_per_second: 0.0,
        max_in_flight: 2,
        timeout: Duration::from_secs(10),
        ca_file: None,
    };
    let transport = Transport::new(&endpoint, Clock::system()).unwrap();
    let client =
        ClassinWriter::new(ClassinConnection::new(transport, "2339736", SecretString::from("topsecret")));
    School { sandbox, _serving: serving, client, course, class, uids }
}

fn tokens(count: usize) -> Vec<Token> {
    (0..count).map(|n| Token::parse(&format!("t{n}")).unwrap()).collect()
}

/// Accounts that nobody has asked for before.
fn newcomers(count: usize, serial: usize) -> Vec<Registration> {
    let home = HomeCountry::parse("CN").unwrap();
    let one = |(n, token): (usize, Token)| Registration {
        contact: Contact::read("", &format!("n{n}-{serial}@example.org"), home).contact.unwrap(),
        name: SchoolName::cut("n"),
        students: vec![StudentId::new("S7")],
        token,
    };
    tokens(count).into_iter().enumerate().map(one).collect()
}

impl School {
    fn target(&self, call: Call) -> ClassTarget {
        let whole = matches!(call, Call::CourseAdd | Call::CourseRemove);
        ClassTarget { course: CourseId(self.course), class: (!whole).then_some(ClassId(self.class)) }
    }

    /// Everybody out before an add, and in before a removal, so that who is not refused answers 1.
    fn prepare(&self, call: Call) {
        for uid in &self.uids {
            self.sandbox.remove_class_member(self.course, self.class, *uid);
            self.sandbox.remove_course_member(self.course, *uid);
            match call {
                Call::ClassRemove => self.sandbox.insert_class_member(self.course, self.class, *uid),
                Call::CourseRemove => {
                    self.sandbox.set_role(self.course, None, *uid, rosterd_sandbox::Role::CourseStudent);
                }
                _ => {}
            }
        }
    }

    async fn call(&self, call: Call, count: usize, serial: usize) -> Result<CallAnswer, ClassinError> {
        self.prepare(call);
        let client = &self.client;
        let uids: Vec<ClassinUid> = self.uids.iter().take(count).copied().map(ClassinUid).collect();
        let name = SchoolName::cut("n").unwrap();
        match call {
            Call::ClassAdd | Call::CourseAdd => {
                let items = uids.into_iter().zip(tokens(count));
                let items: Vec<AddItem> = items.map(|(uid, token)| AddItem { uid, token }).collect();
                client.add_to_class(self.target(call), &items).await
            }
            Call::ClassRemove | Call::CourseRemove => {
                client.remove_from_class(self.target(call), &uids).await
            }
            Call::Register => client.register(&newcomers(1, serial)[0]).await,
            Call::RegisterMultiple => client.register_multiple(&newcomers(count, serial)).await,
            Call::SchoolStudent => client.add_school_student(&newcomers(1, serial)[0].contact, &name).await,
            Call::SchoolName => client.edit_school_student(ClassinUid(self.uids[0]), &name).await,
        }
    }
}

// What is expected of one call

/// One case: this code, asked of the sandbox in this way.
#[derive(Clone, Copy, Debug)]
struct Case {
    call: Call,
    code: i64,
    meaning: Meaning,
    count: usize,
    at_item: bool,
}

/// 100 and 155 may come from one bad value.
fn may_be_one_value(code: i64) -> bool {
    code == 100 || code == 155
}

impl Case {
    /// The verdict on a student whom this code concerns by itself.
    fn own(&self) -> ItemVerdict {
        let code = Code(self.code);
        match self.meaning {
            Some(Kind::Done) => ItemVerdict::Done { code },
            Some(Kind::Already) => ItemVerdict::Already { code },
            Some(Kind::Repair) => ItemVerdict::Repair { code },
            Some(Kind::Retry) => ItemVerdict::Retry { code },
            Some(Kind::Full) => ItemVerdict::Full { code },
            Some(Kind::Run(_)) if may_be_one_value(self.code) => ItemVerdict::Student { code },
            Some(Kind::Student) | None => ItemVerdict::Student { code },
            Some(Kind::OneClass { for_good }) => ItemVerdict::Closed { scope: Scope::Class, for_good, code },
            Some(Kind::WholeCourse { for_good }) => {
                ItemVerdict::Closed { scope: Scope::Course, for_good, code }
            }
            Some(Kind::Run(stop)) => ItemVerdict::StopRun { stop, code },
        }
    }

    /// Section 5: what is known of each student. At an item it is the first one's, and the others answer 1.
    fn verdicts(&self) -> Vec<ItemVerdict> {
        if self.at_item {
            let mut verdicts = vec![ItemVerdict::Done { code: Code(1) }; self.count];
            verdicts[0] = self.own();
            return verdicts;
        }
        let for_all = match self.meaning {
            // Step 5: success without items proves nothing where there should be items.
            Some(Kind::Done) if self.code == 1 && self.call.answers_by_item() => ItemVerdict::Unknown,
            Some(Kind::Run(_)) if may_be_one_value(self.code) && self.count > 1 => {
                ItemVerdict::Halve { code: Code(self.code) }
            }
            Some(Kind::Full) if self.may_have_room_for_some() => ItemVerdict::Halve { code: Code(self.code) },
            Some(Kind::Done | Kind::Already | Kind::Repair | Kind::Student) if self.count > 1 => {
                ItemVerdict::SendSingly
            }
            _ => self.own(),
        };
        vec![for_all; self.count]
    }

    /// Section 5.5: several who were refused as a whole are tried in halves.
    fn may_have_room_for_some(&self) -> bool {
        self.count > 1 && matches!(self.call, Call::ClassAdd | Call::CourseAdd)
    }

    /// 102 and 901 that stand alone concern no student: the client itself says so.
    fn is_refusal(&self) -> bool {
        !self.at_item && matches!(self.code, 102 | 901)
    }

    fn stop(&self) -> Option<(Stop, Code)> {
        match self.meaning {
            Some(Kind::Run(stop)) if !may_be_one_value(self.code) => Some((stop, Code(self.code))),
            _ => None,
        }
    }

    fn check_judged(&self, judged: &Judged) {
        assert_eq!(judged.verdicts().collect::<Vec<_>>(), self.verdicts(), "{self:?}");
        assert_eq!(judged.stop, self.stop(), "{self:?}");
        let is_full = self.meaning == Some(Kind::Full) && (self.at_item || !self.may_have_room_for_some());
        let full = is_full.then_some(self.code);
        assert_eq!(judged.full, full.map(Code), "{self:?}");
        let condemned = judged.closed.map(|it| (it.scope, it.for_good, it.code.0));
        let expected = match self.meaning {
            Some(Kind::OneClass { for_good }) => Some((Scope::Class, for_good, self.code)),
            Some(Kind::WholeCourse { for_good }) => Some((Scope::Course, for_good, self.code)),
            _ => None,
        };
        assert_eq!(condemned, expected, "{self:?}");
        let suspect = (may_be_one_value(self.code) && self.count == 1).then_some(self.code);
        assert_eq!(judged.suspect, suspect.map(Code), "{self:?}");
    }

    /// Sections 4.3 and 4.4. The sandbox lets 340, 820 and 821 register; the uid comes back beside them.
    fn account_verdicts(&self) -> Vec<AccountVerdict> {
        let code = self.code;
        let alone_at_the_top = !self.at_item && self.call == Call::RegisterMultiple;
        let told = matches!(code, 340 | 820) && !alone_at_the_top;
        let not = AccountVerdict::Not;
        let verdict = match (self.meaning, self.verdicts()[0]) {
            (_, verdict @ (ItemVerdict::SendSingly | ItemVerdict::Halve { .. })) => not(verdict),
            (Some(Kind::Done | Kind::Repair), _) if told => AccountVerdict::Known {
                uid: ClassinUid(0),
                code: Code(code),
                membership: Membership::ToAskFor,
            },
            (Some(Kind::Done), _) if code == 1 => not(ItemVerdict::Unknown),
            // The account is there: the same call again brings its uid.
            (Some(Kind::Done | Kind::Already | Kind::Repair), _) => {
                not(ItemVerdict::Repeat { code: Code(code) })
            }
            (Some(Kind::Retry), _) => not(later(code)),
            (_, ItemVerdict::StopRun { .. }) => not(self.own()),
            _ => not(ItemVerdict::Student { code: Code(code) }),
        };
        let mut verdicts = vec![verdict; self.count];
        if self.at_item {
            let registered =
                AccountVerdict::Known { uid: ClassinUid(0), code: Code(1), membership: Membership::Sure };
            verdicts[1..].fill(registered);
        }
        verdicts
    }

    fn check(&self, answer: &CallAnswer) {
        let code = Code(self.code);
        match self.call {
            Call::ClassAdd | Call::CourseAdd => {
                self.check_judged(&judge(self.call, Sent::Tokens(&tokens(self.count)), answer));
            }
            Call::ClassRemove | Call::CourseRemove => {
                self.check_judged(&judge(self.call, Sent::Positions(self.count), answer));
            }
            Call::Register | Call::RegisterMultiple => {
                let judged = judge_registrations(self.call, &tokens(self.count), answer);
                let verdicts = judged.items.iter().map(|item| without_uid(item.verdict)).collect::<Vec<_>>();
                assert_eq!(verdicts, self.account_verdicts(), "{self:?}");
                assert_eq!(judged.stop, self.stop(), "{self:?}");
            }
            Call::SchoolStudent => {
                let expected = match (self.meaning, self.own()) {
                    (Some(Kind::Done | Kind::Already), own) => own,
                    (Some(Kind::Retry), _) => later(self.code),
                    (_, own @ ItemVerdict::StopRun { .. }) => own,
                    _ => ItemVerdict::Student { code },
                };
                assert_eq!(judge_school_student(answer).verdict, expected, "{self:?}");
            }
            Call::SchoolName => {
                let expected = match (self.meaning, self.own()) {
                    (Some(Kind::Done | Kind::Repair | Kind::Retry), own) => own,
                    (_, own @ ItemVerdict::StopRun { .. }) => own,
                    _ => ItemVerdict::Student { code },
                };
                assert_eq!(judge_name(answer).verdict, expected, "{self:?}");
            }
        }
    }
}

/// About accounts a double of a call tells nothing of the first: the same call, later, does.
fn later(code: i64) -> ItemVerdict {
    let is_double = code == 101_003_002;
    let code = Code(code);
    if is_double { ItemVerdict::Repeat { code } } else { ItemVerdict::Retry { code } }
}

/// That there is one is enough here: it is the sandbox's own.
fn without_uid(verdict: AccountVerdict) -> AccountVerdict {
    match verdict {
        AccountVerdict::Known { uid, code, membership } => {
            assert!(uid.0 > 0);
            AccountVerdict::Known { uid: ClassinUid(0), code, membership }
        }
        other => other,
    }
}

/// Asks the sandbox for this answer and judges it.
async fn try_case(school: &School, case: Case, serial: usize) {
    let endpoint = endpoint_of(case.call);
    let (fault, value) = if case.at_item {
        ("refuse_item", format!("{endpoint}:0/{}", case.code))
    } else {
        ("refuse_call", format!("{endpoint}:{}", case.code))
    };
    school.sandbox.clear_faults();
    school.sandbox.set(fault, &value).unwrap();
    match school.call(case.call, case.count, serial).await {
        Ok(answer) => {
            assert!(!case.is_refusal(), "{case:?}");
            case.check(&answer);
        }
        Err(ClassinError::NoPermission { .. }) => assert!(case.is_refusal() && case.code == 102, "{case:?}"),
        Err(ClassinError::Maintenance { page: false }) => {
            assert!(case.is_refusal() && case.code == 901, "{case:?}");
        }
        Err(error) => panic!("{case:?}: {error}"),
    }
}

fn endpoint_of(call: Call) -> &'static str {
    match call {
        Call::ClassAdd => "addClassStudentMultiple",
        Call::ClassRemove => "delClassStudentMultiple",
        Call::CourseAdd => "addCourseStudentMultiple",
        Call::CourseRemove => "delCourseStudentMultiple",
        Call::Register => "register",
        Call::RegisterMultiple => "registerMultiple",
        Call::SchoolStudent => "addSchoolStudent",
        Call::SchoolName => "editSchoolStudent",
    }
}

/// The ways in which a call can answer a code: how many students, and whether at an item.
fn ways(call: Call) -> Vec<(usize, bool)> {
    if call.answers_by_item() { vec![(1, true), (3, true), (1, false), (3, false)] } else { vec![(1, false)] }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_at_every_call_and_level_is_judged_as_the_contract_says() {
    let school = school().await;
    let rows: Vec<_> = meanings().into_iter().chain(unknown_rows()).collect();
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    let mut serial = 0;
    // What a refused call holds beside its code is documented nowhere, codes come as numbers and as texts, and the
    // prose beside them means nothing.
    for (data, errno, text) in [
        ("absent", "number", "plain"),
        ("[]", "string", "misleading"),
        ("null", "string_for_class", "empty"),
        ("\"\"", "number", "misleading"),
    ] {
        for (switch, value) in [("data_on_failure", data), ("errno_type", errno), ("error_text", text)] {
            school.sandbox.set(switch, value).unwrap();
        }
        for (code, row) in &rows {
            for (name, call) in CALLS {
                for (count, at_item) in ways(call) {
                    serial += 1;
                    let case = Case { call, code: *code, meaning: row[name], count, at_item };
                    try_case(&school, case, serial).await;
                    let level = if at_item { "item" } else { "top" };
                    *tried.entry(format!("{name:2} {level} of {count}")).or_default() += 1;
                }
            }
        }
    }
    for (kind, count) in &tried {
        println!("{kind}: {count} cases");
    }
    println!("{} codes, {} cases in all", rows.len(), tried.values().sum::<usize>());
    assert_eq!(rows.len(), meanings().len() + UNKNOWN.len());
    assert_eq!(serial, rows.len() * 4 * (5 * 4 + 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_condemns_a_class_or_course_spares_nobody_but_who_succeeded() {
    let school = school().await;
    let meanings = meanings();
    let mut tried = 0;
    for (code, row) in &meanings {
        for (name, call) in CALLS.into_iter().filter(|(_, call)| call.answers_by_item()) {
            let (Some(Kind::OneClass { .. } | Kind::WholeCourse { .. } | Kind::Run(_)), false) =
                (row[name], may_be_one_value(*code) || call == Call::RegisterMultiple)
            else {
                continue;
            };
            // The second of three; the first and third succeed, and are recorded as they say.
            school.sandbox.clear_faults();
            school.sandbox.set("refuse_item", &format!("{}:1/{code}", endpoint_of(call))).unwrap();
            let answer = school.call(call, 3, 0).await.unwrap();
            let tokens = tokens(3);
            let removal = call.is_removal();
            let sent = if removal { Sent::Positions(3) } else { Sent::Tokens(&tokens) };
            let judged = judge(call, sent, &answer);
            let verdicts: Vec<ItemVerdict> = judged.verdicts().collect();
            assert_eq!(verdicts[0], ItemVerdict::Done { code: Code(1) }, "{name} {code}");
            assert_eq!(verdicts[2], ItemVerdict::Done { code: Code(1) }, "{name} {code}");
            assert!(judged.closed.is_some() || judged.stop.is_some(), "{name} {code}");
            // All three, and the top too.
            school.sandbox.clear_faults();
            school.sandbox.set("refuse_item", &format!("{}:0,1,2/{code}", endpoint_of(call))).unwrap();
            let answer = school.call(call, 3, 0).await.unwrap();
            let judged = judge(call, sent, &answer);
            assert!(judged.verdicts().all(|verdict| verdict == verdicts[1]), "{name} {code}");
            tried += 1;
        }
    }
    println!("{tried} codes at calls");
    assert!(tried > 50, "{tried}");
}

#[test]
fn the_table_knows_every_code_at_every_call_that_documents_it() {
    let mut pairs = 0;
    for line in DOCUMENTED.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap();
        let (name, call) = CALLS.into_iter().find(|(known, _)| *known == name).unwrap();
        for code in words.map(|word| word.parse::<i64>().unwrap()).chain([1, 100, 102, 901]) {
            assert!(decide(call, Code(code)).listed, "{code} at {name}");
            assert!(meanings()[&code][name].is_some(), "{code} at {name}");
            pairs += 1;
        }
    }
    println!("{pairs} documented pairs of call and code");
}

#[test]
fn the_old_documents_readings_of_143_144_and_164_are_not_followed() {
    let table = meanings();
    // "Cell phone number is illegal": one student. It is the class that is missing.
    assert_eq!(table[&143]["CA"], Some(Kind::OneClass { for_good: false }));
    // "No information about this section": one class. It is the course.
    assert_eq!(table[&144]["CA"], Some(Kind::WholeCourse { for_good: false }));
    // "The same phone number already exists in the course": a member. It is an auditor, who cannot take part.
    assert_eq!(table[&164]["CA"], Some(Kind::Student));
    for (code, scope) in [(143, Scope::Class), (144, Scope::Course)] {
        let answer = CallAnswer { top: Some(code), ..CallAnswer::default() };
        let judged = judge(Call::ClassAdd, Sent::Positions(2), &answer);
        assert_eq!(judged.closed.map(|it| it.scope), Some(scope), "{code}");
    }
    assert!(decide(Call::ClassAdd, Code(164)).message.contains("auditor"));
}
