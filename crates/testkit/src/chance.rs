//! Chance in tests: a seed that is said and can be given, so that what was found can be met again.

use fastrand::Rng;

/// A number from the environment, or this one.
pub fn number(variable: &str, otherwise: u64) -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the rule is about the program; this is how a test is told its seed"
    )]
    let given = std::env::var(variable).ok();
    given.map_or(otherwise, |text| {
        text.trim().parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}"))
    })
}

/// The seed in `ROSTERD_SEED`, else a new one.
pub fn seed() -> u64 {
    number("ROSTERD_SEED", fastrand::u64(0..1_000_000_000))
}

/// Whether something that happens `percent` times in a hundred happens now.
pub fn happens(chance: &mut Rng, percent: u32) -> bool {
    chance.u32(0..100) < percent
}

/// One of these.
pub fn one_of<T: Copy>(chance: &mut Rng, of: &[T]) -> T {
    of[chance.usize(0..of.len())]
}
