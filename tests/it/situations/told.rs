//! What one place tells of a situation, read back from what it shows.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

/// The facts of a situation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) kind: String,
    pub(super) heading: String,
    /// The worst first.
    pub(super) matters: Vec<Fact>,
    /// To the minute.
    pub(super) next_run: Option<Timestamp>,
}

/// The facts of one matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    kind: String,
    cause: String,
    count: u64,
    /// As people read it.
    whom: String,
    /// To the minute.
    since: Option<Timestamp>,
    command: Option<String>,
    /// Whether people are told of it.
    is_told: bool,
}

const OWNERS: [(&str, &str); 4] = [
    ("office", "the school office"),
    ("it", "IT"),
    ("service", "the service itself"),
    ("quota", "more room at the service (quota)"),
];

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A moment as documents have it, without its seconds.
fn minute(moment: &str) -> Option<Timestamp> {
    let at: Timestamp = moment.parse().ok()?;
    Timestamp::from_second(at.as_second().div_euclid(60) * 60).ok()
}

/// `2027-01-15 16:00 +08:00`, at the beginning of a text.
fn spoken(text: &str) -> Option<Timestamp> {
    let moment = text.get(.."2027-01-15 16:00 +08:00".len())?;
    let at = jiff::fmt::strtime::parse("%Y-%m-%d %H:%M %:z", moment).ok()?;
    at.to_timestamp().ok()
}

impl Told {
    /// Of the JSON form of `status`, or of `/api/v1/status`.
    pub(super) fn of_document(situation: &Value) -> Self {
        let matters = situation["matters"].as_array().unwrap().iter();
        let fact = |matter: &Value| Fact {
            kind: text(&matter["kind"]),
            cause: text(&matter["cause"]),
            count: matter["count"].as_u64().unwrap(),
            whom: OWNERS.iter().find(|(word, _)| matter["owner"] == *word).unwrap().1.to_owned(),
            since: minute(&text(&matter["since"])),
            command: matter["command"].as_str().map(str::to_owned),
            is_told: matter["weight"] != "note",
        };
        Self {
            kind: text(&situation["kind"]),
            heading: ageless(&text(&situation["heading"])),
            matters: matters.map(fact).collect(),
            next_run: minute(&text(&situation["next_run_at"])),
        }
    }

    /// Of the text of `status`. The one word for the situation is said by its heading alone.
    pub(super) fn of_text(shown: &str, expected: &Self) -> Self {
        let next = shown.split_once("The daemon's next run is due at ").map(|(_, next)| next);
        Self {
            kind: expected.kind.clone(),
            heading: ageless(shown.lines().next().unwrap()),
            matters: facts(shown.lines().filter_map(|line| line.strip_prefix("  ")), expected),
            next_run: next.and_then(spoken),
        }
    }

    /// Of the page.
    pub(super) fn of_page(page: &str, expected: &Self) -> Self {
        let plain = page
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        let (_, heading) = plain.split_once("<p class=\"").unwrap();
        let heading = heading.split_once("\">").unwrap().1.split_once("</p>").unwrap().0;
        let next = plain.split_once("<th>Next run</th><td>").unwrap().1;
        let cells = plain.split("<td>").skip(1).filter_map(|cell| Some(cell.split_once("<br>")?.0));
        Self {
            kind: expected.kind.clone(),
            heading: ageless(heading),
            matters: facts(cells, expected),
            next_run: spoken(next),
        }
    }

    /// Of a message to a program, whose text for people says the same.
    pub(super) fn of_message(message: &Value, expected: &Self) -> Self {
        let whole = text(&message["text"]);
        let matters = message["items"].as_array().unwrap().iter();
        let fact = |item: &Value| {
            let (since, command) = (text(&item["since"]), item["command"].as_str());
            for said in [Some(&*since), command, item["whom"].as_str()].into_iter().flatten() {
                assert!(whole.contains(said), "{said} is missing in\n{whole}");
            }
            Fact {
                kind: text(&item["kind"]),
                cause: text(&item["cause"]),
                count: item["count"].as_u64().unwrap(),
                whom: text(&item["whom"]),
                since: spoken(&since),
                command: command.map(str::to_owned),
                is_told: true,
            }
        };
        Self {
            kind: expected.kind.clone(),
            heading: ageless(&text(&message["heading"])),
            matters: matters.map(fact).collect(),
            next_run: spoken(&text(&message["next_run"])),
        }
    }

