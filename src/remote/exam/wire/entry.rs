//! One element of `success`, `fail` or `group`, of whatever type it comes in.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Stands for an `index` that an entry of `success` lacks: no position of any batch in either base.
pub(super) const NO_INDEX: i64 = -1;

/// Contract: docs/contracts/onlineexammaker.md, 1.3 and 4.1: sids and positions come as numbers or strings, those of
/// `addStudents` as objects, groups as objects; what `fail` holds is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Number(i64),
    /// A string, numeric or not.
    Text(String),
    /// An object, with what of it is known and readable.
    Object {
        sid: Option<i64>,
        index: Option<i64>,
        gid: Option<i64>,
        title: Option<String>,
        login_value: Option<String>,
        reason: Option<String>,
    },
    Other,
}

impl Entry {
    /// The integer that this is, as a number or as a string.
    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Object { .. } | Self::Other => None,
        }
    }

    /// The number that an entry of `fail` holds, itself or as its `index`.
    pub(super) fn as_position(&self) -> Option<i64> {
        match self {
            Self::Object { index, .. } => *index,
            Self::Number(_) | Self::Text(_) | Self::Other => self.as_integer(),
        }
    }

    /// The group that an entry of `group` names.
    pub(super) fn gid(&self) -> Option<i64> {
        match self {
            Self::Object { gid, .. } => *gid,
            Self::Number(_) | Self::Text(_) | Self::Other => self.as_integer(),
        }
    }

    /// What an entry of `group` calls the group.
    pub(super) fn title(&self) -> Option<&str> {
        match self {
            Self::Object { title, .. } => title.as_deref(),
            Self::Number(_) | Self::Text(_) | Self::Other => None,
        }
    }

    /// Why an entry of `fail` says that it was refused.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Object { reason, .. } => reason.as_deref(),
            Self::Number(_) | Self::Text(_) | Self::Other => None,
        }
    }

    /// The sid or login value that an entry of a look-up's `fail` names, as text.
    pub(super) fn into_key(self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text),
            Self::Object { sid, login_value, .. } => login_value.or_else(|| sid.map(|sid| sid.to_string())),
            Self::Other => None,
        }
    }

    fn into_text(self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text),
            Self::Object { .. } | Self::Other => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "sid")]
    Sid,
    #[serde(rename = "index")]
    Index,
    #[serde(rename = "gid")]
    Gid,
    #[serde(rename = "id")]
    Id,
    #[serde(rename = "title")]
    Title,
    #[serde(rename = "loginValue")]
    LoginValue,
    #[serde(rename = "reason", alias = "message", alias = "msg", alias = "error")]
    Reason,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id or an object that holds one")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Entry, E> {
        Ok(Entry::Number(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Entry, E> {
        Ok(i64::try_from(value).map_or(Entry::Other, Entry::Number))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Entry, E> {
        Ok(Entry::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Entry, E> {
        Ok(Entry::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Entry, E> {
        Ok(Entry::Other)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Entry, E> {
        Ok(Entry::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entry, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let (mut sid, mut index, mut gid, mut id) = (None, None, None, None);
        let (mut title, mut login_value, mut reason) = (None, None, None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Sid => sid = map.next_value::<Self::Value>()?.as_integer(),
                Key::Index => index = map.next_value::<Self::Value>()?.as_integer(),
                Key::Gid => gid = map.next_value::<Self::Value>()?.as_integer(),
                Key::Id => id = map.next_value::<Self::Value>()?.as_integer(),
                Key::Title => title = map.next_value::<Self::Value>()?.into_text(),
                Key::LoginValue => login_value = map.next_value::<Self::Value>()?.into_text(),
                Key::Reason => reason = map.next_value::<Self::Value>()?.into_text(),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Entry::Object { sid, index, gid: gid.or(id), title, login_value, reason })
    }
}
