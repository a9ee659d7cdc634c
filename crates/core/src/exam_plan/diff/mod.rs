//! Streams roster and listing once; keeps only differences.
//!
//! Both sides stream: a student whose values, groups and link agree with the listing adds to a count and
//! leaves no other trace. That keeps memory flat while a roster grows.

mod as_wanted;
mod asked;
mod bits;
mod difference;
mod shared_logins;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub use asked::{
    AskedNewcomer, KnownValues, Pair, PairsInDoubt, RememberedPairs, values_of_candidate, values_of_row,
};
pub(super) use asked::{MOST_HOLDERS, NameKey};
pub use difference::{
    Absence, Difference, Leaver, LinkedStudent, Newcomer, PriorKnowledge, Unusable, Wanted,
};

use self::as_wanted::GroupPairs;
use self::bits::BitSet;
use self::difference::MappedValues;
use super::compare::{Comparison, FieldDifference};
use super::fingerprint::MemoryKey;
use super::first_contact::{FirstContact, RecentContacts};
use super::groups::{GroupBook, WantedGroups};
use super::link::Link;
use super::mapping::Mapping;
use super::observed::{Observed, Row};
use super::reason::CannotReason;
use super::shape::Shapes;
use crate::roster::{Gid, IdLikeness, LoginValue, Sid, Student, StudentId};

/// The result of the pass over roster, listing and links.
#[derive(Debug, PartialEq)]
pub struct Diff {
    /// All differences, in ascending order of student id.
    pub differences: Vec<Difference>,
    /// Since when the roster has had rows without a readable id, in milliseconds since 1970 UTC; absent where it has
    /// none.
    pub unreadable_since_ms: Option<i64>,
    /// Students on the roster with a candidate whose ids are alike to that of a leaver who is asked about already, or
    /// before whose leaving they were entered.
    pub alike: HashMap<IdLikeness, StudentId>,
    /// Whom a person called one student with another, who has a candidate of their own: the new id by the old one.
    pub called_one: HashMap<StudentId, StudentId>,
    /// Pairs of a leaver and a student without a candidate who may be one person by more than ids and login values of today.
    pub in_doubt: PairsInDoubt,
    /// Students that were read, active or not.
    pub rows: u64,
    /// Active students on the roster.
    pub students: u64,
    /// Links.
    pub managed: u64,
    /// Links of students who are on the roster.
    pub linked: u64,
    /// Listed candidates that are neither linked nor wanted.
    pub unmanaged: u64,
    /// How students and candidates without a link match.
    pub contact: FirstContact,
    /// The number of linked candidates in each group, as remembered.
    pub group_sizes: BTreeMap<Gid, u64>,
}

impl Diff {
    /// Linked candidates with a value that came back changed from a confirmed write.
    #[must_use]
    pub fn doubted(&self) -> BTreeSet<Sid> {
        let doubted = |difference: &Difference| match difference {
            Difference::Linked(linked) => {
                let own = linked.own.as_ref().filter(|own| !own.came_back.is_empty());
                own.map(|_| linked.link.sid)
            }
            Difference::Newcomer(_) | Difference::Leaver(_) | Difference::Unusable(_) => None,
        };
        self.differences.iter().filter_map(doubted).collect()
    }

    /// The candidates of students who have left: only what a look-up shows tells whether they are the same people still.
    #[must_use]
    pub fn of_leavers(&self) -> BTreeSet<Sid> {
        let of_leaver = |difference: &Difference| match difference {
            Difference::Leaver(leaver) => Some(leaver.link.sid),
            Difference::Newcomer(_) | Difference::Linked(_) | Difference::Unusable(_) => None,
        };
        self.differences.iter().filter_map(of_leaver).collect()
    }

    /// Students who have left, and since when each has been gone.
    #[must_use]
    pub fn leavers_since(&self, now_ms: i64) -> HashMap<&StudentId, i64> {
        let since = |difference: &'_ Difference| match difference {
            Difference::Leaver(leaver) => {
                Some(leaver.link.gone_since_ms.map_or(now_ms, |since| since.min(now_ms)))
            }
            Difference::Newcomer(_) | Difference::Linked(_) | Difference::Unusable(_) => None,
        };
        let of = |difference| Some((Difference::student(difference), since(difference)?));
        self.differences.iter().filter_map(of).collect()
    }

    /// Leavers whom the roster has no row of.
    #[must_use]
    pub fn missing(&self) -> Vec<&StudentId> {
        let missing = |difference: &'_ Difference| match difference {
            Difference::Leaver(leaver) => leaver.absence != Absence::Marked,
            Difference::Newcomer(_) | Difference::Linked(_) | Difference::Unusable(_) => false,
        };
        self.differences.iter().filter(|difference| missing(difference)).map(Difference::student).collect()
    }

    /// Marks the missing leavers whom member rows still name.
    pub fn mark_named(&mut self, named: &HashSet<StudentId>) {
        for difference in &mut self.differences {
            if let Difference::Leaver(leaver) = difference
                && leaver.absence == Absence::Missing
                && named.contains(&leaver.link.student)
            {
                leaver.absence = Absence::StillNamed;
            }
        }
    }

    /// Students without a candidate.
    #[must_use]
    pub fn newcomers(&self) -> HashSet<&StudentId> {
        let newcomer = |difference: &'_ Difference| match difference {
            Difference::Newcomer(newcomer) if newcomer.replaces.is_none() => true,
            Difference::Newcomer(_)
            | Difference::Linked(_)
            | Difference::Leaver(_)
            | Difference::Unusable(_) => false,
        };
        self.differences.iter().filter(|difference| newcomer(difference)).map(Difference::student).collect()
    }
}

