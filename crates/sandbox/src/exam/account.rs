//! The exam account's state: fields, groups, candidates, attempts. It decides nothing about answers.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::recent_changes::{ChangeKind, RecentChanges};
use crate::SandboxError;

/// The field that holds a password. Contract: docs/contracts/onlineexammaker.md, 3.1.
pub(crate) const PASSWORD: i64 = 10;
/// The field that holds a name.
pub(crate) const NAME: i64 = 1;
/// Custom fields are numbered from here.
const FIRST_CUSTOM_FIELD: i64 = 11;

/// A group of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    /// Shown to people; not unique.
    pub(crate) title: String,
    /// 0 is the root.
    pub(crate) parent: i64,
}

/// One candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Candidate {
    /// Values by field, ascending, none empty.
    pub(crate) fields: Vec<(i64, Box<str>)>,
    /// Groups, ascending.
    pub(crate) gids: Vec<i64>,
}

impl Candidate {
    /// The value of a field; empty where there is none.
    pub(crate) fn value(&self, sfid: i64) -> &str {
        self.fields.iter().find(|(field, _)| *field == sfid).map_or("", |(_, value)| value)
    }

    /// Sets a field; an empty value takes it away.
    pub(crate) fn set(&mut self, sfid: i64, value: &str) {
        self.fields.retain(|(field, _)| *field != sfid);
        if !value.is_empty() {
            let at = self.fields.partition_point(|(field, _)| *field < sfid);
            self.fields.insert(at, (sfid, value.into()));
        }
    }

    /// Sets the groups.
    pub(crate) fn set_groups(&mut self, gids: impl IntoIterator<Item = i64>) {
        self.gids = gids.into_iter().collect();
        self.gids.sort_unstable();
        self.gids.dedup();
    }
}

/// One attempt at an exam; it stays when its candidate is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// The exam.
    pub(crate) eid: i64,
    /// The candidate, which may be gone.
    pub(crate) sid: i64,
    /// The login value then.
    pub(crate) login_value: String,
    /// The name then.
    pub(crate) name: String,
    /// Points.
    pub(crate) score: i64,
    /// 0 or 1.
    pub(crate) passed: i64,
    /// 0 in progress, 1 submitted, 2 to 4 submitted otherwise.
    pub(crate) status: i64,
    /// Unix seconds.
    pub(crate) start: i64,
    /// Unix seconds; 0 while in progress.
    pub(crate) end: i64,
}

/// How login values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Compare {
    #[default]
    Exact,
    CaseInsensitive,
    Trimmed,
}

/// The whole account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ExamWorld {
    /// The sfid of the login field.
    pub(crate) login_field: i64,
    /// Labels by sfid.
    pub(crate) fields: BTreeMap<i64, String>,
    /// Groups by gid.
    pub(crate) groups: BTreeMap<i64, Group>,
    /// Attempts, oldest first.
    pub(crate) attempts: Vec<Attempt>,
    /// The next gid.
    pub(crate) next_gid: i64,
    /// The next sid that is tried.
    pub(crate) next_sid: i64,
    candidates: HashMap<i64, Candidate>,
    /// The order of the listing: ascending sids, until it is changed by hand.
    order: Vec<i64>,
    #[serde(skip)]
    by_login: HashMap<String, Vec<i64>>,
    #[serde(skip)]
    compare: Compare,
    #[serde(skip)]
    pub(super) recent: RecentChanges,
}

impl Default for ExamWorld {
    fn default() -> Self {
        let fields = [(NAME, "name"), (2, "gender"), (4, "phone"), (PASSWORD, "password")];
        ExamWorld {
            login_field: NAME,
            fields: fields.map(|(sfid, label)| (sfid, label.to_owned())).into_iter().collect(),
            groups: BTreeMap::new(),
            attempts: Vec::new(),
            next_gid: 1001,
            next_sid: 170_601,
            candidates: HashMap::new(),
            order: Vec::new(),
            by_login: HashMap::new(),
            compare: Compare::Exact,
            recent: RecentChanges::default(),
        }
    }
}

impl ExamWorld {
    /// Adds a field or renames it.
    pub(crate) fn set_field(&mut self, sfid: i64, label: String) {
        self.fields.insert(sfid, label);
    }

    /// Takes a field away, with everybody's value in it. The login field stays.
    pub(crate) fn remove_field(&mut self, sfid: i64) {
        if sfid == self.login_field || self.fields.remove(&sfid).is_none() {
            return;
        }
        for candidate in self.candidates.values_mut() {
            candidate.set(sfid, "");
        }
    }

    /// The sfid of a label.
    pub(crate) fn field_id(&self, label: &str) -> Option<i64> {
        self.fields.iter().find(|(_, known)| *known == label).map(|(sfid, _)| *sfid)
    }

    /// Chooses the login field by sfid or by label; an unknown label becomes a custom field.
    ///
    /// # Errors
    /// [`SandboxError::LoginField`] for an sfid that does not exist.
    pub(crate) fn set_login_field(&mut self, chosen: &str) -> Result<(), SandboxError> {
        let all_digits = !chosen.is_empty() && chosen.bytes().all(|byte| byte.is_ascii_digit());
        self.login_field = if all_digits {
            let known = chosen.parse().ok().filter(|sfid| self.fields.contains_key(sfid));
            known.ok_or_else(|| SandboxError::LoginField { sfid: chosen.to_owned() })?
        } else if let Some(sfid) = self.field_id(chosen) {
            sfid
        } else {
            let after_last = self.fields.keys().next_back().map_or(0, |last| last + 1);
            let sfid = after_last.max(FIRST_CUSTOM_FIELD);
            self.set_field(sfid, chosen.to_owned());
            sfid
        };
        self.reindex();
        Ok(())
    }

