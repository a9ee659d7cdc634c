//! What is to be done about accounts: whose is to be registered, whose name has changed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::pin;

use futures_util::stream::StreamExt;

use super::history::{IGNORED, PriorState};
use super::{ClassinSide, ClassinSyncError};
use crate::run::Context;
use crate::store::{Account, AccountChange, AccountOrigin, RosterPerson, RosterSnapshot, StoreError};
use rosterd_core::classin_plan::{
    Applicant, Contact, ContactReading, EnrolmentState, NameChange, Reason, Registration, SchoolName,
    registrations,
};
use rosterd_core::exam_plan::{Fingerprint, MemoryKey};
use rosterd_core::failure::ClassinKind;
use rosterd_core::roster::Mode;
use rosterd_core::roster::{ClassinUid, Enrolment, RosterProblem, StudentId};

/// What is done about one student's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum AccountKind {
    /// Obtain one, and have it taken into the school.
    Register,
    /// Write the student's new name at the school.
    Rename,
}

impl AccountKind {
    /// The word for it in tables and reports.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Rename => "rename",
        }
    }
}

impl From<AccountKind> for ClassinKind {
    fn from(kind: AccountKind) -> Self {
        match kind {
            AccountKind::Register => Self::Register,
            AccountKind::Rename => Self::Rename,
        }
    }
}

/// One intended change to one student's account.
#[derive(Clone, Debug)]
pub(super) struct AccountOperation {
    pub(super) kind: AccountKind,
    pub(super) student: StudentId,
    pub(super) state: EnrolmentState,
    /// Fingerprint of what is wanted: a failure holds only while it is the same.
    pub(super) desired_hash: u64,
}

/// One account that is to be obtained, for one student or for siblings.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) account: Registration,
    /// What is remembered of it, when an earlier run got as far as its uid.
    pub(super) known: Option<Account>,
}

/// One name that is to be written.
#[derive(Clone, Debug)]
pub(super) struct Renaming {
    pub(super) student: StudentId,
    pub(super) uid: ClassinUid,
    pub(super) name: SchoolName,
    pub(super) fingerprint: Fingerprint,
}

/// Everything that is to be done about accounts.
#[derive(Default)]
pub(super) struct Accounts {
    /// Registrations, then names, each in ascending order of student.
    pub(super) operations: Vec<AccountOperation>,
    pub(super) applications: Vec<Application>,
    pub(super) renamings: Vec<Renaming>,
    /// Bookkeeping that needs no call.
    pub(super) changes: Vec<AccountChange>,
    /// Rows that cannot be used, or only in part.
    pub(super) problems: Vec<RosterProblem>,
    /// How the registrations stand.
    registrations: HashMap<StudentId, EnrolmentState>,
    /// Accounts that are known because a sibling has them.
    shared: HashMap<StudentId, ClassinUid>,
}

impl Accounts {
    /// What is to be done about one student's missing account; `None` when nothing is.
    pub(super) fn registration_of(&self, student: &StudentId) -> Option<&EnrolmentState> {
        self.registrations.get(student)
    }
}

/// What accounts are planned with.
pub(super) struct AccountPlanner<'a> {
    pub(super) context: &'a Context,
    pub(super) side: &'a ClassinSide,
    pub(super) key: &'a [u8; 32],
    pub(super) prior: &'a PriorState,
}

