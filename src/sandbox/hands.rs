//! The world by hand: what a teacher does in the dashboard, what a test sets up and looks at.
//!
//! Nothing here is a call of either service, and nothing here appears in the journal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::classin::{ClassInWorld, ClassKind, ClassOrigin, CourseStatus, Role};
use super::exam::{Attempt, Candidate, NAME};
use super::{Sandbox, moment};

/// How many candidates are made between two moments in which calls can be answered.
const BULK: usize = 10_000;
/// How long a class lasts from the moment it is made, until it is ended by hand.
const CLASS_SECONDS: i64 = 365 * 24 * 3600;

/// One candidate as somebody at the dashboard sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// The candidate's id.
    pub sid: i64,
    /// The login field's value; empty where there is none.
    pub login_value: String,
    /// Values by sfid; fields without a value are left out.
    pub fields: BTreeMap<i64, String>,
    /// Groups.
    pub gids: BTreeSet<i64>,
}

/// The members of one course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseView {
    /// Course students.
    pub students: BTreeSet<i64>,
    /// Auditors.
    pub auditors: BTreeSet<i64>,
    /// Transfer students by class.
    pub classes: BTreeMap<i64, BTreeSet<i64>>,
}

/// The exam side.
impl Sandbox {
    /// Creates a group under the root and answers its gid. Titles need not be unique.
    pub fn create_group(&self, title: &str) -> i64 {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.create_group(title, 0)
    }

    /// Creates a group under another and answers its gid.
    pub fn create_group_under(&self, parent: i64, title: &str) -> i64 {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.create_group(title, parent)
    }

    /// The titles of all groups by gid.
    #[must_use]
    pub fn groups(&self) -> BTreeMap<i64, String> {
        self.world().exam.groups.iter().map(|(gid, group)| (*gid, group.title.clone())).collect()
    }

    /// All candidates, by ascending sid.
    #[must_use]
    pub fn candidates(&self) -> Vec<CandidateView> {
        let world = self.world();
        let mut views: Vec<_> = world.exam.order().iter().filter_map(|sid| view(&world.exam, *sid)).collect();
        views.sort_by_key(|view| view.sid);
        views
    }

    /// How many candidates there are.
    #[must_use]
    pub fn candidate_count(&self) -> usize {
        self.world().exam.len()
    }

    /// The first candidate with this login value.
    #[must_use]
    pub fn candidate(&self, login_value: &str) -> Option<CandidateView> {
        let world = self.world();
        world.exam.with_login(login_value).first().and_then(|sid| view(&world.exam, *sid))
    }

    /// Adds a candidate and answers its sid. Nothing is checked.
    pub fn insert_candidate(&self, fields: &[(i64, &str)], gids: &[i64]) -> i64 {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.insert(made(fields.iter().map(|(sfid, value)| (*sfid, *value)), gids))
    }

    /// Adds `n` candidates; `make` is given 0 to n - 1. Nothing is checked.
    pub fn insert_candidates(&self, n: usize, mut make: impl FnMut(usize) -> (Vec<(i64, String)>, Vec<i64>)) {
        let mut next = 0;
        while next < n {
            let end = n.min(next + BULK);
            // Made before the lock is taken: `make` may ask the sandbox itself.
            let candidates: Vec<Candidate> = (next..end)
                .map(|number| {
                    let (fields, gids) = make(number);
                    made(fields.iter().map(|(sfid, value)| (*sfid, value.as_str())), &gids)
                })
                .collect();
            let mut world = self.world();
            world.before_exam_change();
            for candidate in candidates {
                world.exam.insert(candidate);
            }
            next = end;
        }
    }

    /// Sets fields of a candidate; an empty value takes the field away.
    pub fn edit_candidate(&self, sid: i64, fields: &[(i64, &str)]) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.edit(sid, |candidate| {
            for (sfid, value) in fields {
                candidate.set(*sfid, value);
            }
        });
    }

    /// Puts a candidate into exactly these groups.
    pub fn set_candidate_groups(&self, sid: i64, gids: &[i64]) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.edit(sid, |candidate| candidate.set_groups(gids.iter().copied()));
    }

    /// Deletes a candidate; the attempts stay.
    pub fn remove_candidate(&self, sid: i64) {
        let mut world = self.world();
        world.before_exam_change();
        world.exam.remove(&[sid]);
    }

    /// The sfid of a field.
    #[must_use]
    pub fn field_id(&self, label: &str) -> Option<i64> {
        self.world().exam.field_id(label)
    }

    /// Adds an attempt of a candidate at exam `eid`, handed in half a minute after `start` (Unix seconds) or, with
    /// status 0, still running. Attempts are kept in the order they were added, the newest last.
    pub fn insert_attempt(&self, sid: i64, eid: i64, start: i64, score: i64, status: i64) {
        let mut world = self.world();
        world.before_exam_change();
        let login_value = world.exam.login_value(sid).to_owned();
        let name = world.exam.candidate(sid).map_or("", |candidate| candidate.value(NAME)).to_owned();
        let end = if status == 0 { 0 } else { start + 30 };
        world.exam.attempts.push(Attempt {
            eid,
            sid,
            login_value,
            name,
            score,
            passed: 0,
            status,
            start,
            end,
        });
    }
}

