//! Rows of the listing and their fields: the path on which a hundred thousand candidates come in.
//!
//! Visitors write straight into the values that are handed on; nothing is parsed into a tree first.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::ListedCandidate;
use super::lenient::{LenientInteger, LenientText};
use rosterd_core::roster::FieldId;

/// `data` of `getstulist`.
pub(super) struct Rows(pub(super) Vec<ListedCandidate>);

/// `fields` of a row, without those whose value is `null`.
pub(super) struct FieldValues(pub(super) Vec<(FieldId, String)>);

struct Row(ListedCandidate);
struct FieldValue(FieldId, Option<LenientText>);

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RowsVisitor).map(Self)
    }
}

struct RowsVisitor;

impl<'de> Visitor<'de> for RowsVisitor {
    type Value = Vec<ListedCandidate>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of candidates")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(Row(row)) = seq.next_element()? {
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

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor).map(Self)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
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
                    fields =
                        map.next_value::<Option<FieldValues>>()?.map(|fields| fields.0).unwrap_or_default();
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
        deserializer.deserialize_seq(FieldValuesVisitor).map(Self)
    }
}

struct FieldValuesVisitor;

impl<'de> Visitor<'de> for FieldValuesVisitor {
    type Value = Vec<(FieldId, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of field values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(FieldValue(id, value)) = seq.next_element()? {
            if let Some(LenientText(value)) = value {
                values.push((id, value));
            }
        }
        Ok(values)
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
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldValueVisitor)
    }
}

struct FieldValueVisitor;

impl<'de> Visitor<'de> for FieldValueVisitor {
    type Value = FieldValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field id and its value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldValue, A::Error> {
        let (mut field_id, mut id, mut value) = (None, None, None);
        while let Some(key) = map.next_key()? {
            match key {
                FieldKey::FieldId => field_id = Some(map.next_value::<LenientInteger>()?),
                // Read leniently: beside an `sFid` it may be anything.
                FieldKey::Id => id = map.next_value::<super::Entry>()?.as_integer().map(LenientInteger),
                FieldKey::Value => value = map.next_value::<Option<LenientText>>()?,
                FieldKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let LenientInteger(id) = field_id.or(id).ok_or_else(|| A::Error::missing_field("sFid"))?;
        Ok(FieldValue(FieldId(id), value))
    }
}
