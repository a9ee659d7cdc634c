//! Every fault at every page of a listing of five pages: struck once the run goes on as if nothing had been, struck
//! always nobody is added or deleted, and once it stops everything comes in step.

use std::time::Duration;

use rosterd_testkit::*;

/// What a page that fails in the same way at every try means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Always {
    /// The listing is doubtful: the run goes on without adds and deletes, and exits 3.
    Doubtful,
    /// The listing cannot be had: the run ends with this exit code, and nothing is written.
    Unreadable(u8),
}

use Always::{Doubtful, Unreadable};

/// A fault, its argument, and what it means when it does not stop. `slow` ones need a short deadline.
struct Fault {
    name: &'static str,
    argument: &'static str,
    always: Always,
    slow: bool,
}

const fn fault(name: &'static str, argument: &'static str, always: Always) -> Fault {
    Fault { name, argument, always, slow: false }
}

const PAGES: u64 = 5;
const PAGE_SIZE: u32 = 5;

/// Five pages of candidates: strangers, who never may be touched, first and last, and students between them; one to
/// be added, one to be changed, one whose time to be deleted has come.
struct School {
    world: ExamSchool,
    round: usize,
    strangers: Vec<String>,
}

impl School {
    async fn open() -> Self {
        let mut world = ExamSchool::with(students(20)).await;
        world.settings.exam.page_size = PAGE_SIZE;
        world.settings.exam.endpoint.max_in_flight = 1;
        let stranger = |name: &str| {
            world.sandbox.insert_candidate(&[(LOGIN, name), (NAME, "Not ours")], &[world.foreign]);
        };
        stranger("first stranger");
        stranger("second stranger");
        assert_eq!(world.run().await.applied(), "20 add");
        stranger("last stranger");
        assert_eq!(world.run().await.planned(), "");
        world.state.remember("exam.change_mode", Some("partial")).await.unwrap();
        let strangers = vec!["first stranger".into(), "second stranger".into(), "last stranger".into()];
        Self { world, round: 0, strangers }
    }

    /// Whatever the next run is to do: `1 add, 1 delete, 1 modify`.
    async fn give_work(&mut self) {
        let round = self.round;
        self.round += 1;
        let leaver = if round == 0 { "s000".to_owned() } else { format!("new{}", round - 1) };
        self.world.remove(&leaver).await;
        let report = self.world.run().await;
        assert_eq!((report.planned(), report.exam.leavers_waiting), (String::new(), 1), "{report:?}");
        self.world.later(4 * DAY);
        self.world.put(student(&format!("new{round}"))).await;
        let phone = format!("phone of round {round}");
        self.world.edit("s007", |it| it.phone(&phone)).await;
        self.world.sandbox.clear_journal();
    }

    fn known(&self) -> Vec<&str> {
        self.strangers.iter().map(String::as_str).collect()
    }

    /// Takes in strangers that the fault itself entered or removed.
    fn meet_strangers(&mut self) {
        let ours: Vec<&str> = self.world.people.values().filter_map(|it| it.login.as_deref()).collect();
        let logins = self.world.logins();
        self.strangers.retain(|name| logins.contains(name));
        let strangers = logins.into_iter().filter(|name| name.starts_with("by hand"));
        let new: Vec<String> = strangers
            .filter(|name| !ours.contains(&name.as_str()) && !self.strangers.contains(name))
            .collect();
        self.strangers.extend(new);
    }

    /// After the fault everything comes in step, and stays so.
    async fn converges(&mut self, what: &str) {
        self.world.sandbox.clear_faults();
        self.meet_strangers();
        let report = self.world.run_later().await;
        assert!([0, 3].contains(&report.exit_code), "{what}: {report:?}");
        assert_eq!(self.world.differences(&self.known()), Vec::<String>::new(), "{what}");
        let quiet = self.world.run().await;
        assert_eq!((quiet.planned(), quiet.writes(), quiet.exit_code), (String::new(), 0, 0), "{what}");
    }
}

/// Deletes and adds that the exam side was asked for.
fn risky(world: &ExamSchool) -> Vec<String> {
    let journal = world.sandbox.journal().into_iter();
    journal
        .filter(|call| ["addStudents", "delStu"].contains(&call.endpoint.as_str()))
        .map(|it| it.endpoint)
        .collect()
}

async fn once(school: &mut School, fault: &Fault, page: u64) {
    let what = format!("{}{} once at page {page}", fault.name, fault.argument);
    school.give_work().await;
    school.world.set(fault.name, &format!("getstulist@{page}{}", fault.argument));
    let report = school.world.run().await;
    assert_eq!(report.applied(), "1 add, 1 delete, 1 modify", "{what}: {report:?}");
    assert_eq!((report.exit_code, &report.errors), (0, &vec![]), "{what}: {report:?}");
    school.converges(&what).await;
}