    /// Of the newest line of the log that tells a situation.
    pub(super) fn of_log(log: &str, expected: &Self) -> Self {
        let line =
            log.lines().rfind(|line| line.contains(" situation=\"")).unwrap_or_else(|| panic!("{log}"));
        let field = |name: &str| {
            let (_, value) = line.split_once(&format!(" {name}=\""))?;
            Some(value.split_once('"')?.0)
        };
        let begins = [": NOT HEALTHY: ", ": healthy: "].iter().find_map(|word| line.find(word)).unwrap();
        let said = line[begins + 2..].split(" situation=\"").next().unwrap();
        let mut parts = said.split(" | ");
        Self {
            kind: field("situation").unwrap().to_owned(),
            heading: ageless(parts.next().unwrap()),
            matters: facts(parts, expected),
            next_run: field("next_run").and_then(spoken),
        }
    }

    /// Whether people are sent a message about it.
    pub(super) fn is_told(&self) -> bool {
        self.matters.iter().any(|fact| fact.is_told)
    }

    /// The same without what no message is sent about.
    pub(super) fn as_told(&self) -> Self {
        let told = self.matters.iter().filter(|fact| fact.is_told);
        Self { matters: told.cloned().collect(), ..self.clone() }
    }
}

/// The facts in lines such as `failing (credentials exam): 3 for IT, since 2027-01-15 15:25 +08:00 (35 min ago): rosterd
/// check`. Whether people are told of a matter stands in no line.
fn facts<'a>(lines: impl Iterator<Item = &'a str>, expected: &Told) -> Vec<Fact> {
    let mut facts: Vec<Fact> = lines.filter_map(fact).collect();
    for (fact, expected) in facts.iter_mut().zip(&expected.matters) {
        fact.is_told = expected.is_told;
    }
    facts
}

fn fact(line: &str) -> Option<Fact> {
    let (name, rest) = line.split_once(": ")?;
    let (kind, cause) = match name.split_once(" (") {
        Some((kind, cause)) => (kind, cause.strip_suffix(')')?),
        None => (name, ""),
    };
    let (count, rest) = rest.split_once(" for ")?;
    let count = count.replace(',', "").parse().ok()?;
    let (_, whom) = OWNERS.iter().find(|(_, spoken)| rest.starts_with(spoken))?;
    let rest = rest.strip_prefix(whom)?;
    let since = rest.strip_prefix(", since ").and_then(spoken);
    let rest = rest.split_once(" ago)").map_or(rest, |(_, rest)| rest);
    let command = rest.strip_prefix(": ").map(str::to_owned);
    let (kind, cause, whom) = (kind.to_owned(), cause.to_owned(), (*whom).to_owned());
    Some(Fact { kind, cause, count, whom, since, command, is_told: true })
}

/// Without how long ago something was: places are looked at one after another.
fn ageless(text: &str) -> String {
    let mut text = text.to_owned();
    for age in ["less than a minute", "1 min", "2 min"] {
        text = text.replace(age, "<age>");
    }
    text
}

/// The same in every execution: without the folder of this school, digests and moments.
pub(super) fn normal(text: &str) -> String {
    let mut shown: Vec<String> = Vec::new();
    for line in text.lines() {
        let words = line.split(' ').map(|word| {
            let is_path = word.starts_with('/');
            let is_digest =
                word.len() == 16 && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            let is_port = word.starts_with("127.0.0.1:") || word.starts_with("http://127.0.0.1:");
            match (is_path, is_digest, is_port) {
                (true, _, _) => "<path>",
                (_, true, _) => "<digest>",
                (_, _, true) => "<address>",
                (false, false, false) => word,
            }
        });
        shown.push(words.collect::<Vec<_>>().join(" "));
    }
    shown.join("\n")
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.kind, self.heading)?;
        for Fact { kind, cause, count, whom, since, command, is_told } in &self.matters {
            let since = since.map_or("unknown", |_| "known");
            let command = command.as_deref().unwrap_or("-");
            let told = if *is_told { "told" } else { "shown" };
            writeln!(f, "{kind} ({cause}), {count} for {whom}, since {since}, {told}: {command}")?;
        }
        write!(f, "next run: {}", self.next_run.map_or("none", |_| "known"))
    }
}
