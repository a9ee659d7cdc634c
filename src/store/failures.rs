//! The open failures as they are read: for the planner, for counting attempts, and for people.

use std::collections::{BTreeMap, HashMap};

use rosterd_core::exam_plan::{Fingerprint, HoldWord, NamedHold, OpenFailures, SilencedHold, with_failure};
use rosterd_core::failure::{
    Attempts, ContactPart, EarlierAttempts, FailureCode, FailureOwner, FailureState, Fault, OpenFailure,
    OperationKey, RecordedHash, RecordedKind, Service,
};
use rosterd_core::roster::StudentId;

use super::error::{Doing, counted};
use super::keys::{fingerprint, read_key, stored};
use super::{StateStore, StoreError};

/// The outcome of one operation, as far as it is recorded.
#[derive(Clone, Debug)]
pub struct FailureRecord {
    pub key: OperationKey,
    /// The call it was part of; empty where none was made.
    pub call: &'static str,
    pub code: FailureCode,
    pub message: String,
    /// The service's own text, masked.
    pub service_text: Option<String>,
    /// The batch of the run.
    pub batch: Option<u64>,
    /// The item of the batch, counted from 0.
    pub index: Option<u64>,
    /// Where it stands, and what was wanted.
    pub failure: OpenFailure,
    /// Failed attempts so far, this one included.
    pub attempts: Attempts,
    /// Whose doing this one was.
    pub fault: Fault,
}

/// One open failure as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FailureRow {
    /// Its number, for `failures retry` and `failures ignore`.
    pub id: i64,
    pub service: Service,
    /// The kind of operation.
    pub kind: RecordedKind,
    #[serde(serialize_with = "null_where_empty")]
    pub student_id: String,
    /// For ClassIn: the class; otherwise empty.
    #[serde(serialize_with = "null_where_empty")]
    pub class_code: String,
    /// The table of the roster where it can be mended, where that is known.
    pub table: Option<String>,
    /// The key of the row there.
    pub key: Option<String>,
    pub state: FailureState,
    /// Why it failed, in the words of [`FailureCode`].
    pub code: String,
    pub message: String,
    /// Who can do something about it, in the words of [`FailureOwner`].
    pub who: &'static str,
    /// The same in one word: `office`, `it`, `service` or `quota`.
    pub owner: &'static str,
    /// Since when, as RFC 3339.
    pub since: String,
    /// The service's own text, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_text: Option<String>,
    /// The batch of its run.
    pub batch: Option<i64>,
    /// The item of the batch, counted from 0.
    pub index: Option<i64>,
    /// Failed attempts so far, those that were the service's doing included.
    pub attempts: i64,
    /// When it is due again, as RFC 3339; absent unless it waits for that moment.
    pub due_at: Option<String>,
    /// Whether somebody keeps the place that they had before until this is settled, and loses it when it is ignored.
    #[serde(skip)]
    pub keeps_place: bool,
}

impl FailureRow {
    /// Whether it is the failure of this.
    #[must_use]
    pub fn is_of(&self, key: &OperationKey) -> bool {
        self.kind == key.kind && self.student_id == key.student.as_str() && self.class_code == key.class_key
    }
}

/// What concerns no student, or no class, says so.
fn null_where_empty<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if text.is_empty() { serializer.serialize_none() } else { serializer.serialize_str(text) }
}

/// The number of open failures by service and owner.
pub type OwnerCounts = BTreeMap<(Service, FailureOwner), u64>;

/// An open failure of ClassIn, as the planner needs it.
#[derive(Clone, Debug)]
pub struct ClassinOpenFailure {
    pub id: i64,
    pub key: OperationKey,
    pub code: FailureCode,
    /// The failure, as the planner reads it.
    pub failure: OpenFailure,
}

#[derive(sqlx::FromRow)]
struct PlannedRow {
    failure_id: i64,
    service: String,
    kind: String,
    student_id: String,
    class_code: String,
    code: String,
    state: String,
    due_at_ms: i64,
    want: i64,
    contact: Option<i64>,
    contact_form: String,
}

impl TryFrom<PlannedRow> for ClassinOpenFailure {
    type Error = StoreError;

    fn try_from(row: PlannedRow) -> Result<Self, StoreError> {
        let id = row.failure_id;
        Ok(Self {
            id,
            key: key(id, &row.service, &row.kind, row.student_id, row.class_code)?,
            code: FailureCode::parse(&row.code),
            failure: OpenFailure {
                state: state(id, &row.state)?,
                due_at_ms: row.due_at_ms,
                recorded: recorded(id, row.want, row.contact, &row.contact_form)?,
            },
        })
    }
}

