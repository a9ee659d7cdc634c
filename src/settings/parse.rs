//! Parses one written value, or says in a sentence what is expected.
//!
//! Pure, and ignorant of keys and layers. Values come as TOML types from files and as text from the
//! environment; both spellings are understood everywhere.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each parser names the kinds of value it takes, and refuses all others alike"
)]

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use config::ValueKind;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::Time;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::suggest::nearest;
use super::{Blackout, FieldMapping, FieldRef, Leavers, Limit, LoginField};
use rosterd_core::roster::HomeCountry;

/// A value, or what is wrong with it: a sentence for the admin, which never repeats a secret.
pub(super) type Parsed<T> = Result<T, String>;

/// Longer spans are slips, and some could not be added to a point in time.
const LONGEST_HOURS: u64 = 87_600; // ten years

/// A value as shown in a message.
fn shown(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Nil => "nothing".to_owned(),
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Table(_) => "a table".to_owned(),
        ValueKind::Array(_) => "a list".to_owned(),
        _ => kind.to_string(),
    }
}

/// Text without the blanks around it.
pub(super) fn text_of(kind: &ValueKind) -> Option<&str> {
    match kind {
        ValueKind::String(text) => Some(text.trim()),
        _ => None,
    }
}

/// Texts as a list or, from the environment, with commas between them.
pub(super) fn texts(kind: &ValueKind) -> Option<Vec<&str>> {
    match kind {
        ValueKind::Array(list) => list.iter().map(|value| text_of(&value.kind)).collect(),
        _ => text_of(kind).map(|text| text.split(',').map(str::trim).collect()),
    }
}

/// A time of day to the minute.
pub(super) fn time_of_day(kind: &ValueKind) -> Parsed<Time> {
    let parts = text_of(kind).and_then(|text| text.split_once(':'));
    let part = |text: &str| text.parse::<i8>().ok().filter(|_| all_digits(text));
    parts
        .and_then(|(hour, minute)| Time::new(part(hour)?, part(minute)?, 0, 0).ok())
        .ok_or_else(|| format!("write hour and minute such as \"08:00\", not {}", shown(kind)))
}

fn integer_of(kind: &ValueKind) -> Option<i128> {
    match kind {
        ValueKind::I64(number) => Some(i128::from(*number)),
        ValueKind::U64(number) => Some(i128::from(*number)),
        ValueKind::I128(number) => Some(*number),
        ValueKind::U128(number) => i128::try_from(*number).ok(),
        ValueKind::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Text that says something.
pub(super) fn text(kind: &ValueKind) -> Parsed<String> {
    match text_of(kind) {
        Some("") => Err("it is empty: give it a value or leave the key out".to_owned()),
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("write it as text in quotes, not {}", shown(kind))),
    }
}

/// A query of the roster. There is nothing that its parameters could be bound to: SQLite would read NULL.
pub(super) fn query(kind: &ValueKind) -> Parsed<String> {
    let query = text(kind)?;
    match parameter(&query) {
        None => Ok(query),
        Some(parameter) => Err(format!(
            "it has the parameter {parameter}, which nothing is bound to and SQLite reads as NULL: write the value itself, \
             as text in single quotes"
        )),
    }
}

/// The first parameter of an SQL text, outside its texts, names and comments.
fn parameter(sql: &str) -> Option<String> {
    let is_of_name = |letter: &char| letter.is_alphanumeric() || *letter == '_';
    let mut rest = sql.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '\'' | '"' | '`' => while rest.next().is_some_and(|next| next != letter) {},
            '[' => while rest.next().is_some_and(|next| next != ']') {},
            '-' if rest.peek() == Some(&'-') => while rest.next().is_some_and(|next| next != '\n') {},
            '/' if rest.peek() == Some(&'*') => {
                rest.next();
                while rest.next().is_some_and(|next| next != '*' || rest.peek() != Some(&'/')) {}
            }
            '?' | ':' | '@' | '$' => {
                let name: String = std::iter::from_fn(|| rest.next_if(is_of_name)).collect();
                if letter == '?' || !name.is_empty() {
                    return Some(format!("{letter}{name}"));
                }
            }
            // A sign within a name, such as that of `a$b`, begins no parameter.
            _ if is_of_name(&letter) => {
                while rest.next_if(|next| is_of_name(next) || *next == '$').is_some() {}
            }
            _ => {}
        }
    }
    None
}

