//! JSON as the two services write it: keys in a chosen order, types that flip at a switch.
//!
//! Reading is lenient and goes through `serde_json`; this is not a general JSON library.

use std::fmt::Write as _;

use serde_json::Value;

/// A JSON value whose objects keep the order they were built in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    /// `null`.
    Null,
    /// A whole number; neither service answers any other kind.
    Int(i64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in this order.
    Map(Vec<(&'static str, Json)>),
}

/// The characters that a service writes as `\uXXXX` although JSON does not require it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// As Go's encoder: `&`, `<` and `>`. Contract: docs/contracts/onlineexammaker.md, 2.3.
    Go,
    /// Only what JSON asks for.
    Plain,
    /// The same behind a UTF-8 byte-order mark.
    PlainMarked,
}

impl Json {
    /// A string value.
    pub(crate) fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }

    /// The value as compact JSON text.
    pub(crate) fn render(&self, escaping: Escaping) -> String {
        let mut out = String::new();
        if escaping == Escaping::PlainMarked {
            out.push('\u{feff}');
        }
        self.write(&mut out, escaping);
        out
    }

    /// Replaces the value under `key` of an object; does nothing where there is none.
    pub(crate) fn replace(&mut self, key: &str, value: Json) {
        if let Json::Map(pairs) = self
            && let Some((_, slot)) = pairs.iter_mut().find(|(name, _)| *name == key)
        {
            *slot = value;
        }
    }

    fn write(&self, out: &mut String, escaping: Escaping) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Int(number) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "{number}");
            }
            Json::Text(text) => write_text(out, text, escaping),
            Json::List(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    item.write(out, escaping);
                }
                out.push(']');
            }
            Json::Map(pairs) => {
                out.push('{');
                for (position, (key, value)) in pairs.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    write_text(out, key, escaping);
                    out.push(':');
                    value.write(out, escaping);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(out: &mut String, text: &str, escaping: Escaping) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '&' | '<' | '>' if escaping == Escaping::Go => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            control if control.is_control() && control.is_ascii() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A number, or a string that holds one.
pub(crate) fn whole_number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
}

/// A string, or the digits of a number; nothing for other kinds.
pub(crate) fn loose_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string))
}

/// The member of an object whose key is `name` in any case, as a Go decoder reads it.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, found)| found))
}
