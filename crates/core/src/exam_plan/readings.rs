//! Whether one more reading of a listing is needed, or what was read can be believed.

use super::fingerprint::MemoryKey;
use super::observed::{Flaw, Listing};
use super::repeated_logins::RepeatPattern;

/// The readings of one listing so far.
pub struct Readings<'a> {
    key: &'a MemoryKey,
    remembered: RepeatPattern,
    most: u32,
    made: u32,
    /// What every reading so far showed, where they showed the same repeated login values and no other flaw.
    alike: Option<RepeatPattern>,
}

/// What follows from a reading.
pub enum ReadingVerdict {
    /// The listing stands, complete or doubtful.
    Settled(Box<Listing>),
    /// It is read again.
    ReadAgain(Flaw),
}

impl<'a> Readings<'a> {
    /// Readings of an account whose listing showed the `remembered` pattern before; `most` are made.
    #[must_use]
    pub fn new(key: &'a MemoryKey, remembered: RepeatPattern, most: u32) -> Self {
        Self { key, remembered, most, made: 0, alike: None }
    }

    /// The number of readings so far.
    #[must_use]
    pub fn made(&self) -> u32 {
        self.made
    }

    /// Judges one more reading.
    ///
    /// A login value that comes twice may be a page that shifted: only what all readings show alike, or an earlier run
    /// believed, is taken for two candidates.
    #[must_use]
    pub fn judge(&mut self, listing: Listing) -> ReadingVerdict {
        self.made += 1;
        let (observed, flaw) = match listing {
            Listing::Complete(..) => return ReadingVerdict::Settled(Box::new(listing)),
            Listing::Doubtful(observed, flaw) => (observed, flaw),
        };
        let pattern = matches!(flaw, Flaw::Repeated { .. }).then(|| observed.repeat_pattern(self.key));
        if pattern.as_ref() == Some(&self.remembered) {
            let listing = Listing::Doubtful(observed, flaw).with_repeats_believed();
            return ReadingVerdict::Settled(Box::new(listing));
        }
        let is_first = self.made == 1;
        self.alike = pattern.filter(|shown| is_first || self.alike.as_ref() == Some(shown));
        let listing = Listing::Doubtful(observed, flaw.clone());
        if self.made < self.most && flaw.may_pass() {
            ReadingVerdict::ReadAgain(flaw)
        } else if self.alike.is_some() && self.made >= self.most {
            ReadingVerdict::Settled(Box::new(listing.with_repeats_believed()))
        } else {
            ReadingVerdict::Settled(Box::new(listing))
        }
    }
}
