//! Both remote services simulated on this machine, with state, switches and faults.
//!
//! Written from the contracts alone: it shares no code with the clients that call it, and it is not a mock
//! that expects certain calls. One [`Sandbox`] holds both services; [`Sandbox::serve`] puts them on one
//! address: `/api/v1/student/…` is the exam side, `/partner/api/course.api.php` is ClassIn, `/_sandbox/…` is
//! for people and tests.
//!
//! Every call is handled at once under one lock, so its changes are seen whole or not at all; delays and faults of
//! delivery come after it.

mod calls;
mod classin;
mod digest;
mod exam;
mod fault_table;
mod faults;
mod form;
mod gzip;
mod journal;
mod json;
mod moment;
mod poison;
mod reply;
mod results_console;
mod saving;
mod server;
mod switches;
mod world;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

pub use classin::{AccountView, ClassKind, ClassOrigin, CourseStatus, CourseView, Role};
pub use exam::CandidateView;
pub use journal::{JournalEntry, ShownCandidate};
pub use results_console::ResultView;
pub use server::Serving;

use world::World;

/// The settings of a sandbox.
#[derive(Clone)]
pub struct SandboxSettings {
    /// The exam account's verification code.
    pub exam_code: String,
    /// The school's id on ClassIn.
    pub classin_sid: String,
    /// The school's secret on ClassIn.
    pub classin_secret: String,
    /// The login field: an sfid (all digits), or a label, which is added as a custom field where it does not exist.
    /// It holds also where the state file had another one.
    pub login_field: String,
    /// Fields added to the usual 1 name, 2 gender, 4 phone, 10 password, or renaming them.
    pub fields: Vec<(i64, String)>,
    /// Switches and faults, set in this order.
    pub switches: Vec<(String, String)>,
    /// The file that keeps the state; loaded if it exists.
    pub state_file: Option<PathBuf>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        SandboxSettings {
            exam_code: "xxx".to_owned(),
            classin_sid: "2339736".to_owned(),
            classin_secret: "topsecret".to_owned(),
            login_field: "1".to_owned(),
            fields: Vec::new(),
            switches: Vec::new(),
            state_file: None,
        }
    }
}

/// The reason why a sandbox could not be set up, changed, served or saved.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// No switch and no fault has this name.
    #[error("there is no switch or fault {name}; there are: {known}")]
    UnknownName {
        /// The name asked for.
        name: String,
        /// Everything there is.
        known: String,
    },
    /// A switch or fault has this name in another case.
    #[error("there is no switch or fault {name}; names count as they are written: {known}")]
    Case {
        /// The name asked for.
        name: String,
        /// The one there is.
        known: String,
    },
    /// The switch or fault does not take this value.
    #[error("{name} cannot be {value:?}; it takes: {allowed}")]
    Value {
        /// The switch or fault.
        name: String,
        /// The value given.
        value: String,
        /// The values allowed.
        allowed: String,
    },
    /// The login field is an sfid that no field has.
    #[error("there is no field with sfid {sfid} to sign in with")]
    LoginField {
        /// The sfid.
        sfid: String,
    },
    /// The state file could not be read or written.
    #[error("state file {path}")]
    StateFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The state file holds something else.
    #[error("state file {path} does not hold a sandbox")]
    StateFormat {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The address could not be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// One of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Service {
    /// OnlineExamMaker.
    Exam,
    /// ClassIn.
    ClassIn,
}

impl Service {
    fn both() -> [Service; 2] {
        [Service::Exam, Service::ClassIn]
    }

    fn name(self) -> &'static str {
        match self {
            Service::Exam => "exam",
            Service::ClassIn => "classin",
        }
    }

    fn named(name: &str) -> Option<Service> {
        Service::both().into_iter().find(|service| service.name() == name)
    }

    fn endpoints(self) -> &'static [&'static str] {
        match self {
            Service::Exam => exam::ENDPOINTS,
            Service::ClassIn => classin::ENDPOINTS,
        }
    }
}

/// Both services with their state. Clones share it.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    state_file: Option<PathBuf>,
    /// Held while the state file is written, so that two writers never mix.
    saving: Mutex<()>,
    in_flight: AtomicUsize,
    peak_in_flight: AtomicUsize,
}

impl Sandbox {
    /// Sets a sandbox up: empty, or as its state file says.
    ///
    /// # Errors
    /// A state file that exists and cannot be read, a login field that is no field, a switch or value that does
    /// not exist.
    pub fn new(settings: SandboxSettings) -> Result<Sandbox, SandboxError> {
        let SandboxSettings {
            exam_code,
            classin_sid,
            classin_secret,
            login_field,
            fields,
            switches,
            state_file,
        } = settings;
        let mut world = World::new(exam_code, classin_sid, classin_secret);
        if let Some(path) = &state_file {
            saving::load(path, &mut world)?;
        }
        for (sfid, label) in fields {
            world.exam.set_field(sfid, label);
        }
        world.exam.set_login_field(&login_field)?;
        for (name, value) in switches {
            world.set(&name, &value)?;
        }
        Ok(Sandbox::around(world, state_file))
    }

    /// The contracts' sample worlds: docs/contracts/onlineexammaker.md, 8.4 and docs/contracts/classin.md, 12.4, with
    /// their clock windows off.
    #[must_use]
    pub fn sample_world() -> Sandbox {
        let SandboxSettings { exam_code, classin_sid, classin_secret, .. } = SandboxSettings::default();
        let mut world = World::new(exam_code, classin_sid, classin_secret);
        world.become_the_sample();
        Sandbox::around(world, None)
    }

    fn around(world: World, state_file: Option<PathBuf>) -> Sandbox {
        Sandbox(Arc::new(Shared {
            world: Mutex::new(world),
            state_file,
            saving: Mutex::new(()),
            in_flight: AtomicUsize::new(0),
            peak_in_flight: AtomicUsize::new(0),
        }))
    }

    /// Sets a switch or arms a fault, at any time.
    ///
    /// # Errors
    /// An unknown name or value; the error lists what exists.
    pub fn set(&self, name: &str, value: &str) -> Result<(), SandboxError> {
        self.world().set(name, value)
    }

    /// Throws the state, the switches and the faults away and becomes the sample world; secrets and journal
    /// stay. A sandbox with a state file refuses, because its state may be a rehearsal. Answers whether it
    /// did.
    pub fn become_sample_world(&self) -> bool {
        let ours = self.0.state_file.is_none();
        if ours {
            self.world().become_the_sample();
        }
        ours
    }

    /// Takes all faults off; switches stay.
    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// Every call so far, oldest first.
    #[must_use]
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.world().journal.clone()
    }

    /// Forgets the calls so far; numbers go on.
    pub fn clear_journal(&self) {
        self.world().journal.clear();
    }

    /// The most calls that were ever being answered at one time, delays included.
    #[must_use]
    pub fn peak_in_flight(&self) -> usize {
        self.0.peak_in_flight.load(Ordering::Relaxed)
    }

    /// Writes the state file now; does nothing where there is none.
    ///
    /// # Errors
    /// [`SandboxError::StateFile`] where it cannot be written.
    pub fn save(&self) -> Result<(), SandboxError> {
        saving::save(&self.0)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call until the answer's guard is dropped.
    fn enter(&self) -> InFlight {
        let now = self.0.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.peak_in_flight.fetch_max(now, Ordering::Relaxed);
        InFlight(self.clone())
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

struct InFlight(Sandbox);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