/// Login values shared by several students, and candidates claimed by several links. The pass is repeated
/// with them known.
#[derive(Debug, Default)]
pub struct SharedLogins {
    wanted: HashSet<u64>,
    linked: HashSet<u64>,
}

impl SharedLogins {
    /// Adds the findings of another pass.
    pub fn extend(&mut self, more: Self) {
        let Self { wanted, linked } = more;
        self.wanted.extend(wanted);
        self.linked.extend(linked);
    }

    fn is_empty(&self) -> bool {
        let Self { wanted, linked } = self;
        wanted.is_empty() && linked.is_empty()
    }
}

/// Whose row cannot be used, which login value it names all the same, and why.
type UnusableRow = (StudentId, Option<LoginValue>, CannotReason);

/// Makes the pass.
pub struct DiffBuilder<'a> {
    comparison: Comparison<'a>,
    groups: &'a GroupBook,
    shared: &'a SharedLogins,
    known_gone: Option<&'a HashSet<Sid>>,
    known_unlisted: Option<&'a HashSet<Sid>>,
    known_groups: Option<&'a HashMap<Sid, BTreeSet<Gid>>>,
    known_logins: Option<&'a HashMap<Sid, LoginValue>>,
    known_of_another: Option<&'a HashSet<StudentId>>,
    asked_about: Option<&'a HashSet<IdLikeness>>,
    wanted_rows: BitSet,
    linked_rows: BitSet,
    wanted_unlisted: HashSet<u64>,
    newly_shared: SharedLogins,
    linked_shapes: Shapes,
    newcomer_shapes: Shapes,
    group_pairs: GroupPairs,
    diff: Diff,
}

impl<'a> DiffBuilder<'a> {
    /// A pass that knows the login values in `shared` to be shared.
    #[must_use]
    pub fn new(
        mapping: &'a Mapping,
        observed: &'a Observed,
        key: &'a MemoryKey,
        groups: &'a GroupBook,
        shared: &'a SharedLogins,
    ) -> Self {
        Self {
            comparison: Comparison { mapping, observed, key },
            groups,
            shared,
            known_gone: None,
            known_unlisted: None,
            known_groups: None,
            known_logins: None,
            known_of_another: None,
            asked_about: None,
            wanted_rows: BitSet::new(observed.len()),
            linked_rows: BitSet::new(observed.len()),
            wanted_unlisted: HashSet::new(),
            newly_shared: SharedLogins::default(),
            linked_shapes: Shapes::default(),
            newcomer_shapes: Shapes::default(),
            group_pairs: GroupPairs::default(),
            diff: Diff {
                differences: Vec::new(),
                unreadable_since_ms: None,
                alike: HashMap::new(),
                called_one: HashMap::new(),
                in_doubt: PairsInDoubt::default(),
                rows: 0,
                students: 0,
                managed: 0,
                linked: 0,
                unmanaged: 0,
                contact: FirstContact::default(),
                group_sizes: BTreeMap::new(),
            },
        }
    }

    /// Knows candidates that no longer exist: their links always make a case.
    #[must_use]
    pub fn knowing_gone(self, gone: &'a HashSet<Sid>) -> Self {
        Self { known_gone: Some(gone), ..self }
    }

    /// Knows candidates that several runs found by sid and not in the listing.
    #[must_use]
    pub fn knowing_unlisted(self, unlisted: &'a HashSet<Sid>) -> Self {
        Self { known_unlisted: Some(unlisted), ..self }
    }

    /// Knows what login values candidates showed in look-ups of this run, and of whom an earlier one saw another one: their
    /// links always make a case.
    #[must_use]
    pub fn knowing_logins(
        self,
        logins: &'a HashMap<Sid, LoginValue>,
        of_another: &'a HashSet<StudentId>,
    ) -> Self {
        Self { known_logins: Some(logins), known_of_another: Some(of_another), ..self }
    }

