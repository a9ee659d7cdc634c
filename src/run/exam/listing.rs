//! Reading the exam side completely, or saying that it was not.

use std::collections::{BTreeSet, HashSet};
use std::hash::RandomState;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::field_mapping::ResolvedFields;
use super::{ExamSide, ExamSyncError, Reading};
use crate::remote::exam::{ExamError, ExamReader, HashedPage};
use crate::remote::http::retry_limits::READINGS;
use crate::run::{Context, Progress};
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::{
    ListedLabels, Listing, MemoryKey, Observed, ObservedBuilder, PageHasher, ReadingVerdict, Readings,
    RunHasher,
};
use rosterd_core::roster::{FieldId, LoginValue, Sid};

/// Room is made ahead for as many candidates as the first page announces, up to this many.
const MOST_ROOM_AHEAD: u64 = 2_000_000;

/// No account has more candidates than this. Whoever says so has lost count, and is not asked without end.
const MOST_CANDIDATES: u64 = 5_000_000;

/// So many requests wait for one of those in flight to be answered.
const READY_TO_LEAVE: usize = 2;

/// Whether the login values of a listing are kept.
pub(super) enum Names<'a> {
    Kept(&'a mut Vec<LoginValue>),
    Dropped,
}

/// What was read, and the labels beside the values.
pub(super) struct Listed {
    pub(super) listing: Listing,
    pub(super) labels: ListedLabels,
}

/// Reads all pages. A listing that does not add up is read again, and so is an empty one of an account in which
/// we have candidates; after that it is doubtful. Login values that come twice are believed where every reading, or
/// an earlier run, shows just the same.
///
/// # Errors
/// When a page cannot be had at all: the transport has tried it several times by then.
pub(super) async fn read(
    (state, progress): (&StateStore, &Progress),
    side: &ExamSide,
    fields: &ResolvedFields,
    names: &mut Names<'_>,
) -> Result<Listed, ExamSyncError> {
    let key = state.planner_key().await?;
    let recognised = state.fields_to_recognise(state.last_complete_run().await?).await?;
    let read_once = ReadOnce { progress, side, fields, key: &key, recognised: &recognised };
    let mut readings = Readings::new(&key, state.repeated_logins().await?, READINGS);
    loop {
        if let Names::Kept(names) = names {
            names.clear();
        }
        let Listed { listing, labels } = match read_once.read(names).await {
            Ok(listed) => listed,
            Err(error) => return Err(explain(side, error).await.into()),
        };
        let listing = match readings.judge(listing) {
            ReadingVerdict::Settled(listing) => *listing,
            ReadingVerdict::ReadAgain(flaw) => {
                let reading = readings.made();
                tracing::warn!(reading, "the listing does not add up and is read again: {flaw}");
                tokio::time::sleep(side.retry_delays.between_readings).await;
                continue;
            }
        };
        let reading = readings.made();
        match listing {
            Listing::Doubtful(observed, flaw) => {
                tracing::warn!(reading, "the listing is doubtful: {flaw}");
                return Ok(Listed { listing: Listing::Doubtful(observed, flaw), labels });
            }
            Listing::Complete(observed, _)
                if observed.is_empty() && reading < READINGS && state.count_links().await? > 0 =>
            {
                tracing::warn!(
                    reading,
                    "the listing is empty although candidates are known: it is read again"
                );
            }
            listing @ Listing::Complete(..) => return Ok(Listed { listing, labels }),
        }
        tokio::time::sleep(side.retry_delays.between_readings).await;
    }
}

/// A page that is refused as a whole may mean refused credentials, which `getFields` can tell.
async fn explain(side: &ExamSide, error: ExamError) -> ExamError {
    if matches!(error, ExamError::Refused { .. }) {
        return side.reader.fields().await.err().unwrap_or(error);
    }
    error
}

/// Pages that are read to look whether a configuration fits.
const SAMPLE_PAGES: u64 = 20;

/// The first pages of the listing.
pub(super) struct Sample {
    pub(super) observed: Observed,
    /// Candidates of the whole account.
    pub(super) total: u64,
}

/// Reads the first pages, to look whether a configuration fits.
///
/// # Errors
/// When a page cannot be had at all.
pub(super) async fn sample(side: &ExamSide, fields: &ResolvedFields) -> Result<Sample, ExamError> {
    let limit = side.settings.page_size.max(1);
    let hasher = PageHasher::new(RunHasher::new(RandomState::new()), fields.ids());
    let mut builder = ObservedBuilder::of_pages(hasher.clone(), 0);
    let mut total = 0;
    for page in 0..SAMPLE_PAGES {
        let page = side.reader.hashed_page(page.saturating_mul(u64::from(limit)), limit, &hasher).await?;
        total = page.total;
        builder.page(&page.rows);
        if page.rows.rows() < u64::from(limit) {
            break;
        }
    }
    let (Listing::Complete(observed, _) | Listing::Doubtful(observed, _)) = builder.close();
    Ok(Sample { observed, total })
}