#[derive(sqlx::FromRow)]
struct ShownRow {
    failure_id: i64,
    service: String,
    kind: String,
    student_id: String,
    class_code: String,
    state: String,
    code: String,
    message: String,
    service_text: Option<String>,
    batch: Option<i64>,
    item_index: Option<i64>,
    attempts: i64,
    first_failed_at_ms: i64,
    due_at_ms: i64,
    is_standing: bool,
    keeps_place: bool,
}

/// What ignoring says of whoever keeps the place before.
fn with_place(message: &str, student: &StudentId) -> String {
    let who = if student.as_str().is_empty() {
        "its students keep the places that they had before, and to ignore this takes them out of those"
    } else {
        "the student keeps the place that they had before, and to ignore this takes them out of it"
    };
    format!("{message}; {who}")
}

impl TryFrom<ShownRow> for FailureRow {
    type Error = StoreError;

    fn try_from(row: ShownRow) -> Result<Self, StoreError> {
        let id = row.failure_id;
        let OperationKey { kind, student, class_key } =
            key(id, &row.service, &row.kind, row.student_id, row.class_code)?;
        let state = state(id, &row.state)?;
        let moment = |at_ms| jiff::Timestamp::from_millisecond(at_ms).ok().map(|at| format!("{at:.0}"));
        let owner = FailureOwner::of(kind, &FailureCode::parse(&row.code), state);
        // What is withheld is looked at in every run: it waits for no moment.
        let waits = state == FailureState::Waiting && !row.is_standing;
        let of_students = matches!(
            FailureCode::parse(&row.code),
            FailureCode::UnusableRow | FailureCode::NoLoginValue | FailureCode::SharedLoginValue
        );
        let message = if row.keeps_place { with_place(&row.message, &student) } else { row.message };
        Ok(Self {
            id,
            service: kind.service(),
            kind,
            table: of_students.then(|| "students".to_owned()),
            key: of_students.then(|| student.as_str().to_owned()),
            student_id: student.as_str().to_owned(),
            class_code: class_key,
            state,
            who: owner.as_str(),
            owner: owner.word(),
            since: moment(row.first_failed_at_ms).unwrap_or_default(),
            code: row.code,
            message: with_failure(&message, Some(id)),
            keeps_place: row.keeps_place,
            service_text: row.service_text,
            batch: row.batch,
            index: row.item_index,
            attempts: row.attempts,
            due_at: moment(row.due_at_ms).filter(|_| waits),
        })
    }
}

fn number(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}

fn bad(id: i64, what: &'static str) -> StoreError {
    StoreError::Row { table: "failures", key: id.to_string(), what }
}

/// The key of a stored failure.
pub(super) fn key(
    id: i64,
    service: &str,
    kind: &str,
    student: String,
    class_key: String,
) -> Result<OperationKey, StoreError> {
    read_key(("failures", &id), (service, kind), student, class_key)
}

pub(super) fn state(id: i64, word: &str) -> Result<FailureState, StoreError> {
    FailureState::parse(word).ok_or_else(|| bad(id, "has an unknown state"))
}

/// `contact_form` of rows that are stored in parts.
const APART: &str = "apart";

fn recorded(id: i64, hash: i64, contact: Option<i64>, form: &str) -> Result<RecordedHash, StoreError> {
    let hash = fingerprint(hash);
    let contact = match form {
        APART => return Ok(RecordedHash::with_contact(hash, contact.map(fingerprint))),
        "mixed" => ContactPart::Mixed,
        "perhaps mixed" => ContactPart::PerhapsMixed,
        _ => return Err(bad(id, "has an unknown form of contact")),
    };
    Ok(RecordedHash { hash, contact })
}

/// The columns `contact` and `contact_form`.
pub(super) fn stored_contact(recorded: RecordedHash) -> (Option<i64>, &'static str) {
    match recorded.contact {
        ContactPart::None => (None, APART),
        ContactPart::Of(contact) => (Some(stored(contact)), APART),
        ContactPart::Mixed => (None, "mixed"),
        ContactPart::PerhapsMixed => (None, "perhaps mixed"),
    }
}

#[derive(sqlx::FromRow)]
struct SilencedRow {
    failure_id: i64,
    kind: String,
    student_id: String,
    class_code: String,
    want: i64,
    code: String,
    about: i64,
    of_leaver: bool,
}

/// Something that stood without having been tried, and that a person silenced.
struct Silenced {
    key: OperationKey,
    desired_hash: Fingerprint,
    /// Of a hold about single people.
    named: Option<NamedHold>,
    of_leaver: bool,
}

