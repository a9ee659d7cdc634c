//! The school by hand: what a person does in ClassIn's console or client, what a test sets up and looks at.
//!
//! Nothing here is a call of the service, and nothing appears in the journal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::school::{Account, Class, ClassInWorld, ClassKind, ClassOrigin, Course, CourseStatus, Role};
use crate::{Sandbox, moment};

/// The length of a class in seconds, from its creation until it is ended by hand.
const CLASS_SECONDS: i64 = 365 * 24 * 3600;

/// The members of one course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseView {
    /// Course students.
    pub students: BTreeSet<i64>,
    /// Auditors.
    pub auditors: BTreeSet<i64>,
    /// Transfer students by class.
    pub classes: BTreeMap<i64, BTreeSet<i64>>,
    /// Everybody who attends, by class: also the course students who were not transferred out of it.
    pub attendees: BTreeMap<i64, BTreeSet<i64>>,
}

/// One account as the school's console and its owner see it. Made-up people only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// The account's id.
    pub uid: i64,
    /// Phone or e-mail; empty for an account registered elsewhere.
    pub contact: String,
    /// The name shown in class.
    pub nickname: String,
    /// MD5 of the password of the first registration; empty for an account made by hand.
    pub password_md5: String,
    /// Ended by its owner, for ever.
    pub cancelled: bool,
    /// The name in the school's list; absent for an account outside the school.
    pub school_name: Option<String>,
    /// Whether it is a student of the school.
    pub is_student: bool,
}

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

    /// Creates an account that is a student of the school and answers its uid. `phone` may be an e-mail
    /// address; an account without one cannot be registered again or joined by its phone.
    pub fn create_account(&self, name: &str, phone: Option<&str>) -> i64 {
        self.school(|school| {
            let uid = school.register(phone.unwrap_or_default(), "", name);
            school.join(uid, name, true);
            uid
        })
    }

    /// All accounts, by ascending uid.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountView> {
        let world = self.world();
        let school = &world.classin;
        let view = |(uid, account): (&i64, &Account)| AccountView {
            uid: *uid,
            contact: account.contact.clone(),
            nickname: account.nickname.clone(),
            password_md5: account.md5pass.clone(),
            cancelled: account.cancelled,
            school_name: school.members.get(uid).map(|member| member.name.clone()),
            is_student: school.is_student(*uid),
        };
        school.accounts.iter().map(view).collect()
    }

    /// The name under which a member of the school is listed in its console.
    #[must_use]
    pub fn school_name(&self, uid: i64) -> Option<String> {
        self.world().classin.members.get(&uid).map(|member| member.name.clone())
    }

    /// Creates an account that is no member of the school and answers its uid.
    pub fn create_outside_account(&self, nickname: &str, contact: &str) -> i64 {
        self.school(|school| school.register(contact, "", nickname))
    }

    /// The living account with this phone or e-mail address.
    #[must_use]
    pub fn account(&self, contact: &str) -> Option<i64> {
        self.world().classin.uid_of(contact)
    }

    /// Whether an account is a student of the school.
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
                let (classes, attendees) = (BTreeMap::new(), BTreeMap::new());
                (*id, CourseView { students, auditors, classes, attendees })
            })
            .collect();
        for (class_id, class) in &school.classes {
            if let Some(view) = views.get_mut(&class.course_id) {
                view.classes.insert(*class_id, class.transfer.clone());
                view.attendees.insert(*class_id, school.attendees(class));
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

    /// Puts an account into a class, without checks.
    pub fn insert_class_member(&self, course_id: i64, class_id: i64, uid: i64) {
        self.edit_class(course_id, class_id, |class| {
            class.transfer.insert(uid);
        });
    }

    /// Takes an account out of a class.
    pub fn remove_class_member(&self, course_id: i64, class_id: i64, uid: i64) {
        self.edit_class(course_id, class_id, |class| {
            class.transfer.remove(&uid);
        });
    }

    /// Takes an account out of a course, in every role.
    pub fn remove_course_member(&self, course_id: i64, uid: i64) {
        self.edit_course(course_id, |course| {
            course.students.remove(&uid);
            course.auditors.remove(&uid);
        });
    }

    /// Gives an account a role; without a class the roles of a class are those of the course.
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

    /// Takes away every role of an account in a course and its classes, except membership.
    pub fn clear_roles(&self, course_id: i64, uid: i64) {
        self.edit_course(course_id, |course| {
            course.auditors.remove(&uid);
            course.teachers.remove(&uid);
            course.head_teacher = course.head_teacher.filter(|teacher| *teacher != uid);
        });
        self.school(|school| {
            for class in school.classes.values_mut().filter(|class| class.course_id == course_id) {
                class.teacher = class.teacher.filter(|teacher| *teacher != uid);
                class.co_teachers.remove(&uid);
                class.transferred_out.remove(&uid);
            }
        });
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

    /// Sets the status of a course.
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

    /// Takes an account out of the school: 228 from now on.
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

    fn edit_class(&self, course_id: i64, class_id: i64, edit: impl FnOnce(&mut Class)) {
        self.school(|school| {
            school.classes.get_mut(&class_id).filter(|class| class.course_id == course_id).map(edit)
        });
    }

    fn edit_course(&self, course_id: i64, edit: impl FnOnce(&mut Course)) {
        self.school(|school| school.courses.get_mut(&course_id).map(edit));
    }
}
