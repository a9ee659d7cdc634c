//! How often, how soon and how long something is tried again: every such figure of the program, with its reason.
//!
//! What a failed operation waits for *between* runs is the admin's to set (`[retry]`).

use std::time::Duration;

// Reads.

/// Attempts at one read in all. With the delays below they span a little more than a second: a restart of the service,
/// or a page of somebody in between, is got over.
pub(crate) const READ_ATTEMPTS: u32 = 4;

/// Delay after the first failed attempt at a read; it doubles from one to the next.
pub(crate) const FIRST_READ_DELAY: Duration = Duration::from_millis(200);

/// The longest such delay of our own.
pub(crate) const LONGEST_READ_DELAY: Duration = Duration::from_secs(5);

/// `Retry-After` at a read is obeyed up to this; a service that asks for more gets no further attempt in this run.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// What was read and does not add up (a listing, a page of results that does not join, a pass over all results) is read
/// so many times in all. So a page of candidates is asked for at most `READ_ATTEMPTS` times in each of so many readings, and a
/// page of results so many times more often in each pass.
pub(crate) const READINGS: u32 = 3;

/// Before it is read again: what moves while it is read has come to rest by then.
pub(crate) const BETWEEN_READINGS: Duration = Duration::from_millis(200);

/// A look-up over which the service fails (500) is asked again in so many portions: 100 keys, 10 each, then one by one.
pub(crate) const LOOKUP_PORTIONS: usize = 10;

// Writes. None is repeated before it was read back, or unless the service is known to take it once only.

/// A call that certainly was not done, or that only a repeat can settle, is sent so many times in all.
pub(crate) const SENDINGS: u32 = 3;

/// Before a write to the exam side that certainly was not done goes again, where the service names no time; it grows
/// with each sending.
pub(crate) const BEFORE_SENDING_AGAIN: Duration = Duration::from_millis(500);

/// Before a call to ClassIn is repeated whose answer was lost, where ClassIn names no time.
pub(crate) const BEFORE_REPEATING: Duration = Duration::from_millis(300);

/// Beyond the time within which ClassIn takes two registrations, or two joinings of the school, for one.
pub(crate) const BEYOND_A_DOUBLE: Duration = Duration::from_millis(500);

/// An add to the exam side that had no answer, and whose candidate neither the listing nor a look-up shows, is not sent
/// again before so much time has passed since it was sent: both may lag behind, and where the service takes one login value
/// twice, the student would be there twice. As long as a link is too new to be given up, for the same reason. A service
/// that shows at once whom it has entered costs that wait too, for nothing tells the two apart.
pub(crate) const BEFORE_ADDING_AGAIN: Duration = Duration::from_mins(15);

/// The longest a run waits because the exam side asks it to. For more, it is left alone in this run.
pub(crate) const LONGEST_EXAM_WAIT: Duration = Duration::from_secs(60);

/// The same for ClassIn, whose courses wait for one another. For more, ClassIn is left alone in this run.
pub(crate) const LONGEST_CLASSIN_WAIT: Duration = Duration::from_secs(10);

/// A batch over which the exam side failed (5xx) goes in portions so many times smaller at each later attempt.
pub(crate) const SMALLER_PORTIONS: usize = 10;

// When a service is left alone.

/// After so many failed calls in a row no further one is made until the next run. A read counts once, after its own
/// attempts, so a service that hesitates for a second is not given up. Reads and writes are counted apart: that people
/// can be looked up does not show that they can be changed.
pub(crate) const FAILED_CALLS_IN_A_ROW: u32 = 5;

/// After so many refused groups in a row no further one is asked for in this run: it is hardly their titles.
pub(crate) const REFUSED_GROUPS_IN_A_ROW: u32 = 3;

/// After so many adds in a row that were refused the next one goes alone, to see whether the account is full. Fewer may
/// simply be bad rows.
pub(crate) const REFUSED_ADDS_IN_A_ROW: usize = 5;

/// So many candidates are changed alone to find out whether a change keeps what it does not name.
pub(crate) const LONE_CHANGES: usize = 3;
