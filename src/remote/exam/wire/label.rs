//! Labels beside the values of a listing: the same few in every row, so only new ones are copied.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use rosterd_core::roster::FieldId;

/// Labels that are kept of one page at most.
const MOST_LABELS: usize = 200;

/// Distinct labels by field, in the order in which they were met.
#[derive(Default)]
pub(super) struct Labels(Vec<(FieldId, String)>);

impl Labels {
    pub(super) fn note(&mut self, id: FieldId, label: &Label<'_>) {
        if let Some(label) = &label.0 {
            self.note_text(id, label);
        }
    }

    pub(super) fn note_text(&mut self, id: FieldId, label: &str) {
        let is_known = self.0.iter().any(|(known, text)| *known == id && text == label);
        if !is_known && self.0.len() < MOST_LABELS {
            self.0.push((id, label.to_owned()));
        }
    }

    pub(super) fn into_pairs(self) -> Vec<(FieldId, String)> {
        self.0
    }
}

/// One label; what is not a text says nothing.
#[derive(Default)]
pub(super) struct Label<'de>(Option<Cow<'de, str>>);

impl<'de> Deserialize<'de> for Label<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LabelVisitor).map(Self)
    }
}

struct LabelVisitor;

impl<'de> Visitor<'de> for LabelVisitor {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a label")
    }

    fn visit_borrowed_str<E: Error>(self, label: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(label)))
    }

    fn visit_str<E: Error>(self, label: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(label.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
