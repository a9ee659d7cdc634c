//! Under what a student was asked about: while that is as it was, so is the answer.

use std::collections::BTreeSet;

use crate::exam_plan::compare::{Agreement, Comparison, FieldDifference};
use crate::exam_plan::diff::{
    Absence, Difference, Leaver, LinkedStudent, Newcomer, PriorKnowledge, Unusable, Wanted,
};
use crate::exam_plan::fingerprint::{Digest, Fingerprint};
use crate::exam_plan::groups::WantedGroups;
use crate::exam_plan::hold_word::NamedHold;
use crate::exam_plan::link::Link;
use crate::exam_plan::mapping::Mapping;

/// Everything but look-ups that decides what becomes of a difference.
pub(super) fn circumstances(
    difference: &Difference,
    approved: Option<&BTreeSet<NamedHold>>,
    comparison: &Comparison<'_>,
) -> Fingerprint {
    let mut digest = comparison.key.digest("circumstances");
    let mapping = comparison.mapping;
    match difference {
        Difference::Newcomer(Newcomer { wanted, listed, replaces }) => {
            digest.text("newcomer").number(replaces.map_or(0, |sid| sid.0));
            take_wanted(&mut digest, wanted);
            take_difference(&mut digest, listed.as_ref(), mapping);
        }
        Difference::Linked(linked) => {
            let LinkedStudent { wanted, link, own, target, keeps_login, prior } = linked.as_ref();
            digest.text("linked").number(i64::from(*keeps_login)).text(prior_word(*prior));
            take_wanted(&mut digest, wanted);
            take_link(&mut digest, link);
            take_difference(&mut digest, own.as_ref(), mapping);
            take_difference(&mut digest, target.as_ref(), mapping);
        }
        Difference::Leaver(Leaver { link, listed, prior, absence }) => {
            let absence = match absence {
                Absence::Marked => "marked",
                Absence::Missing => "missing",
                Absence::StillNamed => "still named",
            };
            digest.text("leaver").number(i64::from(*listed)).text(prior_word(*prior)).text(absence);
            take_link(&mut digest, link);
        }
        Difference::Unusable(Unusable {
            student: _,
            link,
            listed,
            prior,
            returned: _,
            login: _,
            reason: _,
        }) => {
            digest.text("unusable").number(i64::from(*listed)).text(prior_word(*prior));
            if let Some(link) = link {
                take_link(&mut digest, link);
            }
        }
    }
    for NamedHold { word, about } in approved.into_iter().flatten() {
        digest.text(word.as_str()).number(number(*about));
    }
    digest.finish()
}

fn prior_word(prior: PriorKnowledge) -> &'static str {
    match prior {
        PriorKnowledge::None => "none",
        PriorKnowledge::Groups => "groups",
        PriorKnowledge::Gone => "gone",
        PriorKnowledge::Contested => "contested",
        PriorKnowledge::OfAnother => "of another",
        PriorKnowledge::Unlisted => "unlisted",
    }
}

fn take_wanted(digest: &mut Digest, wanted: &Wanted) {
    let Wanted { id, login, values, groups, is_ambiguous } = wanted;
    digest.text(id.as_str()).text(login.as_str()).number(i64::from(*is_ambiguous));
    for value in &values.0 {
        digest.text(value);
    }
    let WantedGroups { gids, new, first: _, without_gid, unclear } = groups;
    for gid in gids {
        digest.number(gid.0);
    }
    for code in new.iter().chain(without_gid).chain(unclear) {
        digest.text(code.as_str());
    }
    for told in [without_gid, unclear] {
        digest.number(i64::from(told.is_some()));
    }
}

fn take_link(digest: &mut Digest, link: &Link) {
    let Link {
        student,
        sid,
        login,
        origin,
        confirmed,
        unverified,
        suspected,
        sent_twice,
        rewritten,
        groups,
        gone_since_ms,
        // Each run counts on.
        gone_runs: _,
        linked_at_ms,
        renamed_by_hand,
    } = link;
    digest.text(student.as_str()).number(sid.0).text(login.as_str()).text(origin.as_str());
    for fingerprints in [confirmed, suspected] {
        digest.number(i64::try_from(fingerprints.len()).unwrap_or(i64::MAX));
        for (field, fingerprint) in fingerprints {
            digest.number(field.0).number(number(*fingerprint));
        }
    }
    for fields in [unverified, rewritten] {
        digest.number(i64::try_from(fields.len()).unwrap_or(i64::MAX));
        for field in fields {
            digest.number(field.0);
        }
    }
    for (field, listings) in sent_twice {
        digest.number(field.0).number(i64::from(*listings));
    }
    digest.text(if groups.is_some() { "groups" } else { "no groups" });
    for gid in groups.iter().flatten() {
        digest.number(gid.0);
    }
    digest.number(gone_since_ms.unwrap_or(-1)).number(*linked_at_ms).number(i64::from(*renamed_by_hand));
}

/// What the listing shows of a candidate, beside what is wanted.
pub(super) fn take_difference(digest: &mut Digest, difference: Option<&FieldDifference>, mapping: &Mapping) {
    let Some(difference) = difference else {
        digest.text("not listed");
        return;
    };
    let FieldDifference { send, sent_again, came_back, cleared, second_writes: _, confirm, agreement } =
        difference;
    digest.text("listed");
    for at in send.iter().chain(sent_again) {
        digest.number(mapping.fields().get(*at).map_or(-1, |field| field.id.0));
    }
    for (field, fingerprint) in came_back.iter().chain(confirm) {
        digest.number(field.0).number(number(*fingerprint));
    }
    for field in cleared {
        digest.number(field.0);
    }
    let Agreement { compared, agreeing } = agreement;
    digest.number(i64::from(*compared)).number(i64::from(*agreeing));
}

pub(super) fn number(fingerprint: Fingerprint) -> i64 {
    i64::from_le_bytes(fingerprint.0.to_le_bytes())
}
