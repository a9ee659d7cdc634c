//! What is to become of each title that active students are in and that has no gid.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::GroupCreation;
use super::known::{CreationOutcome, GroupOrigin, KnownGroup};
use super::missing::problem;
use crate::exam_plan::fingerprint::MemoryKey;
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::operation::OperationState;
use crate::exam_plan::reason::SkipReason;
use crate::roster::{Adopt, Gid, GroupCode, RosterProblem};

/// What is decided from.
pub struct GroupsInput<'a> {
    /// The groups of each title that active students are in, ascending.
    pub wanted: &'a BTreeMap<String, Vec<GroupCode>>,
    /// Groups of that title that its own students were seen in.
    pub seen: &'a BTreeMap<String, BTreeSet<Gid>>,
    /// Gids that the roster or our memory has, with the roster's titles for them.
    pub named: &'a HashMap<Gid, String>,
    /// How earlier creations ended, by title.
    pub earlier: &'a HashMap<String, CreationOutcome>,
    /// Whether groups that are there may be taken over.
    pub adopt: Adopt,
    /// The group below which groups are created.
    pub parent: Gid,
    /// The key of what is remembered.
    pub key: &'a MemoryKey,
    /// Now, in milliseconds since 1970 UTC.
    pub now_ms: i64,
}

/// What was decided.
#[derive(Clone, Debug, Default)]
pub struct GroupDecisions {
    /// Groups that are there.
    pub found: Vec<FoundGroup>,
    /// Groups to create, by code.
    pub creations: Vec<GroupCreation>,
    /// Groups that only a person can settle, and why.
    pub problems: Vec<RosterProblem>,
}

impl GroupDecisions {
    /// The gids of the groups that are there, by code.
    #[must_use]
    pub fn found_gids(&self) -> BTreeMap<GroupCode, Gid> {
        self.found.iter().map(|found| (found.code.clone(), found.known.gid)).collect()
    }

    /// The groups that are to be created now.
    #[must_use]
    pub fn planned_codes(&self) -> BTreeSet<GroupCode> {
        let planned = self.creations.iter().filter(|creation| creation.is_planned());
        planned.map(|creation| creation.code.clone()).collect()
    }
}

/// A group that is there, and the roster's group that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundGroup {
    /// Its title.
    pub title: String,
    /// The roster's code of it.
    pub code: GroupCode,
    /// Its gid.
    pub known: KnownGroup,
    /// How it was found.
    pub evidence: GroupEvidence,
}

/// How a group was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupEvidence {
    /// An earlier run created or adopted it.
    Recorded,
    /// Its students are in it, and it has their title.
    Students,
}

impl FoundGroup {
    /// What the roster's owner is told where the group is not taken yet.
    #[must_use]
    pub fn announcement(&self) -> String {
        let gid = self.known.gid;
        match self.evidence {
            GroupEvidence::Recorded => {
                format!("has no gid: a run uses gid {gid}, which is there for its title")
            }
            GroupEvidence::Students => {
                format!("has no gid: a run takes over gid {gid}, which has its title and its students")
            }
        }
    }
}

enum TitleDecision {
    Found(KnownGroup, GroupEvidence),
    Create(OperationState),
    Person(String),
}

