//! Pulls exam results into our own database: page by page, resumable at any of them.
//!
//! A *pass* goes from the head of the service's list down: to its end (a full one), or to a page of nothing but
//! results that were known before and are settled. How far it is, is written together with each page. A pass that was
//! cut off is gone on with first; then passes from the head follow until one brings nothing new. What does not add up
//! is read again from the head, in full, up to three times; then the pull says that it is not sure.

mod failing;
mod position;
mod report;
mod twins;

use std::collections::HashMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use failing::{failing_pulls, last_pull, remember_pull, remember_schedule, unlisted_results};
pub use report::ResultsReport;

use self::failing::remember_unlisted;
use self::position::Fit;
use self::twins::{Twin, TwinRow};
use super::exam::{AccountQuestion, ExamSyncError, MayTake, require_own_account};
use super::progress::{Bar, Progress};
use super::{ExamSide, Severity, in_one_line};
use crate::clock::Clock;
use crate::remote::exam::{ExamError, ResultsPage, ResultsRow};
use crate::remote::http::retry_limits::READINGS;
use crate::store::{Met, OddRow, ResultsPass, StateStore, StoreError};
use rosterd_core::roster::Attempt;

/// Passes that follow one another because results keep arriving.
const MOST_ROUNDS: u32 = 10;
/// Pages overlap by one row, so a page must hold two.
const LEAST_PAGE: u32 = 2;
/// A pass of so many times the pages that the list has, and a few more, is outrun by what arrives meanwhile.
const MOST_PAGES_A_PAGE: u64 = 4;
const MORE_PAGES: u64 = 100;
/// A pass that was cut off and fails so often at one page is given up.
const FAILURES_AT_ONE_PAGE: i64 = 2;

/// Everything that a pull works with. Whoever pulls holds the lock of the state database: pulls and runs exclude
/// each other, and so share the service's allowance.
pub struct ResultsPull {
    pub state: StateStore,
    pub exam: ExamSide,
    /// How old the last full pass may become.
    pub full_every: Duration,
    pub clock: Clock,
    /// Where to show how far it is.
    pub progress: Progress,
    /// Cancelled when no further page is to be read.
    pub stop: CancellationToken,
    /// The number under which a report shows how badly a pull ended.
    pub exit_code: fn(Severity) -> u8,
}