impl StateStore {
    /// The open failures of the exam side, for the planner.
    pub async fn exam_open_failures(&self) -> Result<OpenFailures, StoreError> {
        let mut failures = OpenFailures::default();
        for ClassinOpenFailure { key, failure, .. } in self.planned_failures(Service::Exam).await? {
            if let RecordedKind::Exam(kind) = key.kind {
                failures.insert(key.student, kind, failure);
            }
        }
        for Silenced { key, desired_hash, named, of_leaver } in self.silenced(Service::Exam).await? {
            match (key.kind, named) {
                (RecordedKind::Exam(kind), Some(named)) => {
                    let hold = SilencedHold { kind, desired_hash, named, of_leaver };
                    failures.insert_silenced_hold(key.student, hold);
                }
                (RecordedKind::Exam(kind), None) => {
                    if of_leaver {
                        failures.insert_kept(key.student.clone());
                    }
                    failures.insert_silenced(key.student, kind, desired_hash);
                }
                (RecordedKind::Classin(_) | RecordedKind::RosterRow, _) => {}
            }
        }
        for student in self.students_of_another_login_value().await? {
            failures.insert_of_another(student);
        }
        for (student, hold) in self.held_adoptions().await? {
            failures.insert_held_adoption(student, hold);
        }
        Ok(failures)
    }

    /// Students at whose sid a run saw another login value.
    async fn students_of_another_login_value(&self) -> Result<Vec<StudentId>, StoreError> {
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT student_id FROM open_failures WHERE service = 'exam' AND is_standing = 1 AND code = ? \
             ORDER BY student_id",
        )
        .bind(FailureCode::AnotherLoginValue.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading whose candidates show another login value")?;
        Ok(students.into_iter().map(StudentId::new).collect())
    }

    /// Those students, and those whose records a run saw to have changed hands: a look-up alone shows that it is still so.
    pub async fn students_of_another_record(&self) -> Result<Vec<StudentId>, StoreError> {
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT student_id FROM open_failures WHERE service = 'exam' AND is_standing = 1 \
             AND (code = ? OR (code = ? AND kind = 'modify')) ORDER BY student_id",
        )
        .bind(FailureCode::AnotherLoginValue.as_str())
        .bind(FailureCode::SamePerson.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading whose records are others'")?;
        Ok(students.into_iter().map(StudentId::new).collect())
    }