    /// Chooses how login values are compared.
    pub(crate) fn compare_logins(&mut self, how: &str) {
        self.compare = match how {
            "case_insensitive" => Compare::CaseInsensitive,
            "trimmed" => Compare::Trimmed,
            _ => Compare::Exact,
        };
        self.reindex();
    }

    /// Builds what is derived from the candidates anew.
    pub(crate) fn reindex(&mut self) {
        self.by_login.clear();
        for sid in &self.order {
            if let Some(candidate) = self.candidates.get(sid) {
                let key = key(self.compare, candidate.value(self.login_field));
                self.by_login.entry(key).or_default().push(*sid);
            }
        }
    }

    /// The number of candidates.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The sids in the order of the listing.
    pub(crate) fn order(&self) -> &[i64] {
        &self.order
    }

    /// All sids, ascending, also of candidates that are not listed.
    pub(crate) fn sids(&self) -> Vec<i64> {
        let mut sids: Vec<i64> = self.candidates.keys().copied().collect();
        sids.sort_unstable();
        sids
    }

    /// One candidate.
    pub(crate) fn candidate(&self, sid: i64) -> Option<&Candidate> {
        self.candidates.get(&sid)
    }

    /// The candidate's login value; empty where there is none.
    pub(crate) fn login_value(&self, sid: i64) -> &str {
        self.candidate(sid).map_or("", |candidate| candidate.value(self.login_field))
    }

    /// The candidates with this login value, as the account compares them.
    pub(crate) fn with_login(&self, login_value: &str) -> &[i64] {
        self.by_login.get(&key(self.compare, login_value)).map_or(&[], Vec::as_slice)
    }

    /// Adds a candidate and answers its sid.
    pub(crate) fn insert(&mut self, candidate: Candidate) -> i64 {
        while self.candidates.contains_key(&self.next_sid) {
            self.next_sid += 1;
        }
        let sid = self.next_sid;
        self.insert_as(sid, candidate);
        sid
    }

    /// Adds a candidate under a sid that is free.
    pub(crate) fn insert_as(&mut self, sid: i64, candidate: Candidate) {
        self.index(sid, candidate.value(self.login_field).to_owned());
        self.candidates.insert(sid, candidate);
        self.recent.note(ChangeKind::Add, sid, None);
        if sid == self.next_sid {
            self.next_sid += 1;
        }
        if self.order.last().is_none_or(|last| *last < sid) {
            self.order.push(sid);
        } else {
            let at = self.order.partition_point(|known| *known < sid);
            self.order.insert(at, sid);
        }
    }

    /// Takes candidates away; answers how many there were.
    pub(crate) fn remove(&mut self, sids: &[i64]) -> usize {
        let mut gone = std::collections::HashSet::new();
        for sid in sids {
            let login_value = self.login_value(*sid).to_owned();
            if let Some(candidate) = self.candidates.remove(sid) {
                self.recent.note(ChangeKind::Delete, *sid, Some(candidate));
                self.unindex(*sid, &login_value);
                // A sid is never given twice, not even one that was skipped over.
                self.next_sid = self.next_sid.max(if *sid >= self.next_sid { *sid + 1 } else { 0 });
                gone.insert(*sid);
            }
        }
        if !gone.is_empty() {
            self.order.retain(|sid| !gone.contains(sid));
        }
        gone.len()
    }

    /// Changes one candidate and keeps the index right.
    pub(crate) fn edit(&mut self, sid: i64, change: impl FnOnce(&mut Candidate)) {
        let before = self.login_value(sid).to_owned();
        if let Some(candidate) = self.candidates.get_mut(&sid) {
            let original = candidate.clone();
            change(candidate);
            if original != *candidate {
                self.recent.note(ChangeKind::of_edit(&original, candidate), sid, Some(original));
            }
        }
        let after = self.login_value(sid).to_owned();
        if before != after {
            self.unindex(sid, &before);
            self.index(sid, after);
        }
    }

    /// Moves the first row of the listing to the end.
    pub(crate) fn rotate(&mut self) {
        if !self.order.is_empty() {
            self.order.rotate_left(1);
        }
    }

    /// Moves one row of the listing to the front.
    pub(crate) fn move_to_front(&mut self, sid: i64) {
        self.order.retain(|known| *known != sid);
        self.order.insert(0, sid);
    }

    /// Leaves a candidate out of the listing, which adds up all the same.
    pub(crate) fn unlist(&mut self, sid: i64) {
        self.order.retain(|known| *known != sid);
    }

    /// Adds a group.
    pub(crate) fn create_group(&mut self, title: &str, parent: i64) -> i64 {
        let gid = self.next_gid;
        self.next_gid += 1;
        self.groups.insert(gid, Group { title: title.to_owned(), parent });
        gid
    }

    fn index(&mut self, sid: i64, login_value: String) {
        let sids = self.by_login.entry(key_of(self.compare, login_value)).or_default();
        sids.push(sid);
    }

    fn unindex(&mut self, sid: i64, login_value: &str) {
        let key = key(self.compare, login_value);
        if let Some(sids) = self.by_login.get_mut(&key) {
            sids.retain(|known| *known != sid);
            if sids.is_empty() {
                self.by_login.remove(&key);
            }
        }
    }
}

fn key(compare: Compare, login_value: &str) -> String {
    key_of(compare, login_value.to_owned())
}

fn key_of(compare: Compare, login_value: String) -> String {
    match compare {
        Compare::Exact => login_value,
        Compare::CaseInsensitive => login_value.to_lowercase(),
        Compare::Trimmed => login_value.trim().to_owned(),
    }
}