/// Why a pull ends early. Nothing is lost: the next one goes on.
#[derive(Debug, thiserror::Error)]
enum PullError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Exam(#[from] ExamError),
    /// Whose results these are is not known.
    #[error(transparent)]
    Account(#[from] ExamSyncError),
    #[error("told to stop: the next pull goes on from here")]
    Stopped,
}

impl PullError {
    fn severity(&self) -> Severity {
        match self {
            Self::Store(error) => Severity::of_store_error(error),
            Self::Exam(error) => Severity::of_exam_error(error),
            Self::Account(error) => error.severity(),
            Self::Stopped => Severity::Terminated,
        }
    }
}

/// How a pass ended; what it did not find joined, in words.
type Doubt = Option<String>;

/// How far a pass got.
enum Walked {
    /// As far as it had to. So many fewer than the service counts were there.
    Down { unlisted: u64 },
    /// What it did not find joined, in words.
    Doubtful(String),
}

/// What comes after the pages that were read.
enum Next {
    /// A page that goes on from them: its offset, and the first row that the pass has not seen.
    Page(u64, ResultsPage, usize),
    /// Nothing, although the service counts so many more.
    Nothing { unlisted: u64 },
    /// What does not go on from them, in words.
    Apart(String),
}

/// One pull. Never an `Err`: what goes wrong stands in the report.
pub async fn pull_results(pull: &ResultsPull) -> ResultsReport {
    let mut report = ResultsReport::begin(pull.clock.now_ms());
    tracing::info!("pulling exam results");
    pull.exam.reader.transport().reset();
    if let Err(error) = pull.passes(&mut report).await {
        let severity = pull.doubted(error.severity());
        report.fail(severity, format!("exam: {}", in_one_line(&error)));
    }
    if let Err(error) = pull.count(&mut report).await {
        report.fail(Severity::Failed, in_one_line(&error));
    }
    // One that was told to stop says nothing of the service.
    if report.severity != Severity::Terminated
        && let Err(error) = remember_pull(&pull.state, report.failure(), pull.clock.now_ms()).await
    {
        report.fail(Severity::Failed, in_one_line(&error));
    }
    report.take_calls(&pull.exam.reader.transport().take_calls());
    report.close(pull.clock.now_ms(), pull.exit_code);
    for error in &report.errors {
        tracing::error!("{error}");
    }
    let (new, changed, stored) = (report.new, report.changed, report.stored);
    tracing::info!(outcome = report.outcome.as_str(), new, changed, stored, "exam results pulled");
    report
}

impl ResultsPull {
    /// Results are kept by sid, and a sid means something in one account only.
    async fn require_own_account(&self) -> Result<(), PullError> {
        let Self { state, exam: side, stop, clock, .. } = self;
        let now_ms = clock.now_ms();
        let question = AccountQuestion { state, side, stop, now_ms, may: MayTake::Proved };
        if let Some(said) = require_own_account(question).await?.said {
            tracing::info!("{said}");
        }
        Ok(())
    }

    /// Credentials that are refused after they were accepted, and an address where the service has answered, are right: the
    /// next pull tells.
    fn doubted(&self, severity: Severity) -> Severity {
        let may_pass = matches!(severity, Severity::Credentials | Severity::Address);
        let was_accepted = self.exam.reader.transport().was_accepted();
        if may_pass && was_accepted { Severity::Temporary } else { severity }
    }

    /// What a pull met that was killed before it could tell.
    async fn tell_of_killed(&self, report: &mut ResultsReport) -> Result<(), StoreError> {
        for position in self.state.untold_odd_rows(OddRow::Unreadable).await? {
            report.note_unreadable(position, "as a pull has found that broke off");
        }
        for position in self.state.untold_odd_rows(OddRow::Twin).await? {
            report.note_twin(position, "comes twice, as a pull has found that broke off");
        }
        Ok(())
    }

    /// The pass that was cut off first, then others until nothing new comes.
    async fn passes(&self, report: &mut ResultsReport) -> Result<(), PullError> {
        self.require_own_account().await?;
        self.tell_of_killed(report).await?;
        let open = self.state.open_results_pass().await?;
        let mut may_give_up = open.is_some();
        report.resumed = open.as_ref().is_some_and(|pass| pass.first_total.is_some());
        let mut pass = match open {
            Some(pass) => pass,
            None => self.begin(self.is_full_due().await?).await?,
        };
        let (mut readings, mut rounds, mut full_done) = (0, 0, false);
        let mut fresh_before = u64::MAX;
        loop {
            report.full |= pass.is_full;
            let walked = match self.walk(&mut pass, report).await {
                Err(PullError::Exam(error)) => {
                    let failures = self.state.note_failed_page(&pass).await?;
                    if !may_give_up || failures < FAILURES_AT_ONE_PAGE {
                        return Err(error.into());
                    }
                    // What has come meanwhile stands at the head; this page may never be read.
                    let (severity, at) = (self.doubted(Severity::of_exam_error(&error)), pass.next_start);
                    report.fail(
                        severity,
                        format!("exam: the pull is given up at position {at}: {}", in_one_line(&error)),
                    );
                    self.state.finish_results_pass(&pass, None, self.clock.now_ms()).await?;
                    may_give_up = false;
                    pass = self.begin(false).await?;
                    continue;
                }
                walked => walked?,
            };
            let doubt = match walked {
                Walked::Down { unlisted } => self.close_pass(&pass, unlisted, report).await?,
                Walked::Doubtful(doubt) => {
                    self.state.finish_results_pass(&pass, None, self.clock.now_ms()).await?;
                    Some(doubt)
                }
            };
            let in_full = if let Some(why) = doubt {
                readings += 1;
                if readings >= READINGS {
                    report.fail(
                        Severity::Incomplete,
                        format!("exam: the results are not surely complete: {why}"),
                    );
                    return Ok(());
                }
                tracing::warn!(reading = readings, "the results do not add up and are read again: {why}");
                self.wait().await?;
                true
            } else {
                let nothing_came = pass.fresh == 0 && pass.first_total == Some(pass.last_total);
                full_done |= pass.is_full;
                let full_due = !full_done && self.is_full_due().await?;
                // More than a page each time, and no fewer than the time before: the next pull goes on.
                let is_chasing = pass.fresh > u64::from(self.limit()) && pass.fresh >= fresh_before;
                if (nothing_came || is_chasing || rounds >= MOST_ROUNDS) && !full_due {
                    return Ok(());
                }
                fresh_before = pass.fresh;
                rounds += 1;
                full_due
            };
            pass = self.begin(in_full).await?;
        }
    }

    async fn begin(&self, in_full: bool) -> Result<ResultsPass, StoreError> {
        self.state.begin_results_pass(in_full, self.clock.now_ms()).await
    }

    /// A full pass is due when the last one is old, when there was none, and after one that did not add up.
    async fn is_full_due(&self) -> Result<bool, StoreError> {
        let Some(last) = self.state.last_results_pass().await? else { return Ok(true) };
        let Some(full_at_ms) = self.state.last_full_results_pass_ms().await? else { return Ok(true) };
        let age_ms = self.clock.now_ms().saturating_sub(full_at_ms);
        let limit_ms = i64::try_from(self.full_every.as_millis()).unwrap_or(i64::MAX);
        // One of a clock that was ahead is none.
        Ok(!last.is_certain || !(0..limit_ms).contains(&age_ms))
    }

    /// Reads on from where the pass stands, down to where it may stop.
    async fn walk(&self, pass: &mut ResultsPass, report: &mut ResultsReport) -> Result<Walked, PullError> {
        let bar = self.progress.bar("reading results", 1);
        let mut pages: u64 = 0;
        loop {
            let listed =
                pass.first_total.unwrap_or(0).div_ceil(u64::from(self.limit().saturating_sub(1)).max(1));
            if pages > listed.saturating_mul(MOST_PAGES_A_PAGE).saturating_add(MORE_PAGES) {
                return Ok(Walked::Doubtful("results arrive faster than they can be read".to_owned()));
            }
            pages += 1;
            let (start, page, from) = match self.next_page(pass).await? {
                Next::Page(start, page, from) => (start, page, from),
                Next::Nothing { unlisted } => return Ok(Walked::Down { unlisted }),
                Next::Apart(why) => return Ok(Walked::Doubtful(why)),
            };
            position::advance(pass, start, &page, from);
            let met = self.take(pass, start, &page, report).await?;
            report.count(&page, &met);
            self.show(&bar, pass);
            let is_known_below = !pass.is_full && position::is_quiet(&page.rows, &met, from);
            if position::is_end(start, &page) || is_known_below {
                return Ok(Walked::Down { unlisted: 0 });
            }
        }
    }

    /// Stores a page; says of each row what became of it.
    async fn take(
        &self,
        pass: &mut ResultsPass,
        start: u64,
        page: &ResultsPage,
        report: &mut ResultsReport,
    ) -> Result<Vec<Met>, PullError> {
        let now_ms = self.clock.now_ms();
        let key = self.state.planner_key().await?;
        let hash = |(position, row): (u64, &ResultsRow)| match row {
            ResultsRow::Attempt(_) => None,
            ResultsRow::Unreadable { digest, .. } => {
                Some((key.digest("results.unreadable").text(digest).finish(), position))
            }
        };
        let hashes: Vec<_> = (start..).zip(&page.rows).filter_map(hash).collect();
        let twins = twins::of_page(page, &key);
        // First: the pass may not come past a row that is not written down.
        let known = self.state.take_odd_rows(pass, OddRow::Unreadable, &hashes, now_ms).await?;
        self.take_twins(pass, start, &twins, report).await?;
        let same: HashMap<usize, usize> = twins.iter().filter_map(TwinRow::same).collect();
        let attempts: Vec<Attempt> = (0..)
            .zip(&page.rows)
            .filter(|(at, _)| !same.contains_key(at))
            .filter_map(|(_, row)| row.attempt().cloned())
            .collect();
        let mut taken = self.state.take_results(pass, &attempts, now_ms).await?.into_iter();
        let mut known = known.into_iter();
        let mut met: Vec<Met> = Vec::with_capacity(page.rows.len());
        for (at, (position, row)) in (start..).zip(&page.rows).enumerate() {
            match row {
                ResultsRow::Attempt(_) => match same.get(&at) {
                    Some(first) => met.extend(met.get(*first).copied().map(Met::again)),
                    None => met.extend(taken.next()),
                },
                ResultsRow::Unreadable { .. } if known.next() == Some(true) => {
                    met.push(Met::Known { before: true });
                }
                ResultsRow::Unreadable { what, .. } => {
                    report.note_unreadable(position, what);
                    met.push(Met::New);
                }
            }
        }
        Ok(met)
    }

    /// Says of each row that comes twice once what becomes of it.
    async fn take_twins(
        &self,
        pass: &ResultsPass,
        start: u64,
        twins: &[TwinRow],
        report: &mut ResultsReport,
    ) -> Result<(), PullError> {
        let position = |row: &TwinRow| start.saturating_add(u64::try_from(row.at).unwrap_or(0));
        let hashes: Vec<_> = twins.iter().map(|row| (row.hash, position(row))).collect();
        let known = self.state.take_odd_rows(pass, OddRow::Twin, &hashes, self.clock.now_ms()).await?;
        for (row, _) in twins.iter().zip(known).filter(|(_, is_known)| !is_known) {
            let what = match row.twin {
                Twin::Same(_) => "shows the same result as another row: it is kept once",
                Twin::Other => {
                    "is of the same exam, candidate and second as another row and has other values: both are kept"
                }
            };
            report.note_twin(position(row), what);
        }
        Ok(())
    }

    /// Whether every row of a page that comes twice has been told of.
    async fn knows_twins(&self, page: &ResultsPage) -> Result<bool, PullError> {
        let twins = twins::of_page(page, &self.state.planner_key().await?);
        let hashes: Vec<_> = twins.iter().map(|row| row.hash).collect();
        Ok(hashes.is_empty() || self.state.knows_odd_rows(&hashes).await?)
    }

    fn show(&self, bar: &Bar, pass: &ResultsPass) {
        let pages = pass.last_total.div_ceil(u64::from(self.limit()));
        bar.set_length(if pass.is_full { pages.max(1) } else { 1 });
        bar.advance(1);
    }

    /// The page that goes on from what was read, or why there is none.
    async fn next_page(&self, pass: &ResultsPass) -> Result<Next, PullError> {
        let mut why = String::new();
        for reading in 0..READINGS {
            if reading > 0 {
                self.wait().await?;
            }
            let start = pass.next_start;
            // A row that is there twice may stand where another one should. What stays so is taken as it is.
            let is_last = reading + 1 == READINGS;
            let page = self.page(start).await?;
            let total = page.total;
            match position::fit(pass, &page) {
                Fit::From(from) if goes_on(start, &page, from) => {
                    if is_last || self.knows_twins(&page).await? {
                        return Ok(Next::Page(start, page, from));
                    }
                }
                // What was read last, and nothing below it: the list ends before the count does.
                Fit::From(from) if is_last && from > 0 => {
                    let end = start.saturating_add(u64::try_from(page.rows.len()).unwrap_or(0));
                    return Ok(Next::Nothing { unlisted: total.saturating_sub(end) });
                }
                Fit::From(_) => why = position::gap_in_words(start, &page),
                Fit::Apart => {
                    why = position::gap_in_words(start, &page);
                    for start in position::elsewhere(pass, total, self.limit()) {
                        let page = self.page(start).await?;
                        if let Fit::From(from) = position::fit(pass, &page)
                            && goes_on(start, &page, from)
                            && (is_last || self.knows_twins(&page).await?)
                        {
                            return Ok(Next::Page(start, page, from));
                        }
                    }
                }
            }
        }
        Ok(Next::Apart(why))
    }

    async fn page(&self, start: u64) -> Result<ResultsPage, PullError> {
        let asked = self.exam.reader.results(start, self.limit());
        match self.stop.run_until_cancelled(asked).await.ok_or(PullError::Stopped)? {
            Err(error @ ExamError::Refused { .. }) => {
                // It may be ourselves who are refused, which getFields can tell.
                let told = self.exam.reader.fields().await.err();
                Err(told.unwrap_or(error).into())
            }
            page => Ok(page?),
        }
    }

    /// Compares what we have with what the service counts, and closes the pass.
    async fn close_pass(
        &self,
        pass: &ResultsPass,
        unlisted: u64,
        report: &mut ResultsReport,
    ) -> Result<Doubt, StoreError> {
        let stored = signed(self.state.count_results().await?);
        let first_total = pass.first_total.unwrap_or(0);
        let earlier = self.state.last_results_pass().await?.filter(|last| last.is_certain);
        let doubt = if first_total == 0 && stored > 0 {
            Some(format!(
                "the service lists no results although {stored} are known: check exam.code and exam.base_url"
            ))
        } else if pass.is_full {
            let missing = first_total.saturating_sub(pass.seen);
            // The count may have grown since the first page.
            if missing <= unlisted && self.notes_unlisted(unlisted).await? {
                report.note_unlisted(unlisted);
            }
            (missing > unlisted)
                .then(|| format!("{} results were read of {first_total} that the service counts", pass.seen))
        } else {
            let expected = signed(first_total).saturating_add(earlier.map_or(0, |last| last.surplus));
            (stored < expected)
                .then(|| format!("{stored} results are known where there should be {expected}"))
        };
        // What arrived during the pass makes this smaller than it is, never larger.
        let surplus = stored.saturating_sub(signed(pass.last_total));
        let kept = if pass.is_full { surplus } else { surplus.max(earlier.map_or(surplus, |it| it.surplus)) };
        // Where a row came twice another one may have been meant: the next pull reads it all again.
        let is_certain = doubt.is_none() && !report.wants_another_reading();
        let ended = is_certain.then_some(kept);
        self.state.finish_results_pass(pass, ended, self.clock.now_ms()).await?;
        Ok(doubt)
    }

    /// Remembers how many results the service counts beyond those that it lists; says whether that is news.
    async fn notes_unlisted(&self, unlisted: u64) -> Result<bool, StoreError> {
        let before = unlisted_results(&self.state).await?.map_or(0, |(count, _)| count);
        if before != unlisted {
            remember_unlisted(&self.state, unlisted, self.clock.now_ms()).await?;
        }
        Ok(before != unlisted && unlisted > 0)
    }

    async fn count(&self, report: &mut ResultsReport) -> Result<(), StoreError> {
        self.state.odd_rows_are_told().await?;
        report.stored = self.state.count_results().await?;
        report.unreadable_rows = self.state.odd_rows(OddRow::Unreadable).await?.0;
        report.doubled_rows = self.state.odd_rows(OddRow::Twin).await?.0;
        report.whose = self.state.result_counts().await?.into();
        let last = self.state.last_results_pass().await?.filter(|last| last.is_certain);
        report.no_longer_listed = last.map_or(0, |last| u64::try_from(last.surplus).unwrap_or(0));
        Ok(())
    }

    fn limit(&self) -> u32 {
        self.exam.settings.page_size.max(LEAST_PAGE)
    }

    async fn wait(&self) -> Result<(), PullError> {
        let waited = tokio::time::sleep(self.exam.retry_delays.between_readings);
        self.stop.run_until_cancelled(waited).await.ok_or(PullError::Stopped)
    }
}

/// Whether a page brings the pass further, or shows that it is at the end.
fn goes_on(start: u64, page: &ResultsPage, from: usize) -> bool {
    from < page.rows.len() || position::is_end(start, page)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
