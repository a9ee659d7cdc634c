//! The school's state: accounts, members, courses, classes. It decides nothing about answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// An account of ClassIn, of any school.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Phone or e-mail; empty for an account registered elsewhere.
    pub(crate) contact: String,
    /// MD5 of the password, set at the first registration.
    pub(crate) md5pass: String,
    /// The name shown in class.
    pub(crate) nickname: String,
    /// Ended by its owner, for ever.
    pub(crate) cancelled: bool,
    /// The school's own account, which cannot be its student.
    pub(crate) of_the_school: bool,
}

/// Membership of the school.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Not a uid, although it looks like one.
    pub(crate) relation_id: i64,
    /// Shown in the console.
    pub(crate) name: String,
    /// Student, or else teacher.
    pub(crate) is_student: bool,
}

/// The status of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CourseStatus {
    /// Members can be changed.
    Running,
    /// 153.
    Expired,
    /// 149.
    Deleted,
}

/// Whether members can be managed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassKind {
    /// The usual kind.
    Standard,
    /// An open class: 369.
    Open,
}

/// The program that made a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassOrigin {
    /// By the interface this sandbox simulates.
    V1,
    /// By the newer interface.
    V2,
    /// By a person in the client: 466.
    Client,
}

/// The role of an account in a course or class, when set by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The class's teacher (129); of a course: one of its teachers (332).
    Teacher,
    /// The class's co-teacher (329); of a course: one of its teachers (332).
    CoTeacher,
    /// The course's head teacher (333).
    HeadTeacher,
    /// An auditor of the course (164).
    Auditor,
    /// A course student, who attends every class of the course.
    CourseStudent,
    /// A course student who was taken out of this class.
    TransferredOut,
}

/// One course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Course {
    pub(crate) title: String,
    pub(crate) status: CourseStatus,
    pub(crate) kind: ClassKind,
    pub(crate) students: BTreeSet<i64>,
    pub(crate) auditors: BTreeSet<i64>,
    pub(crate) teachers: BTreeSet<i64>,
    pub(crate) head_teacher: Option<i64>,
    /// `None`: what the switch says.
    pub(crate) capacity: Option<usize>,
}

/// One class of a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Class {
    pub(crate) course_id: i64,
    pub(crate) title: String,
    /// Unix seconds.
    pub(crate) end: i64,
    pub(crate) deleted: bool,
    pub(crate) kind: ClassKind,
    pub(crate) origin: ClassOrigin,
    pub(crate) teacher: Option<i64>,
    pub(crate) co_teachers: BTreeSet<i64>,
    /// Students of this class only.
    pub(crate) transfer: BTreeSet<i64>,
    /// Course students taken out of this class.
    pub(crate) transferred_out: BTreeSet<i64>,
    /// `None`: what the switch says.
    pub(crate) capacity: Option<usize>,
}

/// The whole school.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ClassInWorld {
    pub(crate) accounts: BTreeMap<i64, Account>,
    pub(crate) members: BTreeMap<i64, Member>,
    pub(crate) courses: BTreeMap<i64, Course>,
    pub(crate) classes: BTreeMap<i64, Class>,
    /// Actions that answer 102 since the vendor retired them.
    pub(crate) retired: BTreeSet<String>,
    /// Whether the school may use the interface at all.
    pub(crate) permitted: bool,
    pub(crate) next_uid: i64,
    next_course: i64,
    next_class: i64,
    next_relation: i64,
    /// Living accounts by phone or e-mail.
    #[serde(skip)]
    by_contact: HashMap<String, i64>,
    /// Calls under the rule of the same parameters, and when they first came.
    #[serde(skip)]
    pub(crate) recent: HashMap<String, Instant>,
}

impl Default for ClassInWorld {
    fn default() -> Self {
        ClassInWorld {
            accounts: BTreeMap::new(),
            members: BTreeMap::new(),
            courses: BTreeMap::new(),
            classes: BTreeMap::new(),
            retired: BTreeSet::new(),
            permitted: true,
            next_uid: 1_001_001,
            next_course: 490_001,
            next_class: 1_300_001,
            next_relation: 7_000_001,
            by_contact: HashMap::new(),
            recent: HashMap::new(),
        }
    }
}

impl ClassInWorld {
    /// Builds what is derived from the accounts anew.
    pub(crate) fn reindex(&mut self) {
        let living =
            self.accounts.iter().filter(|(_, account)| !account.cancelled && !account.contact.is_empty());
        self.by_contact = living.map(|(uid, account)| (account.contact.clone(), *uid)).collect();
    }

    /// The living account with this phone or e-mail.
    pub(crate) fn uid_of(&self, contact: &str) -> Option<i64> {
        self.by_contact.get(contact).copied()
    }

