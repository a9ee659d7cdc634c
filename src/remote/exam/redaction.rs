//! What is on its way: which call, how many items, and which values must not come back in a message.

use secrecy::SecretString;

use super::call::ExamCall;
use super::signature::secrets;
use super::{CandidateChange, LookupKey, NewCandidate};
use crate::remote::http::{UnixSeconds, mask_service_text};
use rosterd_core::roster::{FieldId, Gid, Sid};

/// One call with what it carries.
pub(super) struct SentRequest<'a> {
    pub(super) call: ExamCall,
    /// What it carries besides code and time.
    pub(super) content: SentContent<'a>,
}

/// What a call carries.
pub(super) enum SentContent<'a> {
    Nothing,
    /// Who is looked up.
    Keys(LookupKey<'a>),
    Added(&'a [NewCandidate]),
    Changed(&'a [CandidateChange]),
    /// Who is deleted or moved.
    People {
        /// The groups, none for a delete.
        gids: &'a [Gid],
        sids: &'a [Sid],
    },
    /// A group to create.
    Category {
        /// The group above it.
        parent: Gid,
        /// What it is called.
        title: &'a str,
    },
}

impl SentRequest<'_> {
    /// How many items the call carries; a call without any of its own counts as one.
    pub(super) fn items(&self) -> usize {
        match &self.content {
            SentContent::Nothing | SentContent::Category { .. } => 1,
            SentContent::Keys(LookupKey::Sids(sids)) | SentContent::People { sids, .. } => sids.len(),
            SentContent::Keys(LookupKey::LoginValues(values)) => values.len(),
            SentContent::Added(batch) => batch.len(),
            SentContent::Changed(batch) => batch.len(),
        }
    }

    /// The service's text without anything that was sent: neither values nor ids, code or token.
    pub(super) fn masked(&self, text: &str, sent_at: UnixSeconds, code: &SecretString) -> String {
        let mut sent = secrets(sent_at, code);
        match &self.content {
            SentContent::Nothing => {}
            SentContent::Keys(LookupKey::Sids(sids)) => sent.extend(sids.iter().map(Sid::to_string)),
            SentContent::Keys(LookupKey::LoginValues(values)) => {
                sent.extend(values.iter().map(ToString::to_string));
            }
            SentContent::Added(batch) => {
                for NewCandidate { gid, values } in *batch {
                    sent.push(gid.to_string());
                    push_values(&mut sent, values);
                }
            }
            SentContent::Changed(batch) => {
                for CandidateChange { sid, values } in *batch {
                    sent.push(sid.to_string());
                    push_values(&mut sent, values);
                }
            }
            SentContent::People { gids, sids } => {
                sent.extend(gids.iter().map(Gid::to_string));
                sent.extend(sids.iter().map(Sid::to_string));
            }
            SentContent::Category { parent, title } => sent.extend([parent.to_string(), (*title).to_owned()]),
        }
        mask_service_text(text, &sent)
    }
}

fn push_values(sent: &mut Vec<String>, values: &[(FieldId, String)]) {
    sent.extend(values.iter().map(|(_, value)| value.clone()));
}
