//! Rows of the listing and their fields: the path on which a hundred thousand candidates come in.
//!
//! Visitors write straight into the values that are handed on; nothing is parsed into a tree first.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::ListedCandidate;
use super::label::{Label, Labels};
use super::lenient::{LenientInteger, LenientText};
use rosterd_core::roster::FieldId;

/// `data` of `getstulist`, and the labels beside its values.
pub(super) struct Rows(pub(super) Vec<ListedCandidate>, pub(super) Labels);

/// `fields` of a row, without those whose value is `null`.
pub(super) struct FieldValues(pub(super) Vec<(FieldId, String)>);

struct FieldValue(FieldId, Option<LenientText>);

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut labels = Labels::default();
        let rows = deserializer.deserialize_seq(RowsVisitor(&mut labels))?;
        Ok(Self(rows, labels))
    }
}

struct RowsVisitor<'l>(&'l mut Labels);

impl<'de> Visitor<'de> for RowsVisitor<'_> {
    type Value = Vec<ListedCandidate>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of candidates")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element_seed(RowSeed(self.0))? {
            rows.push(row);
        }
        Ok(rows)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum RowKey {
    #[serde(rename = "loginValue", alias = "loginvalue", alias = "login_value")]
    LoginValue,
    #[serde(rename = "fields")]
    Fields,
    #[serde(other)]
    Other,
}

struct RowSeed<'l>(&'l mut Labels);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ListedCandidate;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ListedCandidate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a candidate")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut login_value = None;
        let mut fields = Vec::new();
        while let Some(key) = map.next_key()? {
            match key {
                RowKey::LoginValue => login_value = Some(map.next_value::<Option<LenientText>>()?),
                RowKey::Fields => {
                    fields = map.next_value_seed(FieldsSeed(self.0))?;
                }
                RowKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        // Without values a row that names no login value is not known to be a candidate.
        if login_value.is_none() && fields.is_empty() {
            return Err(A::Error::missing_field("loginValue"));
        }
        let login_value = login_value.flatten().map(|LenientText(value)| value).unwrap_or_default();
        Ok(ListedCandidate { login_value, fields })
    }
}

impl<'de> Deserialize<'de> for FieldValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FieldsSeed(&mut Labels::default()).deserialize(deserializer).map(Self)
    }
}

/// A list of field values, or `null`.
struct FieldsSeed<'l>(&'l mut Labels);

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_> {
    type Value = Vec<(FieldId, String)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_> {
    type Value = Vec<(FieldId, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of field values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(FieldValue(id, value)) = seq.next_element_seed(FieldSeed(self.0))? {
            if let Some(LenientText(value)) = value {
                values.push((id, value));
            }
        }
        Ok(values)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum FieldKey {
    #[serde(rename = "sFid", alias = "sfid")]
    FieldId,
    #[serde(rename = "id")]
    Id,
    #[serde(rename = "value")]
    Value,
    #[serde(rename = "label", alias = "sLabel")]
    Label,
    #[serde(other)]
    Other,
}

struct FieldSeed<'l>(&'l mut Labels);

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = FieldValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = FieldValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field id and its value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldValue, A::Error> {
        let (mut field_id, mut id, mut value, mut label) = (None, None, None, Label::default());
        while let Some(key) = map.next_key()? {
            match key {
                FieldKey::FieldId => field_id = Some(map.next_value::<LenientInteger>()?),
                // Read leniently: beside an `sFid` it may be anything.
                FieldKey::Id => id = map.next_value::<super::Entry>()?.as_integer().map(LenientInteger),
                FieldKey::Value => value = map.next_value::<Option<LenientText>>()?,
                FieldKey::Label => label = map.next_value()?,
                FieldKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let LenientInteger(id) = field_id.or(id).ok_or_else(|| A::Error::missing_field("sFid"))?;
        self.0.note(FieldId(id), &label);
        Ok(FieldValue(FieldId(id), value))
    }
}
