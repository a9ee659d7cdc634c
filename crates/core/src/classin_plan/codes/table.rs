//! The rows: one code a row, in ascending order.
//!
//! Contract: docs/contracts/classin.md, 6.1. The meaning is documented; the class is our own decision. A
//! failure counts at every call. A code that claims success or asks for a repair counts only at the calls it
//! is documented for: "is in the class already" in answer to a removal must never be read as "is gone
//! already".

use super::{
    Call, Code,
    CodeClass::{self, Already, Class, Course, Done, Full, Repair, Retry, Run, Student},
    Stop::{Maintenance, NoPermission, OurMistake},
};

/// One code.
pub(super) struct CodeRow {
    pub(super) code: Code,
    pub(super) calls: &'static [Call],
    pub(super) class: CodeClass,
    pub(super) message: &'static str,
    pub(super) exception: Option<Exception>,
    /// What it says beyond its class, at whatever call.
    pub(super) says: &'static [Says],
}

/// What single codes say beyond their class: each is one question of [`Code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    JoinTheSchool,
    Registered,
    TooSoon,
    ClassEnded,
    ClassDeleted,
    NotThere,
    NoSuchAccount,
    AccountGone,
    OneValueOrTheCall,
    NoMember,
    MadeInTheApp,
}

/// Calls at which the code means something else.
#[derive(Clone, Copy)]
pub(super) struct Exception {
    pub(super) calls: &'static [Call],
    pub(super) class: CodeClass,
    pub(super) message: &'static str,
}

const EVERYWHERE: &[Call] = &Call::ALL;
const ADDS: &[Call] = &[Call::ClassAdd, Call::CourseAdd];
/// The calls that take only students of the school.
const STUDENTS_ONLY: &[Call] = &[Call::ClassAdd, Call::CourseAdd, Call::SchoolName];
const CLASS_ADD: &[Call] = &[Call::ClassAdd];
const CLASS_REMOVE: &[Call] = &[Call::ClassRemove];
const COURSE_ADD: &[Call] = &[Call::CourseAdd];
const COURSE_REMOVE: &[Call] = &[Call::CourseRemove];
const COURSE_CALLS: &[Call] = &[Call::CourseAdd, Call::CourseRemove];
const REGISTER: &[Call] = &[Call::Register];
const REGISTRATIONS: &[Call] = &[Call::Register, Call::RegisterMultiple];
const SCHOOL_STUDENT: &[Call] = &[Call::SchoolStudent];

const THIS_RUN: bool = false;
const FOR_GOOD: bool = true;

const fn row(code: i64, class: CodeClass, message: &'static str) -> CodeRow {
    CodeRow { code: Code(code), calls: EVERYWHERE, class, message, exception: None, says: &[] }
}

impl CodeRow {
    const fn only_at(mut self, calls: &'static [Call]) -> Self {
        self.calls = calls;
        self
    }

    const fn saying(mut self, says: &'static [Says]) -> Self {
        self.says = says;
        self
    }

    const fn but_at(mut self, calls: &'static [Call], class: CodeClass, message: &'static str) -> Self {
        self.exception = Some(Exception { calls, class, message });
        self
    }
}

/// For a code that is not in the table.
pub(super) const NOT_LISTED: &str =
    "ClassIn answered with a code that rosterd does not know; ask ClassIn's support what it means";

/// For a code of the table that makes no sense at this call.
pub(super) const UNEXPECTED_HERE: &str =
    "ClassIn answered with a code that does not belong to this call; ask ClassIn's support what it means";

const REFUSED_102: &str = "ClassIn refuses rosterd's credentials; the cause is one of seven: the SID is \
     wrong, the signature does not fit the secret, the secret was mistyped (copy it \
     from ClassIn's console), this machine's clock is more than 20 minutes off, the \
     account has no API permission, the endpoint was retired, or the contract has \
     ended or is in arrears";

const NO_SUCH_CLASS: &str = "ClassIn knows no such class; correct its course_id and class_id on the roster";

const NO_SUCH_COURSE: &str =
    "the school has no such course on ClassIn; correct course_id on the roster or check the SID";

const OPEN_CLASS: &str = "open classes do not let rosterd edit who is in them; enter the students in \
     ClassIn's console, or take the ids off the roster";

const UNSUITABLE_PHONE: &str = "ClassIn refuses the phone number; write mainland numbers as 11 digits \
     without country code, others as 00, country, hyphen, number";

const OVER_CAPACITY: &str =
    "there is no room left; ClassIn's account manager can raise the limit, or remove somebody";

