//! The way of one call through the sandbox: limit, faults, endpoint, faults, journal; and what is set from outside.

use std::time::{Duration, Instant};

use super::classin::{self, ClassInWorld};
use super::exam::{self, ExamWorld};
use super::fault_table::FAULTS;
use super::faults::Fired;
use super::journal::JournalEntry;
use super::moment;
use super::poison;
use super::reply::{self, Call, Delivery, Reply};
use super::switches::{self, Switches};
use super::world::World;
use super::{SandboxError, Service};

impl World {
    /// Sets a switch or arms a fault.
    ///
    /// # Errors
    /// An unknown name or value.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), SandboxError> {
        // `maintenance` is a switch of ClassIn and a fault of the exam side: the value tells which is meant.
        let fault_of_that_name = FAULTS.iter().any(|spec| spec.name == name);
        let switch_takes_it = switches::named(name).iter().any(|spec| spec.takes(value));
        if value == "off" && fault_of_that_name {
            self.faults.set(name, value)?;
        }
        if (switch_takes_it || !fault_of_that_name) && self.switches.set(name, value)? {
            match name {
                "seed" => self.chance = fastrand::Rng::with_seed(self.switches.global_number("seed")),
                "login_compare" | "exam.login_compare" => {
                    self.exam.compare_logins(self.switches.text(Service::Exam, "login_compare"));
                }
                "list_lag_s" | "info_lag_s" | "exam.list_lag_s" | "exam.info_lag_s" => self.keep_changes(),
                "account" | "exam.account" => self.switch_account(value),
                _ => {}
            }
            return Ok(());
        }
        if self.faults.set(name, value)? {
            return Ok(());
        }
        match known_name_in_another_case(name) {
            Some(known) => Err(SandboxError::Case { name: name.to_owned(), known }),
            None => Err(SandboxError::UnknownName { name: name.to_owned(), known: known_names() }),
        }
    }

    /// Becomes the contracts' sample world, default switches but for those the contracts name.
    pub(crate) fn become_the_sample(&mut self) {
        self.before_exam_change();
        self.own_account = None;
        self.exam = ExamWorld::default();
        exam::sample::fill(&mut self.exam);
        self.classin = ClassInWorld::default();
        classin::sample::fill(&mut self.classin);
        self.faults.clear();
        self.switches = Switches::default();
        for (name, value) in [("exam.info_fields", "name_only"), ("clock_window_s", "0")] {
            // These names and values are in the table; the golden tests would notice if they were not.
            let _ = self.switches.set(name, value);
        }
    }

    /// Handles one call: everything but the waiting and the wire.
    pub(crate) fn answer(&mut self, service: Service, call: &Call) -> Reply {
        let endpoint = match service {
            Service::Exam => exam::endpoint(call),
            Service::ClassIn => classin::endpoint(call),
        };
        let named = match service {
            Service::Exam => exam::journal_keys(self.exam.login_field, call),
            Service::ClassIn => Vec::new(),
        };
        let mut reply = self.limited(service).unwrap_or_else(|| self.struck(service, endpoint, call));
        let latency = self.switches.number(service, "latency_ms");
        reply.delay += Duration::from_millis(latency.unsigned_abs());
        if service == Service::Exam {
            reply.date_offset_s = self.switches.number(service, "date_offset_s");
        }
        self.busy.extend(reply.holds.iter().cloned());
        self.calls += 1;
        self.journal.push(JournalEntry {
            number: self.calls,
            at_ms: moment::now_ms(),
            service: service.name().to_owned(),
            endpoint: endpoint.to_owned(),
            items: reply.items,
            start: reply.start,
            answered: reply.answered.clone(),
            applied: reply.applied,
            named,
            shown: reply.shown.clone(),
        });
        reply
    }

    /// The answer to a call above the rate limit.
    fn limited(&mut self, service: Service) -> Option<Reply> {
        let limit = usize::try_from(self.switches.number(service, "qps_limit")).unwrap_or(usize::MAX);
        if limit == 0 {
            return None;
        }
        let [exam, classin] = &mut self.recent;
        let recent = match service {
            Service::Exam => exam,
            Service::ClassIn => classin,
        };
        let now = Instant::now();
        while recent.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
            recent.pop_front();
        }
        if recent.len() < limit {
            recent.push_back(now);
            return None;
        }
        let style = self.switches.text(service, "over_limit");
        let plain = Reply::new(429, reply::Body::Text("Too Many Requests".to_owned()), "429");
        Some(match style {
            "429_retry_after" => Reply { retry_after: Some(1), ..plain },
            "error_body" => exam::refusal(&self.switches, "too many requests"),
            "101003001" => classin::refusal(&self.switches, 101_003_001),
            "drop" => Reply::none(Delivery::Closed, "dropped"),
            _ => plain,
        })
    }

    /// Lets the armed faults act around the endpoint.
    fn struck(&mut self, service: Service, endpoint: &'static str, call: &Call) -> Reply {
        let fired = self.faults.strike(service, endpoint, &mut self.chance);
        if let Some(reply) = reply::before_the_endpoint(&fired) {
            return reply;
        }
        if let Some(reply) = self.poisoned(service, endpoint, call) {
            return reply;
        }
        let reply = match service {
            Service::Exam => {
                exam::edit_by_hand(self, &fired);
                match self.lagging(endpoint, &fired) {
                    Some(past) => {
                        let present = std::mem::replace(&mut self.exam, past);
                        let reply = exam::answer(self, endpoint, call, &fired);
                        self.exam = present;
                        reply
                    }
                    None => exam::answer(self, endpoint, call, &fired),
                }
            }
            Service::ClassIn => classin::answer(self, endpoint, call, &fired),
        };
        reply::after_the_endpoint(reply, &fired)
    }

    /// The answer to a write that names the poisonous value.
    fn poisoned(&self, service: Service, endpoint: &str, call: &Call) -> Option<Reply> {
        let is_write = service == Service::ClassIn || exam::WRITES.contains(&endpoint);
        let poison = self.switches.chosen(service, "poison").filter(|_| is_write)?;
        let answer = poison::answer(call, poison)?;
        let code = match service {
            Service::Exam => None,
            Service::ClassIn => {
                self.switches.text(service, "poison_code").parse().ok().filter(|code| *code != 500)
            }
        };
        Some(code.map_or(answer, |code| classin::refusal(&self.switches, code)))
    }

    /// The account as this read shows it, where it lags behind.
    fn lagging(&self, endpoint: &str, fired: &Fired) -> Option<ExamWorld> {
        let (_, lag) = exam::LAGGING.into_iter().find(|(lagging, _)| *lagging == endpoint)?;
        if let Some(seconds) = fired.number("stale_read", 1) {
            return self.exam_as_of(Duration::from_secs(seconds));
        }
        let lag = self.lag(lag);
        let kind = self.switches.text(Service::Exam, "lag_after");
        (!lag.is_zero()).then(|| self.exam.without_changes_of(lag, kind)).flatten()
    }

    /// Puts our own account or another one behind the address.
    pub(crate) fn switch_account(&mut self, which: &str) {
        self.before_exam_change();
        let own = self.own_account.take();
        if which == "own" {
            self.exam = own.unwrap_or_else(|| std::mem::take(&mut self.exam));
            return;
        }
        let own = own.unwrap_or_else(|| self.exam.clone());
        self.exam = exam::other_account(&own, which);
        self.own_account = Some(own);
    }

    fn lag(&self, switch: &'static str) -> Duration {
        Duration::from_secs(self.switches.number(Service::Exam, switch).unsigned_abs())
    }

    /// Keeps changes for as long as some read lags behind them.
    fn keep_changes(&mut self) {
        let longest = exam::LAGGING.map(|(_, lag)| self.lag(lag)).into_iter().max();
        self.exam.keep_changes_for(longest.unwrap_or_default());
    }
}

fn known_names() -> String {
    names().collect::<Vec<_>>().join(", ")
}

fn names() -> impl Iterator<Item = String> {
    let switches = switches::table().map(switches::Spec::full_name);
    switches.chain(FAULTS.iter().map(|spec| spec.name.to_owned()))
}

/// The name that differs from this one in case alone: with its service, or without, as it was asked for.
fn known_name_in_another_case(name: &str) -> Option<String> {
    let bare = switches::table().map(|spec| spec.name.to_owned());
    names().chain(bare).find(|known| known.eq_ignore_ascii_case(name))
}
