//! Who should exist, as the test knows it.

use std::collections::BTreeSet;

/// What keeps a student from being entered, until somebody mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Their group has a gid that does not exist on the exam side.
    Group,
    /// They have no login value.
    Login,
    /// ClassIn does not know their uid.
    Uid,
}

/// A student, or somebody who may become one.
#[derive(Clone, Debug)]
pub struct Pupil {
    pub id: String,
    pub name: String,
    pub gender: Option<String>,
    pub phone: Option<String>,
    pub email: String,
    pub password: String,
    pub uid: i64,
    pub groups: BTreeSet<usize>,
    pub classes: BTreeSet<usize>,
    /// Whether there is a row.
    pub listed: bool,
    pub active: bool,
    pub trouble: Option<Trouble>,
    /// How the row was before it was last changed, for an office that takes a change back.
    pub before: Option<Box<Pupil>>,
    /// Whether they have been on the roster without a break since both sides were last seen in step.
    pub stayed: bool,
}

impl Pupil {
    pub fn is_student(&self) -> bool {
        self.listed && self.active
    }
}

/// A class by ClassIn's ids; 0 stands for the whole course.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    pub course: i64,
    pub class: i64,
}

/// The whole of it.
#[derive(Clone, Debug, Default)]
pub struct People {
    pub pupils: Vec<Pupil>,
    /// Gids, by number.
    pub groups: Vec<i64>,
    pub classes: Vec<Class>,
    /// How often anything was ever renamed: new values are never old ones.
    pub renamed: u64,
}

/// The group whose gid is wrong where somebody's trouble is [`Trouble::Group`].
pub const TROUBLED_GROUP: usize = 0;

/// These never leave, so that no group or class ever loses its last member, which the guard would hold.
pub const ANCHORS: usize = 2;

impl People {
    pub fn students(&self) -> impl Iterator<Item = &Pupil> {
        self.pupils.iter().filter(|pupil| pupil.is_student())
    }

    /// What an honest ledger holds: service and student.
    pub fn troubled(&self) -> BTreeSet<(String, String)> {
        self.students()
            .filter_map(|pupil| {
                let service = match pupil.trouble? {
                    Trouble::Group | Trouble::Login => "exam",
                    Trouble::Uid => "classin",
                };
                Some((service.to_owned(), pupil.id.clone()))
            })
            .collect()
    }
}