const NO_PICTURES: &str = "ClassIn complains of a picture although rosterd sends none; ask ClassIn's support";

const NO_TEACHERS: &str =
    "ClassIn speaks of a teacher although rosterd registers students only; ask ClassIn's support";

const CANCELLED: &str = "the owner has cancelled this ClassIn account for ever; one that rosterd found itself is found \
     anew in the next run, otherwise enter the new uid on the roster";

const TEACHES_COURSE: &str = "this person teaches the course and cannot be its student; take them off the \
     roster's class, or change the role in ClassIn";

const NOT_USED: &str =
    "ClassIn answered with the code of a call that rosterd does not make; ask ClassIn's support";

const SERVER_EXCEPTION: &str = "ClassIn had an internal error; rosterd tries again later";

/// The whole of it.
pub(super) const TABLE: &[CodeRow] = &[
    row(1, Done, "done").saying(&[Says::Registered]),
    row(
        100,
        Run(OurMistake),
        "ClassIn finds a parameter missing or wrong; if it is one student's, check their row, else \
         report it as a defect of rosterd",
    )
    .saying(&[Says::OneValueOrTheCall]),
    row(102, Run(NoPermission), REFUSED_102),
    row(104, Retry, "ClassIn failed unexpectedly; rosterd tries again later"),
    row(
        106,
        Student,
        "ClassIn found no data to work on; check the student's membership in ClassIn's console",
    ),
    row(113, Student, "this phone number has no ClassIn account; the student must register, or have it done")
        .but_at(
            SCHOOL_STUDENT,
            Repair,
            "the student has no ClassIn account yet; rosterd registers one where the settings allow it, \
             otherwise the student must register",
        )
        .saying(&[Says::AccountGone]),
    row(114, Retry, SERVER_EXCEPTION),
    row(125, Student, UNSUITABLE_PHONE),
    row(
        128,
        Student,
        "this is the school's own account, which cannot be a student; give the student another \
         account",
    ),
    row(
        129,
        Student,
        "this person is a teacher there and cannot be added as a student; change the role in ClassIn, \
         or take them off the roster's class",
    )
    .saying(&[Says::NoMember]),
    row(130, Full, OVER_CAPACITY),
    row(131, Retry, "ClassIn could not register the account just now; rosterd tries again later").but_at(
        ADDS,
        Student,
        "ClassIn could not register this student's account; check the account in ClassIn's console",
    ),
    row(133, Already, "is a student of the school already").only_at(SCHOOL_STUDENT).but_at(
        COURSE_ADD,
        Retry,
        "ClassIn saw one student twice in one call; rosterd sends them one by one",
    ),
    row(134, Student, UNSUITABLE_PHONE),
    row(135, Already, "this phone number has a ClassIn account already").only_at(REGISTRATIONS),
    row(
        137,
        Student,
        "ClassIn refuses the random password that rosterd made; report it as a defect of rosterd",
    ),
    row(
        142,
        Class { for_good: THIS_RUN },
        "the course has no such class; correct the pair of course_id and class_id on the roster",
    )
    .saying(&[Says::NotThere]),
    row(143, Class { for_good: THIS_RUN }, NO_SUCH_CLASS).saying(&[Says::NotThere]),
    row(144, Course { for_good: THIS_RUN }, NO_SUCH_COURSE).saying(&[Says::NotThere]),
    row(
        145,
        Class { for_good: FOR_GOOD },
        "the class has ended; ClassIn no longer changes who was in it, and nothing is to be done",
    )
    .saying(&[Says::ClassEnded]),
    row(147, Course { for_good: THIS_RUN }, "ClassIn knows no such course; correct course_id on the roster")
        .saying(&[Says::NotThere]),
    row(
        149,
        Course { for_good: FOR_GOOD },
        "the course was deleted in ClassIn; take its ids off the roster, or enter those of its \
         successor",
    )
    .saying(&[Says::ClassDeleted]),
    row(
        153,
        Course { for_good: THIS_RUN },
        "the course has expired; a school administrator can extend it in ClassIn's console",
    ),
    row(
        155,
        Run(OurMistake),
        "ClassIn could not read the list of students; report it as a defect of rosterd",
    )
    .saying(&[Says::OneValueOrTheCall]),
    row(157, Full, OVER_CAPACITY),
    row(158, Retry, "adding to the class failed on ClassIn's side; rosterd tries again later"),
    row(
        159,
        Run(OurMistake),
        "ClassIn finds that something else than students was sent for a class; report it as a defect \
         of rosterd",
    ),
    row(162, Already, "is not a member of the course any more").only_at(COURSE_REMOVE),
    // Also at the class call, because a student of the course attends all its classes.
    row(163, Already, "is a student of the course already").only_at(ADDS),
    row(
        164,
        Student,
        "this student is an auditor of the course; somebody must end the auditing in ClassIn's \
         console first",
    )
    .saying(&[Says::NoMember]),
    row(166, Already, "is a student of this class already").only_at(CLASS_ADD),
    row(167, Already, "is not a student of this class any more").only_at(CLASS_REMOVE),
    row(171, Retry, "removing from the class failed on ClassIn's side; rosterd tries again later"),
    row(174, Student, "a teacher cannot be an auditor, which rosterd never asks for; ask ClassIn's support"),
    row(
        212,
        Class { for_good: FOR_GOOD },
        "the class was deleted in ClassIn; take its ids off the roster, or enter those of its \
         successor",
    )
    .saying(&[Says::ClassDeleted]),
    row(224, Student, NO_PICTURES),
    row(
        228,
        Repair,
        "this account is not a student of the school yet; rosterd adds it where it knows phone or \
         e-mail, otherwise add the student in ClassIn's console",
    )
    .only_at(STUDENTS_ONLY)
    .saying(&[Says::JoinTheSchool, Says::NoMember]),
    row(
        288,
        Student,
        "ClassIn does not accept numbers of this range; give the student another phone number or an \
         e-mail",
    ),
    row(
        329,
        Student,
        "this person is a co-teacher of the class and cannot be its student; change the role in \
         ClassIn, or take them off the roster's class",
    )
    .saying(&[Says::NoMember]),
    row(332, Student, TEACHES_COURSE).saying(&[Says::NoMember]),
    row(333, Student, TEACHES_COURSE).saying(&[Says::NoMember]),
    row(340, Done, "registered; only the picture was not set").only_at(REGISTER).saying(&[Says::Registered]),
    row(341, Student, NO_PICTURES),
    row(342, Student, NO_PICTURES),
    row(369, Class { for_good: THIS_RUN }, OPEN_CLASS).but_at(
        COURSE_CALLS,
        Course { for_good: THIS_RUN },
        OPEN_CLASS,
    ),
    row(
        400,
        Student,
        "ClassIn knows no account with this uid (a relation id from the console is not a uid); \
         correct classin_uid on the roster; an account that rosterd found itself is found anew by phone or e-mail",
    )
    .saying(&[Says::NoSuchAccount]),
    row(
        450,
        Run(OurMistake),
        "more than 10 accounts were sent in one call; report it as a defect of rosterd",
    ),
    row(460, Retry, "ClassIn is creating this course or class just now; rosterd tries again later"),
    row(461, Already, "this e-mail address has a ClassIn account already").only_at(REGISTRATIONS).but_at(
        SCHOOL_STUDENT,
        Retry,
        "ClassIn says that this e-mail address is registered already; rosterd tries again once",
    ),
    row(
        464,
        Retry,
        "somebody else is adding students to this course at this moment; rosterd tries again later",
    ),
    row(
        466,
        Class { for_good: FOR_GOOD },
        "the class was made in the ClassIn app, where rosterd cannot edit its students; enter them \
         there, or make the class anew through the console",
    )
    .saying(&[Says::MadeInTheApp]),
    row(
        820,
        Repair,
        "the account was registered but did not become a student of the school; rosterd adds it once \
         more",
    )
    .only_at(REGISTRATIONS)
    .saying(&[Says::Registered]),
    row(821, Student, NO_TEACHERS),
    row(841, Done, "added; only the nickname was not synchronised").only_at(COURSE_ADD),
    row(842, Retry, NOT_USED),
    row(843, Retry, NOT_USED),
    row(845, Student, NO_TEACHERS),
    row(877, Student, NOT_USED),
    row(886, Student, CANCELLED).saying(&[Says::AccountGone, Says::NoMember]),
    row(887, Student, CANCELLED),
    row(901, Run(Maintenance), "ClassIn is closed for maintenance; rosterd goes on at the next run"),
    row(21_323, Student, NOT_USED),
    row(101_003_001, Retry, "rosterd asked too often; it slows down and tries again later"),
    row(
        101_003_002,
        Retry,
        "ClassIn takes the call for a double of one less than 5 seconds ago; rosterd waits and \
         repeats it",
    )
    .saying(&[Says::TooSoon]),
];