/// What one reading of the listing goes by.
struct ReadOnce<'a> {
    progress: &'a Progress,
    side: &'a ExamSide,
    fields: &'a ResolvedFields,
    key: &'a MemoryKey,
    /// Fields whose values a later run has to tell again.
    recognised: &'a BTreeSet<FieldId>,
}

impl ReadOnce<'_> {
    /// The first page says how many there are; the others are fetched together. A page without rows ends the listing.
    async fn read(&self, names: &mut Names<'_>) -> Result<Listed, ExamError> {
        let Self { progress, side, fields, key, recognised } = *self;
        let limit = side.settings.page_size.max(1);
        let bar = progress.bar("listing candidates", 1);
        let hasher = PageHasher::new(RunHasher::new(RandomState::new()), fields.ids())
            .recognising(key, recognised.clone());
        let first = side.reader.hashed_page(0, limit, &hasher).await?;
        bar.advance(1);
        let total = first.total;
        let room = usize::try_from(total.min(MOST_ROOM_AHEAD)).unwrap_or(0);
        let mut builder = ObservedBuilder::of_pages(hasher.clone(), room);
        let mut labels = ListedLabels::default();
        let mut take = |builder: &mut ObservedBuilder, page: HashedPage| {
            builder.total(page.total);
            builder.page(&page.rows);
            labels.extend(page.labels);
            if let Names::Kept(names) = names {
                names.extend(page.rows.login_values());
            }
        };
        let mut is_over = first.rows.rows() == 0;
        take(&mut builder, first);

        let size = u64::from(limit);
        let pages = if is_over { 1 } else { pages_to_ask_for(total, size) };
        bar.set_length(pages.max(1));
        // As many as may be in flight, and some that are ready to leave when an answer has come. Who is asked for one page
        // after another is asked for none behind the last.
        let in_flight = side.settings.endpoint.max_in_flight.max(1);
        let asked_for = if in_flight == 1 { 1 } else { in_flight.saturating_add(READY_TO_LEAVE) };
        let ask = |page: u64| read_apart(&side.reader, page.saturating_mul(size), limit, &hasher);
        let mut rest = stream::iter((1..pages).map(ask)).buffer_unordered(asked_for);
        while !is_over && let Some(page) = rest.try_next().await? {
            is_over = page.rows.rows() == 0;
            take(&mut builder, page);
            bar.advance(1);
        }
        if total > MOST_CANDIDATES && !is_over {
            builder.stopped_early();
        }
        Ok(Listed { listing: builder.close(), labels })
    }
}

/// Asks for a page in a task of its own: another thread may work on it while the next request leaves. Dropping it ends
/// the task.
async fn read_apart(
    reader: &ExamReader,
    start: u64,
    limit: u32,
    hasher: &PageHasher,
) -> Result<HashedPage, ExamError> {
    let (reader, hasher) = (reader.clone(), hasher.clone());
    let read = async move { reader.hashed_page(start, limit, &hasher).await };
    match AbortOnDropHandle::new(tokio::spawn(read.in_current_span())).await {
        Ok(page) => page,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

/// What the listing showed, so that the next one needs no second look at what it shows alike.
pub(super) async fn remember(
    context: &Context,
    reading: &Reading,
    unlisted: Option<&HashSet<Sid>>,
    now_ms: i64,
) -> Result<(), StoreError> {
    if reading.believed.is_ok() {
        let pattern = reading.observed.repeat_pattern(&reading.key);
        context.state.remember_repeated_logins(&pattern).await?;
    }
    match unlisted {
        Some(unlisted) => context.state.count_unlisted(unlisted, now_ms).await,
        None => Ok(()),
    }
}

/// The pages of a listing, as far as it is read.
fn pages_to_ask_for(total: u64, page_size: u64) -> u64 {
    total.min(MOST_CANDIDATES).div_ceil(page_size.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_listing_asks_for_more_than_five_million_candidates() {
        for (total, page_size, pages) in [
            (0, 100, 0),
            (1, 100, 1),
            (101, 100, 2),
            (5_000_000, 100, 50_000),
            (5_000_001, 100, 50_000),
            (1_000_000_000_000, 100, 50_000),
            (u64::MAX, 1, 5_000_000),
        ] {
            assert_eq!(pages_to_ask_for(total, page_size), pages, "{total} by {page_size}");
        }
    }
}