impl GroupsInput<'_> {
    /// Pure: the same input gives the same decisions.
    #[must_use]
    pub fn decide(&self) -> GroupDecisions {
        let mut decisions = GroupDecisions::default();
        for (title, codes) in self.wanted {
            let [code] = codes.as_slice() else {
                decisions.problems.extend(codes.iter().map(|code| several_of_one_title(code, codes)));
                continue;
            };
            match self.of_title(title) {
                TitleDecision::Found(known, evidence) => {
                    let (title, code) = (title.clone(), code.clone());
                    decisions.found.push(FoundGroup { title, code, known, evidence });
                }
                TitleDecision::Create(state) => decisions.creations.push(self.creation(title, code, state)),
                TitleDecision::Person(what) => decisions.problems.push(problem(code, what)),
            }
        }
        decisions.creations.sort_by(|one, two| one.code.cmp(&two.code));
        decisions
    }

    fn of_title(&self, title: &str) -> TitleDecision {
        let earlier = self.earlier.get(title).copied();
        if let Some(CreationOutcome::Done(done)) = earlier {
            match self.named.get(&done.gid) {
                None => return TitleDecision::Found(done, GroupEvidence::Recorded),
                // It is another group's of today's roster, which has this title too.
                Some(named) if named == title => return self.unseen(title, earlier),
                // Its group has been given another title since, and this title went to another group.
                Some(_) => {}
            }
            let what = "has no gid, and the group that was created under its title now has another title on the \
                        roster: enter its gid, or give it a title of its own";
            return TitleDecision::Person(what.to_owned());
        }
        let seen = self.seen.get(title);
        match (seen.map_or(0, BTreeSet::len), seen.and_then(BTreeSet::first)) {
            (1, Some(gid)) if self.adopt == Adopt::Auto => {
                let known = KnownGroup { gid: *gid, origin: GroupOrigin::Adopted };
                TitleDecision::Found(known, GroupEvidence::Students)
            }
            (1, Some(gid)) => TitleDecision::Person(format!(
                "has no gid, and its students are in a group of its title already: enter gid {gid} (exam.adopt is never)"
            )),
            (2.., _) => TitleDecision::Person(
                "has no gid, and its students are in several groups of its title: enter the right gid"
                    .to_owned(),
            ),
            _ => self.unseen(title, earlier),
        }
    }

    /// Of a title that no student of it was seen in.
    fn unseen(&self, title: &str, earlier: Option<CreationOutcome>) -> TitleDecision {
        let twin = self.named.iter().filter(|(_, named)| named.as_str() == title).map(|(gid, _)| gid).min();
        match (earlier, twin) {
            (Some(CreationOutcome::Unknown), _) => {
                TitleDecision::Person(CreationOutcome::Unknown.left_undone().unwrap_or_default())
            }
            (_, Some(gid)) => TitleDecision::Person(format!(
                "has no gid, and the roster has another group of this title (gid {gid}): enter its gid, or give it a title \
                 of its own"
            )),
            (Some(refused @ CreationOutcome::Refused { due_at_ms: None, .. }), _) => {
                TitleDecision::Person(refused.left_undone().unwrap_or_default())
            }
            (Some(CreationOutcome::Refused { due_at_ms: Some(due_at_ms), .. }), _)
                if due_at_ms > self.now_ms =>
            {
                TitleDecision::Create(OperationState::Skipped(SkipReason::NotDue { due_at_ms }))
            }
            (Some(CreationOutcome::Refused { .. } | CreationOutcome::Done(_)) | None, None) => {
                TitleDecision::Create(OperationState::Planned)
            }
        }
    }

    fn creation(&self, title: &str, code: &GroupCode, state: OperationState) -> GroupCreation {
        let mut digest = self.key.digest("want");
        digest.text(OperationKind::CreateGroup.as_str()).number(self.parent.0).text(title);
        GroupCreation {
            code: code.clone(),
            title: title.to_owned(),
            parent: self.parent,
            refusals: self.earlier.get(title).map_or(0, |earlier| earlier.refusals()),
            state,
            desired_hash: digest.finish(),
        }
    }
}