/// Text kept unchanged and never shown.
pub(super) fn secret(kind: &ValueKind) -> Parsed<String> {
    match kind {
        ValueKind::String(text) if text.is_empty() => {
            Err("it is empty: give it a value or leave the key out".to_owned())
        }
        ValueKind::String(text) => Ok(text.clone()),
        _ => Err("write it as text in quotes (better: give it in the environment or in a file)".to_owned()),
    }
}

/// An identifier: text, or a number in its place.
pub(super) fn identifier(kind: &ValueKind) -> Parsed<String> {
    match kind {
        ValueKind::I64(number) if *number >= 0 => Ok(number.to_string()),
        _ => text(kind),
    }
}

/// Yes or no.
pub(super) fn boolean(kind: &ValueKind) -> Parsed<bool> {
    let known = match kind {
        ValueKind::Boolean(value) => Some(*value),
        ValueKind::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    };
    known.ok_or_else(|| format!("write true or false, not {}", shown(kind)))
}

/// A whole number within a range.
pub(super) fn whole<T>(range: RangeInclusive<T>) -> impl Fn(&ValueKind) -> Parsed<T>
where
    T: TryFrom<i128> + PartialOrd + std::fmt::Display,
{
    move |kind| {
        integer_of(kind)
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (low, high) = (range.start(), range.end());
                format!("write a whole number from {low} to {high}, not {}", shown(kind))
            })
    }
}

/// Requests a second.
pub(super) fn rate(kind: &ValueKind) -> Parsed<f64> {
    let number = match kind {
        ValueKind::Float(number) => Some(*number),
        ValueKind::I64(number) => i32::try_from(*number).ok().map(f64::from),
        ValueKind::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    // Slower than one request in an hour is a slip, and so slow a pace could not be expressed.
    number.filter(|number| *number == 0.0 || (1.0 / 3600.0..=1e6).contains(number)).ok_or_else(|| {
        format!("write a number above 0, such as 8.0, or 0 for no pacing at all, not {}", shown(kind))
    })
}

/// A span of time with its unit.
pub(super) fn duration(kind: &ValueKind) -> Parsed<Duration> {
    let wanted = |what: &str| {
        format!("{what}: write a number with its unit, such as \"30s\", \"1h 30m\" or \"24h\" (h, m, s, ms)")
    };
    let Some(text) = text_of(kind) else {
        return Err(wanted(&format!("{} has no unit", shown(kind))));
    };
    let Ok(span) = text.parse::<jiff::SignedDuration>() else {
        return Err(wanted(&format!("{text:?} is no duration")));
    };
    let Ok(span) = Duration::try_from(span) else {
        return Err(format!("{text:?} is negative; a duration is 0s or more"));
    };
    if span > Duration::from_secs(LONGEST_HOURS * 3600) {
        return Err(format!("{text:?} is longer than ten years ({LONGEST_HOURS}h)"));
    }
    Ok(span)
}

/// A span of time that is not zero.
pub(super) fn deadline(kind: &ValueKind) -> Parsed<Duration> {
    duration(kind).and_then(|span| {
        if span.is_zero() {
            Err("a deadline of no time at all fails every call: write some seconds, such as \"30s\""
                .to_owned())
        } else {
            Ok(span)
        }
    })
}

/// One of some words.
pub(super) fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&ValueKind) -> Parsed<T> {
    move |kind| {
        let found = text_of(kind).and_then(|text| words.iter().find(|(word, _)| *word == text));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let names: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            format!("write one of {}, not {}", names.join(", "), shown(kind))
        })
    }
}

/// Scheme, host and port of a service. The message does not repeat the address, because it may hold a
/// password.
pub(super) fn base_url(kind: &ValueKind) -> Parsed<String> {
    let Some(url) = text_of(kind).and_then(|text| reqwest::Url::parse(text).ok()) else {
        return Err("this is no web address: write it like \"https://api.example.org\"".to_owned());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address must not hold a user name or password".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("write scheme, host and port only, without a path or a query".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(host) => {}
        "http" => {
            return Err(
                "plain http is accepted for this machine alone (127.0.0.0/8, [::1], localhost), because \
                        secrets travel in requests: write https"
                    .to_owned(),
            );
        }
        _ => return Err("write an https address".to_owned()),
    }
    Ok(url.origin().ascii_serialization())
}

