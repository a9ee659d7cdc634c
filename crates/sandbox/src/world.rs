//! Everything a sandbox knows. How a call passes through it is in `calls`.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use super::classin::school::ClassInWorld;
use super::exam::account::ExamWorld;
use super::faults::Faults;
use super::journal::JournalEntry;
use super::switches::Switches;

/// The state of both services and of the machinery around them.
pub(crate) struct World {
    /// The exam account's code.
    pub(crate) exam_code: String,
    /// The school's id.
    pub(crate) classin_sid: String,
    /// The school's secret.
    pub(crate) classin_secret: String,
    /// The exam side's state.
    pub(crate) exam: ExamWorld,
    /// Our own account, while another one stands behind the address.
    pub(crate) own_account: Option<ExamWorld>,
    /// ClassIn's state.
    pub(crate) classin: ClassInWorld,
    /// Present switches.
    pub(crate) switches: Switches,
    /// Armed faults.
    pub(crate) faults: Faults,
    /// Seeded.
    pub(crate) chance: fastrand::Rng,
    /// Calls so far.
    pub(crate) journal: Vec<JournalEntry>,
    /// Whether the state differs from the state file.
    pub(crate) unsaved: bool,
    /// Resources kept busy by calls that are still being answered.
    pub(crate) busy: HashSet<String>,
    /// Earlier states of the exam side and until when each was true; kept only while a stale read is armed.
    past: VecDeque<(Instant, ExamWorld)>,
    pub(crate) calls: u64,
    /// When each service was called in the last second.
    pub(crate) recent: [VecDeque<Instant>; 2],
}

impl World {
    /// An empty world.
    pub(crate) fn new(exam_code: String, classin_sid: String, classin_secret: String) -> World {
        let switches = Switches::default();
        let chance = fastrand::Rng::with_seed(switches.global_number("seed"));
        World {
            exam_code,
            classin_sid,
            classin_secret,
            exam: ExamWorld::default(),
            own_account: None,
            classin: ClassInWorld::default(),
            switches,
            faults: Faults::default(),
            chance,
            journal: Vec::new(),
            unsaved: false,
            busy: HashSet::new(),
            past: VecDeque::new(),
            calls: 0,
            recent: [VecDeque::new(), VecDeque::new()],
        }
    }

    /// Called before the exam side changes, so that stale reads have something to show.
    pub(crate) fn before_exam_change(&mut self) {
        self.unsaved = true;
        if self.faults.is_armed("stale_read") {
            self.past.push_back((Instant::now(), self.exam.clone()));
        } else if !self.past.is_empty() {
            self.past.clear();
        }
    }

    /// The account that the state file keeps.
    pub(crate) fn kept_account(&self) -> &ExamWorld {
        self.own_account.as_ref().unwrap_or(&self.exam)
    }

    /// The exam side as it was `lag` ago; `None` where it has not changed since.
    pub(crate) fn exam_as_of(&self, lag: Duration) -> Option<ExamWorld> {
        let now = Instant::now();
        self.past.iter().find(|(until, _)| now.duration_since(*until) < lag).map(|(_, exam)| exam.clone())
    }
}
