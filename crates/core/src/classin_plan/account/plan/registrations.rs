//! Whose account is registered, and by which contact.

use std::collections::HashMap;

use super::{AccountPlan, AccountPlanner, Application};
use crate::classin_plan::account::{
    Account, AccountChange, AccountKind, AccountOperation, AccountOrigin, Applicant, Contact, ContactReading,
    Registration, SchoolName, registrations,
};
use crate::classin_plan::enrolment::EnrolmentState;
use crate::exam_plan::{Fingerprint, MemoryKey};
use crate::roster::{Mode, RosterPerson, RosterProblem};

impl AccountPlanner<'_> {
    /// The fingerprint of the contact by which this student's account is asked for; absent where nothing is usable.
    #[must_use]
    pub fn contact_of(&self, person: &RosterPerson) -> Option<Fingerprint> {
        self.read(person).contact.as_ref().map(|contact| self.fingerprint(contact))
    }

    /// Plans an account for each of these students, who have none that we know of. `known` are the accounts that
    /// were obtained by their contacts earlier, for whichever student.
    pub fn plan_registrations(
        &self,
        people: Vec<RosterPerson>,
        known: &HashMap<Fingerprint, Account>,
        plan: &mut AccountPlan,
    ) {
        let mut applicants = Vec::new();
        for person in people {
            applicants.extend(self.plan_registration(person, known, plan));
        }
        let application = |account: Registration| {
            let known = known.get(&self.fingerprint(&account.contact)).cloned();
            Application { account, known }
        };
        plan.applications = registrations(applicants, self.key).into_iter().map(application).collect();
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
        known: &HashMap<Fingerprint, Account>,
        plan: &mut AccountPlan,
    ) -> Option<Applicant> {
        let ContactReading { contact, problem } = self.read(&person);
        let desired_hash = self.registration_hash(&person, contact.as_ref());
        let RosterPerson { student, name, .. } = person;
        if let (Some(_), Some(problem)) = (&contact, &problem) {
            let (table, key, what) = ("students", student.as_str().to_owned(), problem.to_string());
            plan.problems.push(RosterProblem { table, key, what });
        }
        let shared = contact.as_ref().and_then(|contact| known.get(&self.fingerprint(contact)));
        if let Some(account) = shared.filter(|account| account.is_school_student) {
            plan.shared.insert(student.clone(), account.uid);
            plan.changes.push(AccountChange::Obtained(Account {
                student,
                origin: AccountOrigin::Found,
                school_name: None,
                ..account.clone()
            }));
            return None;
        }
        let name = SchoolName::cut(&name);
        let missing = match (&contact, &name) {
            (None, _) => Some(problem.map(|problem| problem.to_string()).unwrap_or_default()),
            (Some(_), None) => Some("name is empty: enter one".to_owned()),
            (Some(_), Some(_)) => None,
        };
        let state = self.state_of(Mode::CreateOnly, desired_hash, missing);
        plan.registrations.insert(student.clone(), state.clone());
        let (kind, applicant) = (AccountKind::Register, student.clone());
        let is_planned = state == EnrolmentState::Planned;
        plan.operations.push(AccountOperation { kind, student, state, desired_hash });
        let contact = contact.filter(|_| is_planned)?;
        Some(Applicant { student: applicant, contact, name })
    }

    fn registration_hash(&self, person: &RosterPerson, contact: Option<&Contact>) -> u64 {
        let mut digest = MemoryKey::new(*self.key).digest("register");
        digest
            .text(person.student.as_str())
            .text(person.phone.as_deref().unwrap_or_default())
            .text(person.email.as_deref().unwrap_or_default())
            .text(contact.map(Contact::expose).unwrap_or_default())
            .number(i64::from(person.name.is_empty()));
        digest.finish().0
    }
}