/// Whether an address leads to this machine.
pub(crate) fn is_loopback_address(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(is_loopback))
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A schedule and the expression as it was written.
pub(super) fn cron(kind: &ValueKind) -> Parsed<(String, Cron)> {
    let expression = text(kind)?;
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    let cron = parser.parse(&expression).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.trim_end_matches('.');
        format!(
            "{expression:?} is no schedule ({reason}): write six fields, seconds first, such as \"0 */15 * * * *\", or \
             five without the seconds"
        )
    })?;
    // The search may start anywhere: the fields know no year, and rules repeat within decades.
    let start = jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0).to_zoned(TimeZone::UTC);
    match start.ok().and_then(|start| cron.find_next_occurrence(&start, false).ok()) {
        Some(_) => Ok((expression, cron)),
        None => Err(format!("{expression:?} never comes round: check day and month")),
    }
}

/// A time zone by its name.
pub(super) fn time_zone(kind: &ValueKind) -> Parsed<TimeZone> {
    let name = text(kind)?;
    // The rules that come with the program, on every system the same: the system's own would be looked for in a folder of
    // hundreds of files.
    let known = TimeZoneDatabase::bundled();
    known.get(&name).map_err(|_| {
        let zones: Vec<String> = known.available().map(|zone| zone.as_str().to_owned()).collect();
        match nearest(&name, zones.iter().map(String::as_str)) {
            Some(near) => format!("there is no time zone {name:?}; did you mean \"{near}\"?"),
            None => {
                format!("there is no time zone {name:?}: write a name such as \"UTC\" or \"Asia/Shanghai\"")
            }
        }
    })
}

/// Spans of days. From the environment they come as one line of TOML.
pub(super) fn blackout(kind: &ValueKind) -> Parsed<Vec<Blackout>> {
    const WANTED: &str = "write a list such as [{ from = \"2027-07-01\", to = \"2027-08-15\" }]";
    match kind {
        ValueKind::Array(spans) => spans.iter().map(|span| blackout_span(&span.kind)).collect(),
        ValueKind::String(text) => {
            let line = format!("spans = {}", text.trim().replace(['\n', '\r'], " "));
            let file = config::File::from_str(&line, config::FileFormat::Toml);
            let table = config::Source::collect(&file).map_err(|_| WANTED.to_owned())?;
            match table.get("spans").map(|value| &value.kind) {
                Some(list @ ValueKind::Array(_)) => blackout(list),
                _ => Err(WANTED.to_owned()),
            }
        }
        _ => Err(WANTED.to_owned()),
    }
}

fn blackout_span(kind: &ValueKind) -> Parsed<Blackout> {
    let ValueKind::Table(table) = kind else {
        return Err(format!("a span is {{ from = \"…\", to = \"…\" }}, not {}", shown(kind)));
    };
    if let Some(name) = table.keys().find(|name| !matches!(name.as_str(), "from" | "to")) {
        return Err(format!("a span has `from` and `to`, no {name:?}"));
    }
    let day = |name: &str| -> Parsed<jiff::civil::Date> {
        let text = table.get(name).and_then(|value| text_of(&value.kind));
        let text =
            text.ok_or_else(|| format!("a span lacks its `{name}`: write a day such as \"2027-07-01\""))?;
        text.parse().map_err(|_| format!("`{name}` is no day: write it like \"2027-07-01\", not {text:?}"))
    };
    let (from, to) = (day("from")?, day("to")?);
    if to < from {
        return Err(format!("a span ends on {to}, before it begins on {from}"));
    }
    Ok(Blackout { from, to })
}

