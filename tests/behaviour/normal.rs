//! Takes out of a text what differs between two equal executions: times, folders, ports, and names of plans.

/// What one world has met so far.
#[derive(Default)]
pub(crate) struct Normal {
    /// Texts that stand for themselves, such as the folder, and what is shown instead.
    known: Vec<(String, String)>,
    /// Digests in the order in which they were first seen.
    digests: Vec<String>,
    /// Whether digests are shown as they are.
    shows_digests: bool,
}

/// Standard error in two parts: what the program tells its caller, and its log.
pub(crate) struct Stderr {
    pub(crate) messages: String,
    pub(crate) log: String,
}

/// What stands before a digest that is named for the first time.
const NAMING: [&str; 4] = ["\"digest\": \"", "\"held_digest\": \"", " approve ", "Plan "];
const DIGEST: usize = 16;
const DIGEST_LETTERS: &str = "abcdefghijkmnpqrstuvwxyz23456789";

impl Normal {
    /// From now on `text` is shown as `shown`.
    pub(crate) fn hide(&mut self, text: &str, shown: &str) {
        self.known.push((text.to_owned(), shown.to_owned()));
    }

    /// From now on digests are shown as they are: without the exam side they depend on no random key.
    pub(crate) fn show_digests(&mut self) {
        self.shows_digests = true;
    }

    /// The text, the same in every execution.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (known, shown) in &self.known {
            text = text.replace(known, shown);
        }
        let text = without_clocks(without_spans(&without_slowness(without_times(&text))));
        if self.shows_digests { text } else { self.without_digests(&text) }
    }

    /// Standard error, the same in every execution and wherever in the code a line is logged.
    pub(crate) fn stderr(&mut self, text: &str) -> Stderr {
        let text = self.text(text);
        let (log, messages): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with("<time> "));
        Stderr { messages: joined(&messages), log: log.iter().map(|line| logged(line)).collect() }
    }

    /// A plan's digest depends on the state database's random key where values of candidates are in it, so only its
    /// sameness can be compared.
    fn without_digests(&mut self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut word = String::new();
        for letter in text.chars().chain(std::iter::once('\0')) {
            if letter.is_alphanumeric() || letter == '_' || letter == '-' {
                word.push(letter);
                continue;
            }
            let named = NAMING.iter().any(|before| shown.ends_with(before)) || self.digests.contains(&word);
            if named && is_digest(&word) {
                shown.push_str(&self.numbered(&word));
            } else {
                shown.push_str(&word);
            }
            word.clear();
            if letter != '\0' {
                shown.push(letter);
            }
        }
        shown
    }

    fn numbered(&mut self, digest: &str) -> String {
        let at = self.digests.iter().position(|known| known == digest).unwrap_or_else(|| {
            self.digests.push(digest.to_owned());
            self.digests.len() - 1
        });
        format!("<digest {}>", at + 1)
    }
}

fn joined(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

fn is_digest(word: &str) -> bool {
    word.len() == DIGEST && word.chars().all(|letter| DIGEST_LETTERS.contains(letter))
}

/// A log line without its time, its spans and the module that wrote it: level, message and fields.
fn logged(line: &str) -> String {
    let line = line.trim_start_matches("<time>").trim_start();
    let (level, rest) = line.split_once(' ').unwrap_or((line, ""));
    let message = rest.find("rosterd").and_then(|at| {
        let (_, target) = rest.split_at(at);
        target.split_once(": ").map(|(_, message)| message)
    });
    format!("{level} {}\n", message.unwrap_or(rest))
}

/// `2026-11-26T19:34:47Z`, with or without a fraction, and `2026-11-26 19:34 +00:00 (3 min ago)`, as `<time>`.
fn without_times(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skipped = time_length(rest);
        if skipped > 0 {
            shown.push_str("<time>");
            rest = rest.split_at(skipped).1;
        } else {
            shown.push(letter);
            rest = rest.split_at(letter.len_utf8()).1;
        }
    }
    shown
}

/// How many bytes of a time the text begins with. Times before 2026 are a world's own and stay.
fn time_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let pattern = b"2000-00-00T00:00:00";
    let fits = bytes.len() > pattern.len()
        && pattern.iter().zip(bytes).all(|(wanted, byte)| match wanted {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
        && text.split_at(4).0 >= "2026";
    if !fits {
        return spoken_length(text);
    }
    let fraction =
        bytes.iter().skip(pattern.len()).take_while(|byte| **byte == b'.' || byte.is_ascii_digit());
    let end = pattern.len() + fraction.count();
    if bytes.get(end) == Some(&b'Z') { end + 1 } else { 0 }
}

/// The same of a time as people read it, with how long ago it was; in a table both stand in columns.
fn spoken_length(text: &str) -> usize {
    let digits_fit = |pattern: &[u8], bytes: &[u8]| {
        bytes.len() >= pattern.len()
            && pattern.iter().zip(bytes).all(|(wanted, byte)| match wanted {
                b'0' => byte.is_ascii_digit(),
                b'+' => matches!(byte, b'+' | b'-'),
                other => byte == other,
            })
    };
    let (time, offset) = (b"2000-00-00 00:00", b" +00:00");
    if !digits_fit(time, text.as_bytes()) || text.split_at(4).0 < "2026" {
        return 0;
    }
    let rest = text.split_at(time.len()).1;
    if !digits_fit(offset, rest.as_bytes()) {
        let is_in_table =
            rest.starts_with("  ") && rest.is_char_boundary(14) && rest.split_at(14).0.contains(" ago");
        return if is_in_table { time.len() + 14 } else { 0 };
    }
    let end = time.len() + offset.len();
    let rest = text.split_at(end).1;
    let age = rest.strip_prefix(" (").and_then(|rest| rest.split_once(')'));
    let is_age = |age: &str| age.ends_with(" ago") || age.starts_with("in ");
    end + age.filter(|(age, _)| is_age(age)).map_or(0, |(age, _)| age.len() + 3)
}

/// Clocks that are compared at the end of a second.
fn without_clocks(mut text: String) -> String {
    for whose in ["theirs", "the service's"] {
        for apart in ["1 s ahead of", "-1 s ahead of", "1 s behind"] {
            text = text
                .replace(&format!("our clock is {apart} {whose}"), &format!("our clock agrees with {whose}"));
        }
    }
    for apart in ["1 s ahead of", "1 s behind"] {
        text = text.replace(&format!("which is {apart} ClassIn's"), "the same as ClassIn's");
    }
    text
}

/// What is minutes old is so because the machine is slow: no world waits for one.
fn without_slowness(mut text: String) -> String {
    for minutes in 1..10 {
        for (before, after) in [("the oldest for ", ""), ("ended ", " ago"), ("since ", " ago")] {
            let slow = format!("{before}{minutes} min{after}");
            text = text.replace(&slow, &format!("{before}less than a minute{after}"));
        }
    }
    text
}

/// How long something took, or how long ago it was, as `<span>`.
fn without_spans(text: &str) -> String {
    text.split_inclusive('\n').map(without_span).collect()
}

fn without_span(line: &str) -> String {
    let is_heading = line.starts_with("Run ") && line.contains(" · mode ");
    if let Some((before, _)) = line.trim_end().rsplit_once(" · ").filter(|_| is_heading) {
        return format!("{before} · <span>\n");
    }
    let (before, after) = ("the last good run was ", " ago");
    let age = line.split_once(before).and_then(|(head, tail)| Some((head, tail.split_once(after)?.1)));
    age.map_or_else(|| line.to_owned(), |(head, tail)| format!("{head}{before}<span>{after}{tail}"))
}