    /// Knows of leavers of whom an earlier run asked whether they are somebody else, by what ids have in common.
    #[must_use]
    pub fn knowing_asked_about(self, asked_about: &'a HashSet<IdLikeness>) -> Self {
        Self { asked_about: Some(asked_about), ..self }
    }

    /// Knows groups as looked up in this run: they replace those that the links remember.
    #[must_use]
    pub fn knowing_groups(self, groups: &'a HashMap<Sid, BTreeSet<Gid>>) -> Self {
        Self { known_groups: Some(groups), ..self }
    }

    /// Adds one student, one link, or both where they belong together. Call in ascending order of student id.
    ///
    /// `row_problem` is the reason why the student's row is unusable. An unusable row never turns a linked
    /// student into a leaver, whatever it says about being active.
    pub fn pair(&mut self, student: Option<Student>, link: Option<Link>, row_problem: Option<CannotReason>) {
        self.diff.rows += u64::from(student.is_some());
        let (link, prior) = link.map_or((None, PriorKnowledge::None), |link| self.with_prior_knowledge(link));
        let own = link.as_ref().and_then(|link| self.count(link));
        let prior = if own.is_none() && link.as_ref().is_some_and(|link| self.stays_unlisted(link, prior)) {
            PriorKnowledge::Unlisted
        } else {
            prior
        };
        let absence = if student.is_some() { Absence::Marked } else { Absence::Missing };
        let stays = |student: &Student| student.active || (row_problem.is_some() && link.is_some());
        match (student.filter(stays), link) {
            (None, None) => {}
            (None, Some(link)) => {
                self.diff.differences.push(Difference::Leaver(Leaver {
                    link,
                    listed: own.is_some(),
                    prior,
                    absence,
                }));
            }
            (Some(student), link) => {
                self.diff.students += u64::from(student.active);
                self.diff.linked += u64::from(link.is_some());
                if link.is_some() {
                    self.note_alike(&student.id);
                }
                self.diff.contact.students += u64::from(student.active && link.is_none());
                let returned = link.as_ref().is_some_and(|link| link.gone_since_ms.is_some());
                match self.usable(student, row_problem, link.as_ref().map(|link| (link, own))) {
                    Ok((wanted, target)) => self.student(wanted, target, link, own, prior),
                    Err((student, login, reason)) => {
                        self.diff.differences.push(Difference::Unusable(Unusable {
                            student,
                            link: link.map(Box::new),
                            listed: own.is_some(),
                            prior,
                            returned,
                            login,
                            reason,
                        }));
                    }
                }
            }
        }
    }

    /// The link with what was found out about its candidate before the pass.
    fn with_prior_knowledge(&self, link: Link) -> (Option<Link>, PriorKnowledge) {
        if self.known_gone.is_some_and(|gone| gone.contains(&link.sid)) {
            return (Some(link), PriorKnowledge::Gone);
        }
        if self.is_shared(&self.shared.linked, &link.login) {
            return (Some(link), PriorKnowledge::Contested);
        }
        let groups = self.known_groups.and_then(|groups| groups.get(&link.sid));
        let prior = if groups.is_some() { PriorKnowledge::Groups } else { PriorKnowledge::None };
        let prior = if self.is_of_another(&link) { PriorKnowledge::OfAnother } else { prior };
        let groups = groups.cloned().or(link.groups);
        (Some(Link { groups, ..link }), prior)
    }

    /// Whether a look-up showed another login value at the link's sid. One that is not listed may be an old one: reads may lag
    /// behind.
    fn is_of_another(&self, link: &Link) -> bool {
        let shown =
            self.known_logins.and_then(|logins| logins.get(&link.sid)).filter(|it| **it != link.login);
        let is_listed = shown.is_some_and(|shown| self.comparison.observed.find(shown).is_some());
        is_listed || self.known_of_another.is_some_and(|known| known.contains(&link.student))
    }

    fn stays_unlisted(&self, link: &Link, prior: PriorKnowledge) -> bool {
        prior == PriorKnowledge::None && self.known_unlisted.is_some_and(|known| known.contains(&link.sid))
    }

    /// Counts a link, and finds the candidate listed under its login value.
    fn count(&mut self, link: &Link) -> Option<Row> {
        self.diff.managed += 1;
        for gid in link.groups.iter().flatten() {
            *self.diff.group_sizes.entry(*gid).or_default() += 1;
        }
        let row = self.comparison.observed.find(&link.login)?;
        self.linked_shapes.add(link.login.as_str());
        if !self.linked_rows.insert(row) && !self.is_shared(&self.shared.linked, &link.login) {
            self.newly_shared.linked.insert(self.hash(&link.login));
        }
        Some(row)
    }

    fn hash(&self, login: &LoginValue) -> u64 {
        self.comparison.observed.hasher().login(login.as_str())
    }