/// Groups are told apart on the exam side by their titles alone: which of them a group there is, nobody could tell.
fn several_of_one_title(code: &GroupCode, codes: &[GroupCode]) -> RosterProblem {
    let others: Vec<&str> = codes.iter().filter(|other| *other != code).map(GroupCode::as_str).collect();
    let others = others.join(", ");
    problem(
        code,
        format!(
            "has no gid, and {others} has the same title: give each a title of its own, or enter its gid"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: &str = "1A";

    struct Row {
        name: &'static str,
        codes: &'static [&'static str],
        seen: &'static [i64],
        named: Option<(i64, &'static str)>,
        earlier: Option<CreationOutcome>,
        adopt: Adopt,
        decision: &'static str,
    }

    const ROW: Row = Row {
        name: "",
        codes: &["h1"],
        seen: &[],
        named: None,
        earlier: None,
        adopt: Adopt::Auto,
        decision: "",
    };

    fn decided(row: &Row) -> String {
        let codes = row.codes.iter().map(|code| GroupCode::new(*code)).collect();
        let wanted = BTreeMap::from([(TITLE.to_owned(), codes)]);
        let seen = BTreeMap::from([(TITLE.to_owned(), row.seen.iter().copied().map(Gid).collect())]);
        let named = row.named.iter().map(|(gid, title)| (Gid(*gid), (*title).to_owned())).collect();
        let earlier = row.earlier.iter().map(|earlier| (TITLE.to_owned(), *earlier)).collect();
        let key = MemoryKey::new([7; 32]);
        let (wanted, seen, named, earlier) = (&wanted, &seen, &named, &earlier);
        let (adopt, parent) = (row.adopt, Gid(0));
        let input = GroupsInput { wanted, seen, named, earlier, adopt, parent, key: &key, now_ms: 1000 };
        let GroupDecisions { found, creations, problems } = input.decide();
        let found = found.iter().map(|it| format!("found {} {:?}", it.known.gid, it.evidence));
        let created = creations.iter().map(|it| match &it.state {
            OperationState::Planned => format!("create {}", it.code),
            OperationState::Held(_) | OperationState::Skipped(_) | OperationState::Cannot(_) => {
                "create later".to_owned()
            }
        });
        let problems = problems.iter().map(|it| format!("problem {}", it.key));
        found.chain(created).chain(problems).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_title_is_found_created_or_left_to_a_person() {
        let done = |gid| CreationOutcome::Done(KnownGroup { gid: Gid(gid), origin: GroupOrigin::Created });
        let refused = |due_at_ms| CreationOutcome::Refused { attempts: 2, due_at_ms };
        let table = [
            Row { name: "nothing is known", decision: "create h1", ..ROW },
            Row { name: "seen once", seen: &[5], decision: "found 5 Students", ..ROW },
            Row {
                name: "seen once, not to be adopted",
                seen: &[5],
                adopt: Adopt::Never,
                decision: "problem h1",
                ..ROW
            },
            Row {
                name: "two of one title",
                codes: &["h1", "h2"],
                seen: &[5],
                decision: "problem h1, problem h2",
                ..ROW
            },
            Row {
                name: "created before for another group that has the title too",
                earlier: Some(done(7)),
                named: Some((7, TITLE)),
                decision: "problem h1",
                ..ROW
            },
            Row { name: "seen twice", seen: &[5, 6], decision: "problem h1", ..ROW },
            Row { name: "created before", earlier: Some(done(7)), decision: "found 7 Recorded", ..ROW },
            Row {
                name: "created before and renamed since",
                earlier: Some(done(7)),
                named: Some((7, "other")),
                decision: "problem h1",
                ..ROW
            },
            Row {
                name: "another group has the title",
                named: Some((9, TITLE)),
                decision: "problem h1",
                ..ROW
            },
            Row {
                name: "no answer before",
                earlier: Some(CreationOutcome::Unknown),
                decision: "problem h1",
                ..ROW
            },
            Row {
                name: "no answer before, and seen since",
                earlier: Some(CreationOutcome::Unknown),
                seen: &[5],
                decision: "found 5 Students",
                ..ROW
            },
            Row { name: "refused, due", earlier: Some(refused(Some(1000))), decision: "create h1", ..ROW },
            Row {
                name: "refused, not due",
                earlier: Some(refused(Some(1001))),
                decision: "create later",
                ..ROW
            },
            Row { name: "refused for good", earlier: Some(refused(None)), decision: "problem h1", ..ROW },
        ];
        for row in table {
            assert_eq!(decided(&row), row.decision, "{}", row.name);
        }
    }
}