    /// Whether an account with this phone or e-mail was cancelled and none has come since.
    pub(crate) fn was_cancelled(&self, contact: &str) -> bool {
        self.uid_of(contact).is_none() && self.accounts.values().any(|account| account.contact == contact)
    }

    /// Adds an account and answers its uid.
    pub(crate) fn register(&mut self, contact: &str, md5pass: &str, nickname: &str) -> i64 {
        while self.accounts.contains_key(&self.next_uid) {
            self.next_uid += 1;
        }
        let uid = self.next_uid;
        self.next_uid += 1;
        self.insert_account(uid, contact, md5pass, nickname);
        uid
    }

    /// Adds an account under a uid that is free.
    pub(crate) fn insert_account(&mut self, uid: i64, contact: &str, md5pass: &str, nickname: &str) {
        let account = Account {
            contact: contact.to_owned(),
            md5pass: md5pass.to_owned(),
            nickname: nickname.to_owned(),
            cancelled: false,
            of_the_school: false,
        };
        if !contact.is_empty() {
            self.by_contact.insert(contact.to_owned(), uid);
        }
        self.accounts.insert(uid, account);
    }

    /// Ends an account for ever.
    pub(crate) fn cancel(&mut self, uid: i64) {
        if let Some(account) = self.accounts.get_mut(&uid) {
            account.cancelled = true;
            if self.by_contact.get(&account.contact) == Some(&uid) {
                self.by_contact.remove(&account.contact);
            }
        }
    }

    /// Gives a living account another phone or e-mail; empty for none. Nobody else is found by it any more.
    pub(crate) fn change_contact(&mut self, uid: i64, contact: &str) {
        let holder = self.uid_of(contact).filter(|holder| *holder != uid);
        for (uid, contact) in holder.map(|holder| (holder, "")).into_iter().chain([(uid, contact)]) {
            let Some(account) = self.accounts.get_mut(&uid).filter(|account| !account.cancelled) else {
                continue;
            };
            self.by_contact.remove(&account.contact);
            contact.clone_into(&mut account.contact);
            if !contact.is_empty() {
                self.by_contact.insert(contact.to_owned(), uid);
            }
        }
    }

    /// Everybody who attends a class: the students of its course are in all its classes, but for those who were taken
    /// out of this one.
    pub(crate) fn attendees(&self, class: &Class) -> BTreeSet<i64> {
        let of_course = self.courses.get(&class.course_id).map(|course| &course.students);
        let attending = of_course.into_iter().flatten().filter(|uid| !class.transferred_out.contains(uid));
        attending.chain(&class.transfer).copied().collect()
    }

    /// Makes an account a member of the school; answers the relation id.
    pub(crate) fn join(&mut self, uid: i64, name: &str, is_student: bool) -> i64 {
        let next = self.next_relation;
        let member = self.members.entry(uid).or_insert_with(|| {
            self.next_relation += 1;
            Member { relation_id: next, name: name.to_owned(), is_student }
        });
        // A teacher who is added as a student becomes a student.
        member.is_student |= is_student;
        member.relation_id
    }

    /// Whether an account is a student of the school.
    pub(crate) fn is_student(&self, uid: i64) -> bool {
        self.members.get(&uid).is_some_and(|member| member.is_student)
    }

    /// Adds a course.
    pub(crate) fn create_course(&mut self, title: &str) -> i64 {
        let course_id = self.next_course;
        self.next_course += 1;
        self.insert_course(course_id, title);
        course_id
    }

    /// Adds a course under an id that is free.
    pub(crate) fn insert_course(&mut self, course_id: i64, title: &str) {
        let course = Course {
            title: title.to_owned(),
            status: CourseStatus::Running,
            kind: ClassKind::Standard,
            students: BTreeSet::new(),
            auditors: BTreeSet::new(),
            teachers: BTreeSet::new(),
            head_teacher: None,
            capacity: None,
        };
        self.courses.insert(course_id, course);
        self.next_course = self.next_course.max(course_id + 1);
    }

    /// Adds a class.
    pub(crate) fn create_class(&mut self, course_id: i64, title: &str, end: i64) -> i64 {
        let class_id = self.next_class;
        self.insert_class(course_id, class_id, title, end);
        class_id
    }

    /// Adds a class under an id that is free.
    pub(crate) fn insert_class(&mut self, course_id: i64, class_id: i64, title: &str, end: i64) {
        let class = Class {
            course_id,
            title: title.to_owned(),
            end,
            deleted: false,
            kind: ClassKind::Standard,
            origin: ClassOrigin::V1,
            teacher: None,
            co_teachers: BTreeSet::new(),
            transfer: BTreeSet::new(),
            transferred_out: BTreeSet::new(),
            capacity: None,
        };
        self.classes.insert(class_id, class);
        self.next_class = self.next_class.max(class_id + 1);
    }
}
