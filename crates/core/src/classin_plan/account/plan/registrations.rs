//! Whose account is registered, and by which contact.

use std::collections::HashMap;

use super::{AccountPlan, AccountPlanner, Application};
use crate::classin_plan::account::{
    Account, AccountKind, AccountOperation, AccountOrigin, Applicant, Contact, ContactReading, Doubt,
    Registration, SchoolName, registrations,
};
use crate::classin_plan::enrolment::{EnrolmentState, SharedKey};
use crate::exam_plan::{Fingerprint, MemoryKey};
use crate::roster::{ClassinUid, Mode, RosterPerson, RosterProblem, StudentId};

impl AccountPlanner<'_> {
    /// The fingerprint of the contact by which this student's account is asked for; absent where nothing is usable.
    #[must_use]
    pub fn contact_of(&self, person: &RosterPerson) -> Option<Fingerprint> {
        self.read(person).contact.as_ref().map(|contact| self.fingerprint(contact))
    }

    /// What stands for this student on ClassIn: an account, or the contact by which one is asked for.
    #[must_use]
    pub fn known_by(
        &self,
        person: &RosterPerson,
        on_roster: Option<ClassinUid>,
        remembered: Option<&Account>,
    ) -> Vec<SharedKey> {
        if let Some(uid) = on_roster {
            return vec![SharedKey::Uid(uid)];
        }
        let is_believed =
            |account: &&Account| self.is_usable(account) && !self.doubts.contains_key(&person.student);
        let account = remembered.filter(is_believed).map(|account| SharedKey::Uid(account.uid));
        let contact = if self.registers { self.contact_of(person) } else { None };
        account.into_iter().chain(contact.map(SharedKey::Contact)).collect()
    }

    /// Plans an account for each of these students, who have none that is believed. `known` are the accounts that are
    /// remembered of them. What was learnt for one student says nothing about another: ClassIn is asked for each contact.
    pub fn plan_registrations(
        &self,
        people: Vec<RosterPerson>,
        known: &HashMap<StudentId, Account>,
        plan: &mut AccountPlan,
    ) {
        let mut wanted: Vec<(AccountOperation, Option<Applicant>)> =
            people.into_iter().map(|person| self.plan_registration(person, plan)).collect();
        self.hold_changed_contacts(&mut wanted);
        let mut applicants: Vec<Applicant> = Vec::new();
        for (operation, applicant) in wanted {
            if self.counts_as_changed_contact(&operation) {
                plan.changed_contacts.insert(operation.student.clone());
            }
            applicants.extend(applicant.filter(|_| operation.is_planned()));
            plan.registrations.insert(operation.student.clone(), operation.state.clone());
            plan.operations.push(operation);
        }
        let application = |account: Registration| {
            let known = self.known_of(&account, known);
            Application { account, known }
        };
        plan.doubts.clone_from(self.doubts);
        plan.applications = registrations(applicants, self.key).into_iter().map(application).collect();
    }

    /// The account that an earlier run obtained for just these students by just this contact.
    fn known_of(&self, account: &Registration, known: &HashMap<StudentId, Account>) -> Option<Account> {
        let contact = Some(self.fingerprint(&account.contact));
        let of = |student: &StudentId| {
            let is_believed = |one: &&Account| {
                one.origin != AccountOrigin::Roster
                    && one.contact == contact
                    && one.refused.is_none()
                    && !self.doubts.contains_key(student)
            };
            known.get(student).filter(is_believed)
        };
        let first = of(account.students.first()?)?;
        let is_the_same = |student| of(student).is_some_and(|one| one.uid == first.uid);
        account.students.iter().all(is_the_same).then(|| first.clone())
    }

    fn read(&self, person: &RosterPerson) -> ContactReading {
        let phone = person.phone.as_deref().unwrap_or_default();
        let email = person.email.as_deref().unwrap_or_default();
        Contact::read(phone, email, self.home)
    }

    fn fingerprint(&self, contact: &Contact) -> Fingerprint {
        Fingerprint(contact.fingerprint(self.key))
    }

    fn plan_registration(
        &self,
        person: RosterPerson,
        plan: &mut AccountPlan,
    ) -> (AccountOperation, Option<Applicant>) {
        let ContactReading { contact, problem } = self.read(&person);
        let desired_hash = self.registration_hash(&person, contact.as_ref());
        let RosterPerson { student, name, .. } = person;
        if let (Some(_), Some(problem)) = (&contact, &problem) {
            let (table, key, what) = ("students", student.as_str().to_owned(), problem.to_string());
            plan.problems.push(RosterProblem { table, key, what });
        }
        let name = SchoolName::cut(&name);
        let missing = match (&contact, &name) {
            (None, _) => Some(problem.map(|problem| problem.to_string()).unwrap_or_default()),
            (Some(_), None) => Some("name is empty: enter one".to_owned()),
            (Some(_), Some(_)) => None,
        };
        let state = self.state_of(Mode::CreateOnly, desired_hash, missing);
        let state = if state == EnrolmentState::Planned { self.shared.state_of(&student) } else { state };
        let applicant = contact.map(|contact| Applicant { student: student.clone(), contact, name });
        (AccountOperation { kind: AccountKind::Register, student, state, desired_hash }, applicant)
    }

    fn registration_hash(&self, person: &RosterPerson, contact: Option<&Contact>) -> u64 {
        let mut digest = MemoryKey::new(*self.key).digest("register");
        digest
            .text(person.student.as_str())
            .text(person.phone.as_deref().unwrap_or_default())
            .text(person.email.as_deref().unwrap_or_default())
            .text(contact.map(Contact::expose).unwrap_or_default())
            .number(i64::from(person.name.is_empty()));
        // That an account is dead is another matter than whatever failed before.
        if let Some(Doubt::NoSuchAccount { uid, code }) = self.doubts.get(&person.student) {
            digest.number(uid.0).number(code.0);
        }
        digest.finish().0
    }
}
