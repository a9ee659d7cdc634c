//! Faults: things that go wrong on purpose, armed for an endpoint and a call, taken off when spent.
//!
//! Written `ENDPOINT[@CALL][:ARG]`. This file reads and counts faults and hands them out; their effects are
//! where the answer is made.

use super::fault_table::{Argument, FAULTS, FaultSpec};
use super::{SandboxError, Service};

/// The calls of an endpoint that an armed fault strikes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    /// The calls `first..first + times` from now, counted from 1.
    Calls { first: u64, times: u64 },
    /// Every call.
    Always,
    /// Each call with this probability.
    Chance(f64),
}

#[derive(Debug, Clone)]
struct Armed {
    spec: &'static FaultSpec,
    /// `None` is any service.
    service: Option<Service>,
    /// `None` is any endpoint.
    endpoint: Option<String>,
    when: When,
    argument: String,
    seen: u64,
}

/// The faults that strike one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fired(Vec<(&'static str, String)>);

impl Fired {
    /// The argument of a fault that strikes this call; empty where none was given.
    pub(crate) fn get(&self, name: &'static str) -> Option<&str> {
        debug_assert!(FAULTS.iter().any(|spec| spec.name == name), "there is no fault {name}");
        self.0.iter().find(|(fired, _)| *fired == name).map(|(_, argument)| argument.as_str())
    }

    /// Whether a fault strikes this call.
    pub(crate) fn has(&self, name: &'static str) -> bool {
        self.get(name).is_some()
    }

    /// The number a fault was given, or `default` where it was given none.
    pub(crate) fn number(&self, name: &'static str, default: u64) -> Option<u64> {
        self.get(name).map(|argument| leading_number(argument).unwrap_or(default))
    }

    /// Whether the call answers for item `position` with a refusal; `Some(code)` where a code was given.
    pub(crate) fn refuses_item(&self, position: usize) -> Option<Option<i64>> {
        let argument = self.get("refuse_item")?;
        let (positions, code) = argument.split_once('/').unwrap_or((argument, ""));
        let listed = if positions.is_empty() { "0" } else { positions };
        let hit = listed.split(',').any(|entry| entry.trim().parse() == Ok(position));
        hit.then(|| code.parse().ok())
    }

    /// The number of items applied before the call breaks off; all items for an unbroken call.
    pub(crate) fn items_applied(&self, sent: usize) -> usize {
        self.number("apply_part", 1)
            .and_then(|part| usize::try_from(part).ok())
            .map_or(sent, |part| part.min(sent))
    }
}

/// The number an argument starts with.
pub(crate) fn leading_number(argument: &str) -> Option<u64> {
    argument.split('/').next().and_then(|number| number.trim().parse().ok())
}

/// All armed faults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    armed: Vec<Armed>,
}

impl Faults {
    /// Arms a fault, or takes it off where `value` is `off`. Answers `Ok(false)` where no fault has this name.
    ///
    /// # Errors
    /// [`SandboxError::Value`] where the fault exists and `value` cannot be read.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<bool, SandboxError> {
        let (prefix, bare) = match name.split_once('.') {
            Some((prefix, bare)) => (Service::named(prefix), bare),
            None => (None, name),
        };
        let known = FAULTS.iter().find(|spec| spec.name == bare && (bare == name || prefix.is_some()));
        let Some(spec) = known else { return Ok(false) };
        if value == "off" {
            self.armed.retain(|armed| {
                armed.spec.name != spec.name || prefix.is_some_and(|it| armed.service != Some(it))
            });
            return Ok(true);
        }
        let refused = || SandboxError::Value {
            name: name.to_owned(),
            value: value.to_owned(),
            allowed: format!("ENDPOINT[@CALL][:ARG], {}", spec.allowed()),
        };
        self.armed.push(parse(spec, prefix, value).ok_or_else(refused)?);
        Ok(true)
    }

    /// Takes all faults off.
    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    /// Whether a fault of this name is armed for anything.
    pub(crate) fn is_armed(&self, name: &str) -> bool {
        self.armed.iter().any(|armed| armed.spec.name == name)
    }

    /// Counts one call and answers the faults that strike it.
    pub(crate) fn strike(&mut self, service: Service, endpoint: &str, chance: &mut fastrand::Rng) -> Fired {
        let mut fired = Fired::default();
        self.armed.retain_mut(|armed| {
            let concerned = armed.service.is_none_or(|it| it == service)
                && armed.endpoint.as_deref().is_none_or(|it| it == endpoint);
            if !concerned {
                return true;
            }
            armed.seen += 1;
            let (strikes, stays) = match armed.when {
                When::Always => (true, true),
                When::Chance(probability) => (chance.f64() < probability, true),
                When::Calls { first, times } => {
                    let end = first.saturating_add(times);
                    ((first..end).contains(&armed.seen), armed.seen + 1 < end)
                }
            };
            if strikes {
                fired.0.push((armed.spec.name, armed.argument.clone()));
            }
            stays
        });
        fired
    }

    /// Every armed fault as text, for people.
    pub(crate) fn describe(&self) -> Vec<String> {
        self.armed
            .iter()
            .map(|armed| {
                let endpoint = armed.endpoint.as_deref().unwrap_or("*");
                format!(
                    "{}={endpoint} {:?} {} (seen {})",
                    armed.spec.name, armed.when, armed.argument, armed.seen
                )
            })
            .collect()
    }
}