async fn always(school: &mut School, fault: &Fault, page: u64) {
    let what = format!("{}{} always at page {page}", fault.name, fault.argument);
    school.give_work().await;
    let before = school.world.logins();
    match fault.always {
        // The same page in each of the three readings.
        Doubtful => {
            for reading in 0..3 {
                let call = page + reading * PAGES;
                school.world.set(fault.name, &format!("getstulist@{call}{}", fault.argument));
            }
        }
        Unreadable(_) => {
            school.world.set(fault.name, &format!("getstulist@{page}x1000{}", fault.argument));
        }
    }
    let report = school.world.run().await;
    assert_eq!(risky(&school.world), Vec::<String>::new(), "{what}: {report:?}");
    match fault.always {
        Doubtful => {
            assert_eq!(report.exit_code, 3, "{what}: {report:?}");
            // A page without rows ends its reading.
            let calls = report.calls("getstulist");
            assert!(
                calls == 3 * PAGES || (fault.argument == ":100" && calls > PAGES),
                "{what}: {calls} calls"
            );
            assert!(report.errors.iter().any(|error| error.contains("the listing is doubtful")), "{what}");
            // Whoever is on the page itself cannot be put right in this run.
            assert!(["", "1 modify"].contains(&report.applied().as_str()), "{what}: {report:?}");
            // Of whom the page lacks and whose groups are due to be looked up nothing is planned but that they wait.
            assert!(report.skipped().starts_with("1 add, 1 delete"), "{what}: {report:?}");
        }
        Unreadable(exit) => {
            // Where an earlier page came from the same address, that is not what is wrong.
            let exit = if page > 1 { 75 } else { exit };
            assert_eq!((report.exit_code, report.writes()), (exit, 0), "{what}: {report:?}");
            assert_eq!(report.outcome.as_str(), "failed");
            assert!(!report.errors.is_empty(), "{what}");
        }
    }
    assert_eq!(school.world.logins(), before, "{what}");
    school.converges(&what).await;
}

/// Every page, once and always. Says how many cases that were.
async fn at_every_page(fault: &Fault) -> usize {
    let mut cases = 0;
    let mut school = School::open().await;
    for page in 1..=PAGES {
        if fault.slow {
            school.world.settings.exam.endpoint.timeout = Duration::from_millis(300);
        }
        once(&mut school, fault, page).await;
        always(&mut school, fault, page).await;
        cases += 2;
    }
    println!("{}{}: {cases} cases", fault.name, fault.argument);
    cases
}

macro_rules! every_page_survives {
    ($($name:ident: $fault:literal $argument:literal $always:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            assert_eq!(super::at_every_page(&super::fault($fault, $argument, $always)).await, 10);
        }
    )*};
}

mod no_page_leads_to_a_wrong_delete_or_add_whatever_befalls_it {
    use super::{Doubtful, Unreadable};

    every_page_survives! {
        a_server_error: "exam.http_5xx" ":500" Unreadable(75);
        a_gateway_error: "exam.http_5xx" ":502" Unreadable(75);
        a_maintenance_page: "exam.maintenance" "" Unreadable(75);
        a_login_page_with_status_200: "exam.html_200" "" Unreadable(75);
        a_redirect_to_a_login_page: "exam.redirect" "" Unreadable(78);
        a_connection_that_closes: "exam.drop_request" "" Unreadable(75);
        a_lost_answer: "exam.lose_answer" "" Unreadable(75);
        a_reset: "exam.reset" "" Unreadable(75);
        a_body_cut_in_the_middle: "exam.cut_body" "" Unreadable(75);
        a_body_cut_after_a_byte: "exam.cut_body" ":1" Unreadable(75);
        a_body_that_is_empty: "exam.empty_body" "" Unreadable(75);
        a_body_that_is_no_json: "exam.not_json" "" Unreadable(75);
        a_body_of_other_types: "exam.wrong_type" "" Unreadable(75);
        a_body_of_40_megabytes: "exam.huge_body" ":40000000" Unreadable(75);
        a_compression_bomb: "exam.huge_body" ":40000000/gzip" Unreadable(75);
        too_many_requests: "exam.http_429" "" Unreadable(75);
        a_row_missing: "exam.short_page" ":1" Doubtful;
        all_rows_missing: "exam.short_page" ":100" Doubtful;
        a_row_repeated: "exam.duplicate_row" "" Doubtful;
        a_total_that_changes: "exam.total_drifts" ":1" Doubtful;
    }

    #[tokio::test]
    async fn an_answer_after_the_deadline() {
        let fault = super::Fault { slow: true, ..super::fault("exam.delay", ":2000", Unreadable(75)) };
        assert_eq!(super::at_every_page(&fault).await, 10);
    }

