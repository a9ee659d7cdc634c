//! What is on its way: which call, how many items, and which values must not come back in a message.

use secrecy::SecretString;

use super::call::Call;
use super::signature::secrets;
use super::{CandidateChange, LookupKey, NewCandidate};
use crate::remote::http::{UnixSeconds, mask_service_text};
use rosterd_core::roster::{FieldId, Gid, Sid};

/// One call with what it carries.
pub(super) struct Sending<'a> {
    /// Which call.
    pub(super) call: Call,
    /// What it carries besides code and time.
    pub(super) content: Content<'a>,
}

/// What a call carries.
pub(super) enum Content<'a> {
    /// Nothing about anybody.
    Nothing,
    /// Who is looked up.
    Keys(LookupKey<'a>),
    /// Who is added.
    Added(&'a [NewCandidate]),
    /// Who is changed.
    Changed(&'a [CandidateChange]),
    /// Who is deleted or moved.
    People {
        /// The groups, none for a delete.
        gids: &'a [Gid],
        /// The candidates.
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

impl Sending<'_> {
    /// How many items the call carries; a call without any of its own counts as one.
    pub(super) fn items(&self) -> usize {
        match &self.content {
            Content::Nothing | Content::Category { .. } => 1,
            Content::Keys(LookupKey::Sids(sids)) | Content::People { sids, .. } => sids.len(),
            Content::Keys(LookupKey::LoginValues(values)) => values.len(),
            Content::Added(batch) => batch.len(),
            Content::Changed(batch) => batch.len(),
        }
    }

    /// The service's text without anything that was sent: neither values nor ids, code or token.
    pub(super) fn masked(&self, text: &str, sent_at: UnixSeconds, code: &SecretString) -> String {
        let mut sent = secrets(sent_at, code);
        match &self.content {
            Content::Nothing => {}
            Content::Keys(LookupKey::Sids(sids)) => sent.extend(sids.iter().map(Sid::to_string)),
            Content::Keys(LookupKey::LoginValues(values)) => {
                sent.extend(values.iter().map(ToString::to_string));
            }
            Content::Added(batch) => {
                for NewCandidate { gid, values } in *batch {
                    sent.push(gid.to_string());
                    push_values(&mut sent, values);
                }
            }
            Content::Changed(batch) => {
                for CandidateChange { sid, values } in *batch {
                    sent.push(sid.to_string());
                    push_values(&mut sent, values);
                }
            }
            Content::People { gids, sids } => {
                sent.extend(gids.iter().map(Gid::to_string));
                sent.extend(sids.iter().map(Sid::to_string));
            }
            Content::Category { parent, title } => sent.extend([parent.to_string(), (*title).to_owned()]),
        }
        mask_service_text(text, &sent)
    }
}

fn push_values(sent: &mut Vec<String>, values: &[(FieldId, String)]) {
    sent.extend(values.iter().map(|(_, value)| value.clone()));
}