    /// Candidates that a person is asked about before they are taken over.
    async fn held_adoptions(&self) -> Result<Vec<(StudentId, NamedHold)>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT student_id, about FROM open_failures WHERE service = 'exam' AND kind = 'adopt' AND is_standing = 1 \
             AND state = 'held' AND code = ? ORDER BY student_id",
        )
        .bind(HoldWord::Adoption.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading which candidates are asked about")?;
        let hold = |about| NamedHold { word: HoldWord::Adoption, about: fingerprint(about) };
        Ok(rows.into_iter().map(|(student, about)| (StudentId::new(student), hold(about))).collect())
    }

    /// What a person silenced of what is withheld or held, with what is wanted.
    async fn silenced(&self, service: Service) -> Result<Vec<Silenced>, StoreError> {
        let rows: Vec<SilencedRow> = sqlx::query_as(
            "SELECT failure_id, kind, student_id, class_code, want, code, about, of_leaver FROM open_failures \
             WHERE service = ? AND is_standing = 1 AND state = 'ignored' ORDER BY failure_id",
        )
        .bind(service.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading what is silenced")?;
        let mut silenced = Vec::with_capacity(rows.len());
        for row in rows {
            let SilencedRow { failure_id: id, kind, student_id, class_code, want, code, about, of_leaver } =
                row;
            let key = key(id, service.as_str(), &kind, student_id, class_code)?;
            let named = HoldWord::parse(&code).map(|word| NamedHold { word, about: fingerprint(about) });
            // What passes by itself decides nothing about a leaver.
            let of_leaver = of_leaver && !FailureCode::parse(&code).passes();
            silenced.push(Silenced { key, desired_hash: fingerprint(want), named, of_leaver });
        }
        Ok(silenced)
    }

    /// The holds about single people on ClassIn that a person silenced, each with what is wanted.
    pub async fn silenced_in_classin(
        &self,
    ) -> Result<Vec<(OperationKey, Fingerprint, NamedHold)>, StoreError> {
        let silenced = self.silenced(Service::Classin).await?.into_iter();
        Ok(silenced.filter_map(|one| Some((one.key, one.desired_hash, one.named?))).collect())
    }

    /// The open failures of ClassIn, each with how it holds its operation back.
    pub async fn classin_open_failures(&self) -> Result<Vec<ClassinOpenFailure>, StoreError> {
        self.planned_failures(Service::Classin).await
    }

    async fn planned_failures(&self, service: Service) -> Result<Vec<ClassinOpenFailure>, StoreError> {
        let rows: Vec<PlannedRow> = sqlx::query_as(
            "SELECT failure_id, service, kind, student_id, class_code, code, state, due_at_ms, want, contact, \
             contact_form FROM open_failures WHERE service = ? AND is_standing = 0 ORDER BY failure_id",
        )
        .bind(service.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading open failures")?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Earlier attempts at this operation, if it is an open failure.
    pub async fn earlier_attempts(&self, key: &OperationKey) -> Result<Option<EarlierAttempts>, StoreError> {
        let row: Option<(i64, i64, i64, i64, Option<i64>, String)> = sqlx::query_as(
            "SELECT failure_id, attempts, service_attempts, want, contact, contact_form FROM failures \
             WHERE service = ? AND kind = ? AND student_id = ? AND class_code = ? AND is_standing = 0 \
             AND state IN ('waiting', 'dead', 'ignored', 'held')",
        )
        .bind(key.service().as_str())
        .bind(key.kind.as_str())
        .bind(key.student.as_str())
        .bind(&key.class_key)
        .fetch_optional(&self.reader)
        .await
        .doing("reading earlier attempts")?;
        let earlier = |(id, own, of_service, hash, contact, form): (_, _, _, _, _, String)| {
            let attempts = Attempts { own: number(own), of_service: number(of_service) };
            Ok(EarlierAttempts { attempts, recorded: recorded(id, hash, contact, &form)? })
        };
        row.map(earlier).transpose()
    }

    /// How often the service itself failed over a call of the exam side that one of these was part of.
    pub async fn failed_over(&self) -> Result<HashMap<OperationKey, u32>, StoreError> {
        let rows: Vec<(i64, String, String, i64)> = sqlx::query_as(
            "SELECT failure_id, kind, student_id, attempts + service_attempts FROM failures \
             WHERE service = 'exam' AND code = ? AND is_standing = 0 AND state IN ('waiting', 'dead', 'ignored', 'held') \
             ORDER BY failure_id",
        )
        .bind(FailureCode::ServiceFailed.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading earlier attempts")?;
        let attempts = |(id, kind, student, count): (i64, String, String, i64)| {
            let key = key(id, Service::Exam.as_str(), &kind, student, String::new())?;
            Ok((key, number(count)))
        };
        rows.into_iter().map(attempts).collect()
    }

    /// Open failures, oldest first, and after them the rows of the roster that cannot be used.
    pub async fn open_failures(&self) -> Result<Vec<FailureRow>, StoreError> {
        let rows: Vec<ShownRow> = sqlx::query_as(
            "SELECT failure_id, service, kind, student_id, class_code, state, code, message, service_text, batch, \
             item_index, attempts + service_attempts AS attempts, first_failed_at_ms, due_at_ms, is_standing, \
             failure_id IN (SELECT failure_id FROM failures_that_keep_places) AS keeps_place \
             FROM failures WHERE state IN ('waiting', 'dead', 'ignored', 'held') ORDER BY failure_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("listing failures")?;
        let mut failures = rows.into_iter().map(TryInto::try_into).collect::<Result<Vec<FailureRow>, _>>()?;
        failures.extend(self.roster_rows().await?);
        Ok(failures)
    }

    /// The number of open failures by service and owner, silenced ones not counted.
    pub async fn open_failures_by_owner(&self) -> Result<OwnerCounts, StoreError> {
        let rows: Vec<(i64, String, String, String, String, i64)> = sqlx::query_as(
            "SELECT min(failure_id), service, kind, code, state, count(*) FROM open_failures \
             WHERE state <> ? GROUP BY service, kind, code, state ORDER BY service, kind, code, state",
        )
        .bind(FailureState::Ignored.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("counting open failures")?;
        let mut counts = OwnerCounts::new();
        for (id, service, kind, code, word, count) in rows {
            let kind = key(id, &service, &kind, String::new(), String::new())?.kind;
            let owner = FailureOwner::of(kind, &FailureCode::parse(&code), state(id, &word)?);
            *counts.entry((kind.service(), owner)).or_default() += counted(count);
        }
        Ok(counts)
    }
}