fn made<'v>(fields: impl Iterator<Item = (i64, &'v str)>, gids: &[i64]) -> Candidate {
    let mut candidate = Candidate { fields: Vec::new(), gids: Vec::new() };
    for (sfid, value) in fields {
        candidate.set(sfid, value);
    }
    candidate.set_groups(gids.iter().copied());
    candidate
}

fn view(exam: &super::exam::ExamWorld, sid: i64) -> Option<CandidateView> {
    let candidate = exam.candidate(sid)?;
    Some(CandidateView {
        sid,
        login_value: candidate.value(exam.login_field).to_owned(),
        fields: candidate.fields.iter().map(|(sfid, value)| (*sfid, value.to_string())).collect(),
        gids: candidate.gids.iter().copied().collect(),
    })
}

/// ClassIn.
impl Sandbox {
    fn school<T>(&self, change: impl FnOnce(&mut ClassInWorld) -> T) -> T {
        let mut world = self.world();
        world.unsaved = true;
        change(&mut world.classin)
    }

    /// Creates a course and answers its id.
    pub fn create_course(&self, title: &str) -> i64 {
        self.school(|school| school.create_course(title))
    }

    /// Creates a class that ends in a year and answers its id.
    pub fn create_class(&self, course_id: i64, title: &str) -> i64 {
        self.school(|school| school.create_class(course_id, title, moment::now_s() + CLASS_SECONDS))
    }

    /// Creates an account that is a student of the school and answers its uid. `phone` may be an e-mail address;
    /// without one nobody can register or join this account by its phone.
    pub fn create_account(&self, name: &str, phone: Option<&str>) -> i64 {
        self.school(|school| {
            let uid = school.register(phone.unwrap_or_default(), "", name);
            school.join(uid, name, true);
            uid
        })
    }

    /// The living account with this phone or e-mail address.
    #[must_use]
    pub fn account(&self, contact: &str) -> Option<i64> {
        self.world().classin.uid_of(contact)
    }

    /// Whether somebody is a student of the school.
    #[must_use]
    pub fn is_school_student(&self, uid: i64) -> bool {
        self.world().classin.is_student(uid)
    }

    /// All courses with their members.
    #[must_use]
    pub fn courses(&self) -> BTreeMap<i64, CourseView> {
        let world = self.world();
        let school = &world.classin;
        let mut views: BTreeMap<i64, CourseView> = school
            .courses
            .iter()
            .map(|(id, course)| {
                let (students, auditors) = (course.students.clone(), course.auditors.clone());
                (*id, CourseView { students, auditors, classes: BTreeMap::new() })
            })
            .collect();
        for (class_id, class) in &school.classes {
            if let Some(view) = views.get_mut(&class.course_id) {
                view.classes.insert(*class_id, class.transfer.clone());
            }
        }
        views
    }

    /// The transfer students of a class.
    #[must_use]
    pub fn class_members(&self, course_id: i64, class_id: i64) -> BTreeSet<i64> {
        let world = self.world();
        let class = world.classin.classes.get(&class_id).filter(|class| class.course_id == course_id);
        class.map(|class| class.transfer.clone()).unwrap_or_default()
    }

    /// The course students of a course.
    #[must_use]
    pub fn course_members(&self, course_id: i64) -> BTreeSet<i64> {
        self.world().classin.courses.get(&course_id).map(|course| course.students.clone()).unwrap_or_default()
    }

    /// Puts somebody into a class; nothing is checked.
    pub fn insert_class_member(&self, course_id: i64, class_id: i64, uid: i64) {
        self.edit_class(course_id, class_id, |class| {
            class.transfer.insert(uid);
        });
    }

    /// Takes somebody out of a class.
    pub fn remove_class_member(&self, course_id: i64, class_id: i64, uid: i64) {
        self.edit_class(course_id, class_id, |class| {
            class.transfer.remove(&uid);
        });
    }

    /// Takes somebody out of a course, whatever they are there.
    pub fn remove_course_member(&self, course_id: i64, uid: i64) {
        self.edit_course(course_id, |course| {
            course.students.remove(&uid);
            course.auditors.remove(&uid);
        });
    }