    #[tokio::test]
    async fn a_body_that_trickles() {
        let fault = super::Fault { slow: true, ..super::fault("exam.slow_body", ":50", Unreadable(75)) };
        assert_eq!(super::at_every_page(&fault).await, 10);
    }
}

/// Somebody works in the dashboard while the pages are read: what was wanted is done, and to nobody else.
#[tokio::test]
async fn rows_that_move_between_pages_never_lead_to_a_wrong_delete_or_add() {
    let mut cases = 0;
    for change in ["delete", "insert", "reorder", "replace"] {
        let mut school = School::open().await;
        for page in 1..=PAGES {
            for times in [1, 20] {
                let what = format!("{change} {times} times from page {page} on");
                school.give_work().await;
                // Who is deleted by hand is a stranger, so that nothing else is to be done.
                for number in 0..times {
                    let name = format!("passing {page} {number}");
                    let gid = school.world.foreign;
                    let sid =
                        school.world.sandbox.insert_candidate(&[(LOGIN, &name), (NAME, "Not ours")], &[gid]);
                    school.world.sandbox.list_first(sid);
                    school.strangers.push(name);
                }
                school.world.sandbox.clear_journal();
                school.world.set("list_changes", &format!("getstulist@{page}x{times}:{change}"));
                let report = school.world.run().await;
                school.world.sandbox.clear_faults();
                school.meet_strangers();
                let complete = report.applied() == "1 add, 1 delete, 1 modify" && report.exit_code == 0;
                let doubtful = ["", "1 modify"].contains(&report.applied().as_str()) && report.exit_code == 3;
                assert!(complete || doubtful, "{what}: {report:?}");
                assert_eq!(risky(&school.world).is_empty(), doubtful, "{what}");
                school.converges(&what).await;
                for name in std::mem::take(&mut school.strangers) {
                    match name.starts_with("passing") || name.starts_with("by hand") {
                        true => school.world.sandbox.remove_candidate(school.world.candidate(&name).sid),
                        false => school.strangers.push(name),
                    }
                }
                cases += 1;
            }
        }
    }
    println!("rows that move: {cases} cases");
    assert_eq!(cases, 40);
}

#[tokio::test]
async fn an_empty_listing_is_read_again_and_believed_when_it_is_not_empty_any_more() {
    let mut school = School::open().await;
    school.give_work().await;
    school.world.set("nobody", "getstulist@1x2");
    let report = school.world.run().await;
    assert_eq!(
        (report.applied(), report.exit_code),
        ("1 add, 1 delete, 1 modify".to_owned(), 0),
        "{report:?}"
    );
    school.converges("an empty listing, twice").await;
}

#[tokio::test]
async fn a_listing_that_stays_empty_despite_links_fails_the_run_and_writes_nothing() {
    let mut school = School::open().await;
    school.give_work().await;
    school.world.set("nobody", "getstulist@*");
    let report = school.world.run().await;
    assert_eq!((report.exit_code, report.writes(), report.calls("getstulist")), (1, 0, 3), "{report:?}");
    assert!(report.errors[0].contains("the listing is empty although"), "{report:?}");
    school.converges("an empty listing").await;
}

#[tokio::test]
async fn a_page_that_says_nobody_is_there_makes_the_listing_doubtful() {
    for page in 2..=PAGES {
        let mut school = School::open().await;
        school.give_work().await;
        for reading in 0..3 {
            school.world.set("nobody", &format!("getstulist@{}", page + reading * PAGES));
        }
        let report = school.world.run().await;
        assert_eq!((report.exit_code, risky(&school.world)), (3, vec![]), "{report:?}");
        school.converges("a page of nobody").await;
    }
}

/// A listing that adds up and lacks some of ours all the same: each is found by its sid, so it is not everybody.
#[tokio::test]
async fn a_listing_that_adds_up_but_lacks_our_candidates_deletes_and_adds_none() {
    for missing in [1, 3, 17] {
        let mut school = School::open().await;
        school.give_work().await;
        let before = school.world.logins();
        let mut unlisted = Vec::new();
        for number in 1..=missing {
            unlisted.push(school.world.sid(&format!("s{number:03}")).await);
        }
        unlisted.iter().for_each(|sid| school.world.sandbox.unlist_candidate(*sid));
        let report = school.world.run().await;
        assert_eq!((report.exit_code, risky(&school.world)), (3, vec![]), "{missing}: {report:?}");
        assert!(report.errors[0].contains("not in it: sid "), "{report:?}");
        unlisted.iter().for_each(|sid| school.world.sandbox.list_first(*sid));
        assert_eq!(school.world.logins(), before, "{missing:?}");
        school.converges("unlisted candidates").await;
    }
}