/// The limit on one run's changes.
pub(super) fn limit(kind: &ValueKind) -> Parsed<Limit> {
    let parsed = match (text_of(kind), integer_of(kind)) {
        (_, Some(count)) => u64::try_from(count).ok().map(Limit::Count),
        (Some("auto"), None) => Some(Limit::Auto),
        (Some(text), None) => text
            .strip_suffix('%')
            .and_then(|share| share.trim_end().parse::<f64>().ok())
            .filter(|share| (0.0..=100.0).contains(share))
            .map(Limit::Percent),
        (None, None) => None,
    };
    parsed.ok_or_else(|| {
        format!(
            "write \"auto\", a number such as 12, or a share from \"0%\" to \"100%\", not {}",
            shown(kind)
        )
    })
}

/// What happens to leavers.
pub(super) fn leavers(kind: &ValueKind) -> Parsed<Leavers> {
    let parsed = match (text_of(kind), integer_of(kind)) {
        (_, Some(gid)) => i64::try_from(gid).ok().filter(|gid| *gid > 0).map(Leavers::MoveTo),
        (Some("delete"), None) => Some(Leavers::Delete),
        (Some("keep"), None) => Some(Leavers::Keep),
        (Some(_) | None, None) => None,
    };
    parsed.ok_or_else(|| {
        format!("write \"delete\", \"keep\" or the gid of a group to move them to, not {}", shown(kind))
    })
}

/// A field of the exam side: all-digit text is a number.
fn field_ref(kind: &ValueKind) -> Parsed<FieldRef> {
    let parsed = match kind {
        ValueKind::String(text) if all_digits(text.trim()) => text.trim().parse().ok().map(FieldRef::Id),
        ValueKind::String(text) if text.trim().is_empty() => None,
        ValueKind::String(text) => Some(FieldRef::Label(text.trim().to_owned())),
        ValueKind::I64(number) => Some(*number).filter(|number| *number >= 0).map(FieldRef::Id),
        _ => None,
    };
    parsed.ok_or_else(|| format!("write the label of a field or its number (sfid), not {}", shown(kind)))
}

/// A country by its two letters.
pub(super) fn home_country(kind: &ValueKind) -> Parsed<HomeCountry> {
    text_of(kind).and_then(HomeCountry::parse).ok_or_else(|| {
        format!(
            "write the two letters of a country (ISO 3166), such as \"CN\", \"HK\" or \"DE\", not {}",
            shown(kind)
        )
    })
}

/// The field of the login value.
pub(super) fn login_field(kind: &ValueKind) -> Parsed<LoginField> {
    match text_of(kind) {
        Some("auto") => Ok(LoginField::Auto),
        _ => field_ref(kind).map(LoginField::Named).map_err(|message| format!("{message}; or \"auto\"")),
    }
}

/// The mapping of roster columns to fields.
pub(super) fn fields(kind: &ValueKind) -> Parsed<Vec<FieldMapping>> {
    let ValueKind::Table(table) = kind else {
        return Err(format!("write a table of roster columns and fields, not {}", shown(kind)));
    };
    let mut columns: Vec<_> = table.iter().collect();
    columns.sort_by(|one, other| one.0.cmp(other.0));
    let mut mappings: Vec<FieldMapping> = Vec::with_capacity(columns.len());
    for (column, value) in columns {
        if column.trim() != column || column.is_empty() {
            return Err(format!("{column:?} is no roster column: write its name without blanks around it"));
        }
        let field = field_ref(&value.kind).map_err(|message| format!("column {column:?}: {message}"))?;
        if let Some(rival) = mappings.iter().find(|mapping| mapping.field == field) {
            return Err(format!("columns {:?} and {column:?} go to the same field: keep one", rival.column));
        }
        mappings.push(FieldMapping { column: column.clone(), field });
    }
    if mappings.is_empty() {
        return Err(
            "no column is mapped: map at least one, or leave the table out for the default one".to_owned()
        );
    }
    Ok(mappings)
}

/// The address to listen on; absent for none.
pub(super) fn listen(kind: &ValueKind) -> Parsed<Option<SocketAddr>> {
    match text_of(kind) {
        // An empty environment variable counts as unset, hence the second spelling.
        Some("" | "off") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            format!("{text:?} is no address: write IP and port, such as \"127.0.0.1:8480\", or \"off\"")
        }),
        None => {
            Err(format!("write IP and port, such as \"127.0.0.1:8480\", or \"off\", not {}", shown(kind)))
        }
    }
}