    /// Gives somebody a role; without a class the roles of a class are those of the course.
    pub fn set_role(&self, course_id: i64, class_id: Option<i64>, uid: i64, role: Role) {
        match (role, class_id) {
            (Role::Teacher, Some(class_id)) => {
                self.edit_class(course_id, class_id, |class| class.teacher = Some(uid))
            }
            (Role::CoTeacher, Some(class_id)) => self.edit_class(course_id, class_id, |class| {
                class.co_teachers.insert(uid);
            }),
            (Role::TransferredOut, Some(class_id)) => {
                self.set_role(course_id, None, uid, Role::CourseStudent);
                self.edit_class(course_id, class_id, |class| {
                    class.transferred_out.insert(uid);
                });
            }
            (Role::HeadTeacher, _) => self.edit_course(course_id, |course| course.head_teacher = Some(uid)),
            (Role::Auditor, _) => self.edit_course(course_id, |course| {
                course.auditors.insert(uid);
            }),
            (Role::CourseStudent | Role::TransferredOut, _) => self.edit_course(course_id, |course| {
                course.students.insert(uid);
            }),
            (Role::Teacher | Role::CoTeacher, None) => self.edit_course(course_id, |course| {
                course.teachers.insert(uid);
            }),
        }
    }

    /// Ends a class, long enough ago for every reading of 145.
    pub fn end_class(&self, course_id: i64, class_id: i64) {
        self.set_class_end(course_id, class_id, moment::now_s() - 21 * 60);
    }

    /// Sets when a class ends, in Unix seconds.
    pub fn set_class_end(&self, course_id: i64, class_id: i64, end_s: i64) {
        self.edit_class(course_id, class_id, |class| class.end = end_s);
    }

    /// Deletes a class.
    pub fn delete_class(&self, course_id: i64, class_id: i64) {
        self.edit_class(course_id, class_id, |class| class.deleted = true);
    }

    /// Says where a class was made.
    pub fn set_class_origin(&self, course_id: i64, class_id: i64, origin: ClassOrigin) {
        self.edit_class(course_id, class_id, |class| class.origin = origin);
    }

    /// Makes a class an open one, or a usual one again.
    pub fn set_class_kind(&self, course_id: i64, class_id: i64, kind: ClassKind) {
        self.edit_class(course_id, class_id, |class| class.kind = kind);
    }

    /// Sets how many students a class holds, 0 for any number, instead of what the switch says.
    pub fn set_class_capacity(&self, course_id: i64, class_id: i64, capacity: usize) {
        self.edit_class(course_id, class_id, |class| class.capacity = Some(capacity));
    }

    /// Sets how many students a course holds, 0 for any number, instead of what the switch says.
    pub fn set_course_capacity(&self, course_id: i64, capacity: usize) {
        self.edit_course(course_id, |course| course.capacity = Some(capacity));
    }

    /// Sets where a course stands in its life.
    pub fn set_course_status(&self, course_id: i64, status: CourseStatus) {
        self.edit_course(course_id, |course| course.status = status);
    }

    /// Makes a course one whose members cannot be managed, or a usual one again.
    pub fn set_course_kind(&self, course_id: i64, kind: ClassKind) {
        self.edit_course(course_id, |course| course.kind = kind);
    }

    /// The owner cancels an account: 886 from now on.
    pub fn cancel_account(&self, uid: i64) {
        self.school(|school| school.cancel(uid));
    }

    /// Takes somebody out of the school: 228 from now on.
    pub fn leave_school(&self, uid: i64) {
        self.school(|school| {
            school.members.remove(&uid);
        });
    }

    /// Makes an account the school's own: 128.
    pub fn make_school_account(&self, uid: i64) {
        self.school(|school| {
            if let Some(account) = school.accounts.get_mut(&uid) {
                account.of_the_school = true;
            }
        });
    }

    /// Retires an action: 102 from now on.
    pub fn retire_action(&self, action: &str) {
        self.school(|school| school.retired.insert(action.to_owned()));
    }

    /// Grants or withdraws the school's permission to use the interface at all.
    pub fn set_permission(&self, permitted: bool) {
        self.school(|school| school.permitted = permitted);
    }

    fn edit_class(&self, course_id: i64, class_id: i64, edit: impl FnOnce(&mut super::classin::Class)) {
        self.school(|school| {
            school.classes.get_mut(&class_id).filter(|class| class.course_id == course_id).map(edit)
        });
    }

    fn edit_course(&self, course_id: i64, edit: impl FnOnce(&mut super::classin::Course)) {
        self.school(|school| school.courses.get_mut(&course_id).map(edit));
    }
}
