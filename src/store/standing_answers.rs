//! What look-ups said about people of whom nothing has changed since.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::error::{Doing, Written};
use super::keys::{fingerprint, stored};
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::{Answers, LoginFact, SidFact, StandingAnswers};
use rosterd_core::roster::{FieldId, Gid, LoginValue, Sid, StudentId};

/// An answer by sid: groups, login value and values shown, where there is a candidate.
#[derive(Serialize, Deserialize)]
struct SidRow(i64, Option<CandidateShown>);

#[derive(Serialize, Deserialize)]
struct CandidateShown(Option<Vec<i64>>, Option<String>, Option<Vec<(i64, i64)>>);

/// An answer by login value: sid and groups, where there is a candidate.
#[derive(Serialize, Deserialize)]
struct LoginRow(String, Option<(i64, Option<Vec<i64>>)>);

/// A row of the table, answers still packed.
type StoredAnswer = (String, i64, i64, i64, String, String);

const DOING: &str = "remembering what look-ups said";

impl StateStore {
    /// What stands of earlier runs, by student. What cannot be read is not remembered: it is asked for again.
    pub async fn standing_answers(&self) -> Result<HashMap<StudentId, StandingAnswers>, StoreError> {
        let rows: Vec<StoredAnswer> = sqlx::query_as(
            "SELECT student_id, circumstances, runs, asked_at_ms, by_sid, by_login FROM standing_answers \
             ORDER BY student_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading what look-ups said")?;
        let read = |(student, circumstances, runs, asked_at_ms, by_sid, by_login): StoredAnswer| {
            let answers = unpack(&by_sid, &by_login)?;
            let runs = u32::try_from(runs).unwrap_or(0);
            let circumstances = fingerprint(circumstances);
            Some((StudentId::new(student), StandingAnswers { circumstances, runs, asked_at_ms, answers }))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Remembers these answers, keeps those of the students in `kept` as they are, and forgets all others.
    pub async fn remember_answers(
        &self,
        kept: &HashSet<StudentId>,
        answered: &BTreeMap<StudentId, StandingAnswers>,
    ) -> Result<(), StoreError> {
        let known: Vec<String> =
            sqlx::query_scalar("SELECT student_id FROM standing_answers ORDER BY student_id")
                .fetch_all(&self.reader)
                .await
                .doing(DOING)?;
        let is_over = |student: &&String| {
            let student = StudentId::new((*student).clone());
            !kept.contains(&student) && !answered.contains_key(&student)
        };
        let over: Vec<&String> = known.iter().filter(is_over).collect();
        if over.is_empty() && answered.is_empty() {
            return Ok(());
        }
        let rows: Vec<serde_json::Value> = answered
            .iter()
            .map(|(student, standing)| {
                let StandingAnswers { circumstances, runs, asked_at_ms, answers } = standing;
                let (by_sid, by_login) = pack(answers);
                serde_json::json!([
                    student.as_str(),
                    stored(*circumstances),
                    runs,
                    asked_at_ms,
                    by_sid,
                    by_login
                ])
            })
            .collect();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM standing_answers WHERE student_id IN (SELECT value FROM json_each(?))")
            .bind(serde_json::json!(over).to_string())
            .execute(&mut *transaction)
            .await
            .done(DOING)?;
        sqlx::query(
            "INSERT OR REPLACE INTO standing_answers \
             (student_id, circumstances, runs, asked_at_ms, by_sid, by_login) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)",
        )
        .bind(serde_json::json!(rows).to_string())
        .execute(&mut *transaction)
        .await
        .done(DOING)?;
        transaction.commit().await.doing(DOING)
    }
}

fn gids(gids: &Option<std::collections::BTreeSet<Gid>>) -> Option<Vec<i64>> {
    gids.as_ref().map(|gids| gids.iter().map(|gid| gid.0).collect())
}

fn pack(answers: &Answers) -> (String, String) {
    let Answers { by_sid, by_login, shown } = answers;
    let values = |sid: &Sid| {
        let values = shown.get(sid)?;
        Some(values.iter().map(|(field, value)| (field.0, stored(*value))).collect())
    };
    let by_sid: Vec<SidRow> = by_sid
        .iter()
        .map(|(sid, fact)| match fact {
            SidFact::Gone => SidRow(sid.0, None),
            SidFact::Found { login, groups } => {
                let login = login.as_ref().map(|login| login.as_str().to_owned());
                SidRow(sid.0, Some(CandidateShown(gids(groups), login, values(sid))))
            }
        })
        .collect();
    let by_login: Vec<LoginRow> = by_login
        .iter()
        .map(|(login, fact)| match fact {
            LoginFact::Absent => LoginRow(login.as_str().to_owned(), None),
            LoginFact::Found { sid, groups } => {
                LoginRow(login.as_str().to_owned(), Some((sid.0, gids(groups))))
            }
        })
        .collect();
    (serde_json::json!(by_sid).to_string(), serde_json::json!(by_login).to_string())
}

fn unpack(by_sid: &str, by_login: &str) -> Option<Answers> {
    let set = |gids: Option<Vec<i64>>| gids.map(|gids| gids.into_iter().map(Gid).collect());
    let by_sid: Vec<SidRow> = serde_json::from_str(by_sid).ok()?;
    let by_login: Vec<LoginRow> = serde_json::from_str(by_login).ok()?;
    let mut answers = Answers::default();
    for SidRow(sid, candidate) in by_sid {
        let fact = match candidate {
            None => SidFact::Gone,
            Some(CandidateShown(gids, login, values)) => {
                let values = values.map(|values| {
                    values.into_iter().map(|(field, value)| (FieldId(field), fingerprint(value))).collect()
                });
                answers.shown.extend(values.map(|values| (Sid(sid), values)));
                SidFact::Found { login: login.map(LoginValue::new), groups: set(gids) }
            }
        };
        answers.by_sid.insert(Sid(sid), fact);
    }
    for LoginRow(login, candidate) in by_login {
        let fact = match candidate {
            None => LoginFact::Absent,
            Some((sid, gids)) => LoginFact::Found { sid: Sid(sid), groups: set(gids) },
        };
        answers.by_login.insert(LoginValue::new(login), fact);
    }
    Some(answers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn answers_survive_packing() {
        let groups = Some(BTreeSet::from([Gid(4), Gid(7)]));
        let found = |login: Option<&str>| SidFact::Found {
            login: login.map(LoginValue::new),
            groups: groups.clone(),
        };
        let values = BTreeMap::from([(FieldId(1), fingerprint(-3))]);
        let answers = Answers {
            by_sid: BTreeMap::from([
                (Sid(1), SidFact::Gone),
                (Sid(2), found(Some("a"))),
                (Sid(3), found(None)),
            ]),
            by_login: BTreeMap::from([
                (LoginValue::new("a"), LoginFact::Found { sid: Sid(2), groups: groups.clone() }),
                (LoginValue::new("b"), LoginFact::Absent),
            ]),
            shown: BTreeMap::from([(Sid(2), values)]),
        };
        let (by_sid, by_login) = pack(&answers);
        assert_eq!(unpack(&by_sid, &by_login), Some(answers));
        assert_eq!(unpack("[1]", "[]"), None);
    }
}