impl AccountPlanner<'_> {
    /// Plans registrations for these students, whose accounts nobody knows, and names for all.
    pub(super) async fn plan(
        &self,
        snapshot: &mut RosterSnapshot<'_>,
        unknown: &BTreeSet<StudentId>,
    ) -> Result<Accounts, ClassinSyncError> {
        let mut accounts = Accounts::default();
        if !unknown.is_empty() {
            let people = snapshot.people(unknown).await?;
            self.plan_registrations(people, &mut accounts).await?;
        }
        let renamings = self.changed_names(snapshot, &mut accounts).await?;
        for renaming in renamings {
            if self.is_theirs_to_name(snapshot, &renaming).await? {
                self.plan_name(renaming, &mut accounts);
            }
        }
        Ok(accounts)
    }

    async fn plan_registrations(
        &self,
        people: Vec<RosterPerson>,
        accounts: &mut Accounts,
    ) -> Result<(), StoreError> {
        let read = |person: RosterPerson| {
            let phone = person.phone.as_deref().unwrap_or_default();
            let email = person.email.as_deref().unwrap_or_default();
            let reading = Contact::read(phone, email, self.side.settings.home_country);
            (person, reading)
        };
        let people: Vec<(RosterPerson, ContactReading)> = people.into_iter().map(read).collect();
        let contacts = people.iter().filter_map(|(_, reading)| reading.contact.as_ref());
        let contacts = contacts.map(|contact| self.fingerprint(contact));
        let known = self.context.state.accounts_by_contact(contacts).await?;
        let mut applicants = Vec::new();
        for (person, reading) in people {
            applicants.extend(self.plan_registration(person, reading, &known, accounts));
        }
        accounts.applications = registrations(applicants, self.key)
            .into_iter()
            .map(|account| {
                let known = known.get(&self.fingerprint(&account.contact)).cloned();
                Application { account, known }
            })
            .collect();
        Ok(())
    }

    fn fingerprint(&self, contact: &Contact) -> Fingerprint {
        Fingerprint(contact.fingerprint(self.key))
    }

    fn plan_registration(
        &self,
        person: RosterPerson,
        reading: ContactReading,
        known: &HashMap<Fingerprint, Account>,
        accounts: &mut Accounts,
    ) -> Option<Applicant> {
        let desired_hash = self.desired_hash_of(&person, reading.contact.as_ref());
        let RosterPerson { student, name, .. } = person;
        let ContactReading { contact, problem } = reading;
        if let (Some(_), Some(problem)) = (&contact, &problem) {
            accounts.problems.push(RosterProblem {
                table: "students",
                key: student.as_str().to_owned(),
                what: problem.to_string(),
            });
        }
        let name = SchoolName::cut(&name);
        let missing = match (&contact, &name) {
            (None, _) => Some(problem.map(|problem| problem.to_string()).unwrap_or_default()),
            (Some(_), None) => Some("name is empty: enter one".to_owned()),
            (Some(_), Some(_)) => None,
        };
        let shared = contact.as_ref().map(|contact| self.fingerprint(contact));
        if let Some(account) =
            shared.and_then(|contact| known.get(&contact)).filter(|it| it.is_school_student)
        {
            accounts.shared.insert(student.clone(), account.uid);
            accounts.changes.push(AccountChange::Obtained(Account {
                student,
                origin: AccountOrigin::Found,
                school_name: None,
                ..account.clone()
            }));
            return None;
        }
        let state = self.state_of(Mode::CreateOnly, desired_hash, missing);
        let applicant = (state == EnrolmentState::Planned)
            .then_some(contact)
            .flatten()
            .map(|contact| Applicant { student: student.clone(), contact, name });
        accounts.registrations.insert(student.clone(), state.clone());
        accounts.operations.push(AccountOperation {
            kind: AccountKind::Register,
            student,
            state,
            desired_hash,
        });
        applicant
    }

    fn desired_hash_of(&self, person: &RosterPerson, contact: Option<&Contact>) -> u64 {
        let mut digest = MemoryKey::new(*self.key).digest("register");
        digest
            .text(person.student.as_str())
            .text(person.phone.as_deref().unwrap_or_default())
            .text(person.email.as_deref().unwrap_or_default())
            .text(contact.map(Contact::expose).unwrap_or_default())
            .number(i64::from(person.name.is_empty()));
        digest.finish().0
    }

    fn state_of(&self, least: Mode, desired_hash: u64, missing: Option<String>) -> EnrolmentState {
        if self.context.mode < least {
            return EnrolmentState::Skipped(Reason::Mode(self.context.mode));
        }
        match (missing, self.prior.holds.get(&desired_hash)) {
            (Some(_), Some(_)) if self.prior.ignored.contains(&desired_hash) => {
                EnrolmentState::Waiting(Reason::Other(IGNORED.to_owned()))
            }
            (Some(missing), _) => EnrolmentState::Cannot(Reason::Other(format!(
                "no ClassIn account can be registered: {missing}"
            ))),
            (None, Some(cause)) => EnrolmentState::Waiting(Reason::Other(cause.clone())),
            (None, None) => EnrolmentState::Planned,
        }
    }

    /// Roster and accounts side by side, both in ascending order of student: memory holds differences only.
    async fn changed_names(
        &self,
        snapshot: &mut RosterSnapshot<'_>,
        accounts: &mut Accounts,
    ) -> Result<Vec<Renaming>, ClassinSyncError> {
        let mut changed = Vec::new();
        let mut names = pin!(snapshot.names());
        let mut remembered = pin!(self.context.state.accounts());
        let mut person = names.next().await.transpose()?;
        let mut account = remembered.next().await.transpose()?;
        while let (Some(one), Some(other)) = (&person, &account) {
            if one.student < other.student {
                person = names.next().await.transpose()?;
                continue;
            }
            if one.student == other.student {
                changed.extend(self.name_change(&one.name, one.uid, other, &mut accounts.changes));
            }
            account = remembered.next().await.transpose()?;
        }
        Ok(changed)
    }

    fn name_change(
        &self,
        name: &str,
        on_roster: Option<ClassinUid>,
        account: &Account,
        changes: &mut Vec<AccountChange>,
    ) -> Option<Renaming> {
        // An account that ClassIn has not shown to be theirs at the school has no name there to speak of.
        if !account.is_school_student || on_roster.is_some_and(|uid| uid != account.uid) {
            return None;
        }
        let name = SchoolName::cut(name)?;
        let student = account.student.clone();
        match NameChange::of(&name, account.school_name.map(|known| known.0), self.key) {
            NameChange::None => None,
            NameChange::FirstSeen { fingerprint } => {
                changes.push(AccountChange::Named { student, name: Fingerprint(fingerprint) });
                None
            }
            NameChange::Changed { fingerprint } => {
                Some(Renaming { student, uid: account.uid, name, fingerprint: Fingerprint(fingerprint) })
            }
        }
    }

    /// Siblings who share an account share its one name: that of the first of them who is on the roster.
    async fn is_theirs_to_name(
        &self,
        snapshot: &mut RosterSnapshot<'_>,
        renaming: &Renaming,
    ) -> Result<bool, ClassinSyncError> {
        let owners = self.context.state.owners_of_account(renaming.uid).await?;
        if owners.first() == Some(&renaming.student) {
            return Ok(true);
        }
        let before: HashSet<StudentId> =
            owners.into_iter().take_while(|owner| *owner != renaming.student).collect();
        Ok(snapshot.active_among(&before).await?.is_empty())
    }

    fn plan_name(&self, renaming: Renaming, accounts: &mut Accounts) {
        let mut digest = MemoryKey::new(*self.key).digest("rename");
        digest.number(renaming.uid.0).number(i64::from_le_bytes(renaming.fingerprint.0.to_le_bytes()));
        let desired_hash = digest.finish().0;
        let state = self.state_of(Mode::Upsert, desired_hash, None);
        let (kind, student) = (AccountKind::Rename, renaming.student.clone());
        accounts.operations.push(AccountOperation { kind, student, state, desired_hash });
        accounts.renamings.push(renaming);
    }

    /// Fills in the accounts that we remember where the roster names none.
    pub(super) async fn fill_in(
        &self,
        members: &mut [Enrolment],
        accounts: &Accounts,
    ) -> Result<(), StoreError> {
        let without = members.iter().filter(|member| member.uid.is_none()).map(|member| &member.student);
        let known = self.context.state.accounts_among(without).await?;
        for member in members.iter_mut().filter(|member| member.uid.is_none()) {
            let ours = known.get(&member.student).filter(|account| self.is_usable(account));
            let shared = || accounts.shared.get(&member.student).copied();
            member.uid = ours.map(|account| account.uid).or_else(shared);
        }
        Ok(())
    }

    /// A uid that once stood on the roster counts when ClassIn took it; one that is not of the school yet, only
    /// where nothing more is done about that.
    fn is_usable(&self, account: &Account) -> bool {
        account.is_school_student || (account.origin != AccountOrigin::Roster && !self.side.settings.register)
    }
}