fn parse(spec: &'static FaultSpec, prefix: Option<Service>, value: &str) -> Option<Armed> {
    let (head, argument) = value.split_once(':').unwrap_or((value, ""));
    let (endpoint, call) =
        head.split_once('@').map_or((head, None), |(endpoint, call)| (endpoint, Some(call)));
    let owner = Service::both().into_iter().find(|service| service.endpoints().contains(&endpoint));
    if endpoint != "*" && owner.is_none() {
        return None;
    }
    if !spec.takes(argument) || prefix.is_some_and(|it| owner.is_some_and(|owner| owner != it)) {
        return None;
    }
    let service = owner.or(prefix).or(spec.only);
    if spec.only.is_some_and(|only| service != Some(only)) {
        return None;
    }
    Some(Armed {
        spec,
        service,
        endpoint: (endpoint != "*").then(|| endpoint.to_owned()),
        when: parse_when(call)?,
        argument: argument.to_owned(),
        seen: 0,
    })
}

fn parse_when(call: Option<&str>) -> Option<When> {
    let Some(call) = call else { return Some(When::Calls { first: 1, times: 1 }) };
    if call == "*" {
        return Some(When::Always);
    }
    if let Some(probability) = call.strip_prefix('p') {
        return probability.parse().ok().filter(|it| (0.0..=1.0).contains(it)).map(When::Chance);
    }
    let (first, times) = call.split_once('x').unwrap_or((call, "1"));
    let (first, times) = (first.parse().ok()?, times.parse().ok()?);
    (first > 0 && times > 0).then_some(When::Calls { first, times })
}

impl FaultSpec {
    /// Whether the argument can be read; an absent one always can.
    fn takes(&self, argument: &str) -> bool {
        if argument.is_empty() {
            return true;
        }
        let (first, second) = argument.split_once('/').map_or((argument, None), |(a, b)| (a, Some(b)));
        let number = |text: &str| text.trim().parse::<u64>().is_ok();
        match self.argument {
            Argument::None => false,
            Argument::Number(_) => second.is_none() && number(first),
            Argument::Positions => first.split(',').all(number) && second.is_none_or(number),
            Argument::NumberThen(_, words) => {
                number(first) && second.is_none_or(|it| words.contains(&it) || words.is_empty() && number(it))
            }
            Argument::Words(words) => words.contains(&first) && second.is_none_or(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(value: &str, calls: usize) -> Vec<bool> {
        let mut faults = Faults::default();
        assert!(faults.set("lose_answer", value).unwrap());
        let mut chance = fastrand::Rng::with_seed(7);
        (0..calls)
            .map(|_| faults.strike(Service::Exam, "addStudents", &mut chance).has("lose_answer"))
            .collect()
    }

    #[test]
    fn a_fault_strikes_the_next_call_once() {
        assert_eq!(strikes("addStudents", 3), [true, false, false]);
    }

    #[test]
    fn a_fault_strikes_from_the_named_call_as_often_as_asked() {
        assert_eq!(strikes("addStudents@2x2", 5), [false, true, true, false, false]);
    }

    #[test]
    fn a_fault_for_another_endpoint_does_not_count_these_calls() {
        assert_eq!(strikes("delStu@1", 2), [false, false]);
    }

    #[test]
    fn a_chance_is_drawn_at_every_call() {
        let struck = strikes("*@p0.5", 200).into_iter().filter(|it| *it).count();
        assert!((60..140).contains(&struck), "{struck}");
    }

    #[test]
    fn an_unknown_endpoint_or_call_is_an_error() {
        let mut faults = Faults::default();
        for value in ["nowhere", "addStudents@0", "addStudents@x", "addStudents@p2", "addStudents:1"] {
            assert!(faults.set("lose_answer", value).is_err(), "{value}");
        }
        assert!(!faults.set("no_such_fault", "addStudents").unwrap());
    }
}