    fn is_shared(&self, hashes: &HashSet<u64>, login: &LoginValue) -> bool {
        !hashes.is_empty() && hashes.contains(&self.hash(login))
    }

    fn student(
        &mut self,
        wanted: Wanted,
        target: Option<Row>,
        link: Option<Link>,
        own: Option<Row>,
        prior: PriorKnowledge,
    ) {
        let values = &wanted.values.0;
        let Some(link) = link else {
            self.newcomer_shapes.add(wanted.login.as_str());
            let listed = target.map(|row| self.comparison.fields(row, values, None));
            self.diff.differences.push(Difference::Newcomer(Newcomer { wanted, listed, replaces: None }));
            return;
        };
        let own = own.map(|row| self.comparison.fields(row, values, Some(&link)));
        let keeps_login = self.comparison.keeps_login(&link, &wanted.login);
        let renamed = wanted.login != link.login && !keeps_login;
        let target = target.filter(|_| renamed).map(|row| self.comparison.fields(row, values, Some(&link)));
        if !renamed
            && !matches!(prior, PriorKnowledge::Gone | PriorKnowledge::Contested | PriorKnowledge::OfAnother)
            && !wanted.is_ambiguous
            && !self.comparison.clears_login(&link, &wanted.login)
            && own.as_ref().is_some_and(FieldDifference::is_empty)
            && self.settled(&link, &wanted.groups)
        {
            return;
        }
        self.diff.differences.push(Difference::Linked(Box::new(LinkedStudent {
            wanted,
            link,
            own,
            target,
            keeps_login,
            prior,
        })));
    }

    /// Whether nothing about the link itself asks for attention.
    fn settled(&self, link: &Link, wanted: &WantedGroups) -> bool {
        let in_groups = link.groups.as_ref().is_some_and(|held| !self.groups.differ(wanted, held));
        in_groups && link.gone_since_ms.is_none() && wanted.is_whole()
    }

    /// The desired state, and the candidate listed under the desired login value.
    fn usable(
        &mut self,
        student: Student,
        row_problem: Option<CannotReason>,
        linked: Option<(&Link, Option<Row>)>,
    ) -> Result<(Wanted, Option<Row>), UnusableRow> {
        let mapping = self.comparison.mapping;
        let column = || mapping.login_column().to_owned();
        let raw = student.values.get(mapping.login_at()).map_or("", String::as_str);
        let login = LoginValue::parse(raw);
        if let Some(reason) = row_problem {
            return Err((student.id, login, reason));
        }
        let Some(login) = login else {
            return Err((student.id, None, CannotReason::NoLogin { column: column() }));
        };
        let row = match linked {
            Some((link, own)) if link.login == login => own,
            _ => self.comparison.observed.find(&login),
        };
        if self.is_shared(&self.shared.wanted, &login) {
            if let Some(row) = row {
                self.wanted_rows.insert(row);
            }
            return Err((
                student.id,
                Some(login),
                CannotReason::SharedLogin { column: column(), others: Vec::new() },
            ));
        }
        let first = match row {
            Some(row) => self.wanted_rows.insert(row),
            None => self.wanted_unlisted.insert(self.hash(&login)),
        };
        if !first {
            self.newly_shared.wanted.insert(self.hash(&login));
        }
        let groups = self.groups.wanted(&student.groups);
        let is_ambiguous = self.comparison.observed.is_ambiguous(&login);
        let values = MappedValues(student.values);
        Ok((Wanted { id: student.id, login, values, groups, is_ambiguous }, row))
    }

    /// Closes the pass.
    ///
    /// # Errors
    /// Login values that several students or links share, and that were not known to be: the first of each
    /// was taken for the only one, so the pass has to be made again.
    pub fn finish(mut self) -> Result<Diff, SharedLogins> {
        if !self.newly_shared.is_empty() {
            return Err(self.newly_shared);
        }
        shared_logins::name_others(&mut self.diff.differences);
        let known = self.wanted_rows.union_count(&self.linked_rows);
        let listed = u64::try_from(self.comparison.observed.len()).unwrap_or(u64::MAX);
        let unmanaged = listed.saturating_sub(known);
        self.diff.unmanaged = unmanaged.saturating_add(self.comparison.observed.nameless());
        let candidates = listed.saturating_sub(self.linked_rows.count());
        self.diff.contact = FirstContact {
            students: self.diff.contact.students,
            links: self.diff.managed,
            candidates,
            matches: candidates.saturating_sub(unmanaged),
            theirs: self.comparison.observed.shapes().commonest_without(&self.linked_shapes),
            ours: self.newcomer_shapes.commonest(),
            recent: RecentContacts::default(),
        };
        Ok(self.diff)
    }
}

/// The owners of contested login values: a small map that the shell fills.
pub type Owners = HashMap<LoginValue, StudentId>;
