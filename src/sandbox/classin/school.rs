//! The school's state: accounts, members, courses, classes. It decides nothing about answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// An account of ClassIn, of whatever school.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Account {
    /// Phone or e-mail; empty for one that nobody registered here.
    pub(in crate::sandbox) contact: String,
    /// MD5 of the password, set at the first registration.
    pub(in crate::sandbox) md5pass: String,
    /// What is shown in class.
    pub(in crate::sandbox) nickname: String,
    /// Ended by its owner, for ever.
    pub(in crate::sandbox) cancelled: bool,
    /// The school's own account, which cannot be its student.
    pub(in crate::sandbox) of_the_school: bool,
}

/// Membership of the school.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Member {
    /// Not a uid, although it looks like one.
    pub(in crate::sandbox) relation_id: i64,
    /// Shown in the console.
    pub(in crate::sandbox) name: String,
    /// Student, or else teacher.
    pub(in crate::sandbox) is_student: bool,
}

/// Where a course stands in its life.
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

/// Where a class was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassOrigin {
    /// By the interface this sandbox simulates.
    V1,
    /// By the newer interface.
    V2,
    /// By a person in the client: 466.
    Client,
}

/// What somebody is in a course or class, when set by hand.
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
pub(in crate::sandbox) struct Course {
    pub(in crate::sandbox) title: String,
    pub(in crate::sandbox) status: CourseStatus,
    pub(in crate::sandbox) kind: ClassKind,
    pub(in crate::sandbox) students: BTreeSet<i64>,
    pub(in crate::sandbox) auditors: BTreeSet<i64>,
    pub(in crate::sandbox) teachers: BTreeSet<i64>,
    pub(in crate::sandbox) head_teacher: Option<i64>,
    /// `None`: what the switch says.
    pub(in crate::sandbox) capacity: Option<usize>,
}

/// One class of a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Class {
    pub(in crate::sandbox) course_id: i64,
    pub(in crate::sandbox) title: String,
    /// Unix seconds.
    pub(in crate::sandbox) end: i64,
    pub(in crate::sandbox) deleted: bool,
    pub(in crate::sandbox) kind: ClassKind,
    pub(in crate::sandbox) origin: ClassOrigin,
    pub(in crate::sandbox) teacher: Option<i64>,
    pub(in crate::sandbox) co_teachers: BTreeSet<i64>,
    /// Students of this class only.
    pub(in crate::sandbox) transfer: BTreeSet<i64>,
    /// Course students taken out of this class.
    pub(in crate::sandbox) transferred_out: BTreeSet<i64>,
    /// `None`: what the switch says.
    pub(in crate::sandbox) capacity: Option<usize>,
}

/// The whole school.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::sandbox) struct ClassInWorld {
    pub(in crate::sandbox) accounts: BTreeMap<i64, Account>,
    pub(in crate::sandbox) members: BTreeMap<i64, Member>,
    pub(in crate::sandbox) courses: BTreeMap<i64, Course>,
    pub(in crate::sandbox) classes: BTreeMap<i64, Class>,
    /// Actions that answer 102 since the vendor retired them.
    pub(in crate::sandbox) retired: BTreeSet<String>,
    /// Whether the school may use the interface at all.
    pub(in crate::sandbox) permitted: bool,
    pub(in crate::sandbox) next_uid: i64,
    next_course: i64,
    next_class: i64,
    next_relation: i64,
    /// Living accounts by phone or e-mail.
    #[serde(skip)]
    by_contact: HashMap<String, i64>,
    /// Calls under the rule of the same parameters, and when they first came.
    #[serde(skip)]
    pub(in crate::sandbox) recent: HashMap<String, Instant>,
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
    pub(in crate::sandbox) fn reindex(&mut self) {
        let living =
            self.accounts.iter().filter(|(_, account)| !account.cancelled && !account.contact.is_empty());
        self.by_contact = living.map(|(uid, account)| (account.contact.clone(), *uid)).collect();
    }

    /// The living account with this phone or e-mail.
    pub(in crate::sandbox) fn uid_of(&self, contact: &str) -> Option<i64> {
        self.by_contact.get(contact).copied()
    }

    /// Whether an account with this phone or e-mail was cancelled and none has come since.
    pub(in crate::sandbox) fn was_cancelled(&self, contact: &str) -> bool {
        self.uid_of(contact).is_none() && self.accounts.values().any(|account| account.contact == contact)
    }

    /// Adds an account and answers its uid.
    pub(in crate::sandbox) fn register(&mut self, contact: &str, md5pass: &str, nickname: &str) -> i64 {
        while self.accounts.contains_key(&self.next_uid) {
            self.next_uid += 1;
        }
        let uid = self.next_uid;
        self.next_uid += 1;
        self.insert_account(uid, contact, md5pass, nickname);
        uid
    }

    /// Adds an account under a uid that is free.
    pub(in crate::sandbox) fn insert_account(
        &mut self,
        uid: i64,
        contact: &str,
        md5pass: &str,
        nickname: &str,
    ) {
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
    pub(in crate::sandbox) fn cancel(&mut self, uid: i64) {
        if let Some(account) = self.accounts.get_mut(&uid) {
            account.cancelled = true;
            if self.by_contact.get(&account.contact) == Some(&uid) {
                self.by_contact.remove(&account.contact);
            }
        }
    }

    /// Makes somebody a member of the school; answers the relation id.
    pub(in crate::sandbox) fn join(&mut self, uid: i64, name: &str, is_student: bool) -> i64 {
        let next = self.next_relation;
        let member = self.members.entry(uid).or_insert_with(|| {
            self.next_relation += 1;
            Member { relation_id: next, name: name.to_owned(), is_student }
        });
        // Whoever was a teacher and is now added as a student is a student.
        member.is_student |= is_student;
        member.relation_id
    }

    /// Whether somebody is a student of the school.
    pub(in crate::sandbox) fn is_student(&self, uid: i64) -> bool {
        self.members.get(&uid).is_some_and(|member| member.is_student)
    }

    /// Adds a course.
    pub(in crate::sandbox) fn create_course(&mut self, title: &str) -> i64 {
        let course_id = self.next_course;
        self.next_course += 1;
        self.insert_course(course_id, title);
        course_id
    }

    /// Adds a course under an id that is free.
    pub(in crate::sandbox) fn insert_course(&mut self, course_id: i64, title: &str) {
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
    pub(in crate::sandbox) fn create_class(&mut self, course_id: i64, title: &str, end: i64) -> i64 {
        let class_id = self.next_class;
        self.insert_class(course_id, class_id, title, end);
        class_id
    }

    /// Adds a class under an id that is free.
    pub(in crate::sandbox) fn insert_class(&mut self, course_id: i64, class_id: i64, title: &str, end: i64) {
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
