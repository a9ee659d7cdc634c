//! What is measured of the daemon, and what is made of it. It asserts that what must be flat is flat, and nothing else.

use std::collections::BTreeMap;
use std::fmt;

use rosterd_testkit::School;

/// In this many samples at the start memory is still being taken for good.
const WARM_UP: usize = 10;

/// The daemon at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    memory_kib: u64,
    /// Of these, what belongs to no file: the pages of the program itself come and go with the machine's memory.
    own_kib: u64,
    descriptors: u64,
    threads: u64,
    pages: u64,
}

impl Sample {
    /// Of the process with this folder below `/proc`, and a state of so many pages.
    pub(crate) fn of(process: &str, pages: i64) -> Self {
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let descriptors = std::fs::read_dir(format!("{process}/fd")).unwrap().count();
        Self {
            memory_kib: figure("VmRSS:"),
            own_kib: figure("RssAnon:"),
            descriptors: u64::try_from(descriptors).unwrap(),
            threads: figure("Threads:"),
            pages: u64::try_from(pages).unwrap(),
        }
    }
}

/// All of them, in their order.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    pub(crate) fn take(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// The second quarter behind the warm-up, and the last one: the greatest of each.
    fn early_and_late(&self, figure: impl Fn(&Sample) -> u64) -> (u64, u64) {
        let settled = self.0.get(WARM_UP..).unwrap_or_default();
        let quarter = (settled.len() / 4).max(1);
        let greatest = |part: &[Sample]| part.iter().map(&figure).max().unwrap_or(0);
        let early = settled.iter().skip(quarter).take(quarter).copied().collect::<Vec<_>>();
        let late = settled.iter().rev().take(quarter).copied().collect::<Vec<_>>();
        (greatest(&early), greatest(&late))
    }

    /// Memory may differ by a tenth and 3 MiB, descriptors and threads by what one run more in flight holds. The state
    /// holds as much as it may from the second quarter on; by a tenth it differs with what the runs met.
    pub(crate) fn are_flat(&self) {
        let (early, late) = self.early_and_late(|sample| sample.memory_kib);
        assert!(late <= early + early / 10 + 3 * 1024, "memory grows: {early} to {late} KiB\n{self}");
        let (early, late) = self.early_and_late(|sample| sample.own_kib);
        assert!(late <= early + early / 10 + 1024, "the heap grows: {early} to {late} KiB\n{self}");
        let (early, late) = self.early_and_late(|sample| sample.pages);
        assert!(late <= early + early / 10, "the state grows: {early} to {late} pages\n{self}");
        let (early, late) = self.early_and_late(|sample| sample.descriptors);
        assert!(late <= early + 10, "descriptors grow: {early} to {late}\n{self}");
        let (early, late) = self.early_and_late(|sample| sample.threads);
        assert!(late <= early + 4, "threads grow: {early} to {late}\n{self}");
    }
}

impl fmt::Display for Samples {
    /// The quarters, one a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} samples, one a second; greatest and median of each quarter:", self.0.len())?;
        let quarter = (self.0.len() / 4).max(1);
        for part in self.0.chunks(quarter) {
            let range = |figure: fn(&Sample) -> u64| {
                let mut all: Vec<u64> = part.iter().map(figure).collect();
                all.sort_unstable();
                format!("{} / {}", all.last().unwrap_or(&0), all.get(all.len() / 2).unwrap_or(&0))
            };
            let memory = range(|sample| sample.memory_kib);
            let own = range(|sample| sample.own_kib);
            let descriptors = range(|sample| sample.descriptors);
            let threads = range(|sample| sample.threads);
            let pages = range(|sample| sample.pages);
            writeln!(
                f,
                "memory {memory} KiB (own {own}), descriptors {descriptors}, threads {threads}, state {pages} pages"
            )?;
        }
        Ok(())
    }
}

/// The runs on schedule, from the first on, in their order: when each began and ended. The daemon forgets them meanwhile.
#[derive(Debug, Default)]
pub(crate) struct History(BTreeMap<i64, (i64, i64)>);

impl History {
    pub(crate) async fn read(&mut self, school: &School) {
        // The newest are read again: one that was under way has ended since.
        let newest = "SELECT json_group_array(json_array(run_id, started_at_ms, coalesce(finished_at_ms, started_at_ms))) FROM \
                      (SELECT * FROM runs WHERE run_id > 0 AND trigger = 'schedule' ORDER BY run_id DESC LIMIT 20)";
        let runs: Vec<(i64, i64, i64)> = serde_json::from_str(&school.word(newest).await).unwrap();
        self.0.extend(runs.into_iter().map(|(run_id, from, to)| (run_id, (from, to))));
    }

    pub(crate) fn lateness(&self, every_ms: i64) -> Lateness {
        let runs: Vec<(i64, i64)> = self.0.values().copied().collect();
        let (Some((first, _)), Some((last, _))) = (runs.first(), runs.last()) else {
            panic!("the daemon made no run");
        };
        let longest_run_ms = runs.iter().map(|(from, to)| to - from).max().unwrap_or(0);
        let mut found =
            Lateness { runs: runs.len(), due: 0, missed: Vec::new(), greatest_ms: 0, longest_run_ms };
        let mut due = (first / every_ms + 1) * every_ms;
        while due <= *last {
            // One that was under way is followed by one that stands for all that came due meanwhile.
            let busy_until =
                runs.iter().filter(|(from, to)| *from < due && due < *to).map(|(_, to)| *to).max();
            let ready = busy_until.unwrap_or(due);
            match runs.iter().map(|(from, _)| *from).find(|from| *from >= due) {
                Some(began) if began - ready <= LATEST_MS => {
                    found.greatest_ms = found.greatest_ms.max(began - ready)
                }
                Some(_) | None => found.missed.push(due),
            }
            found.due += 1;
            due += every_ms;
        }
        found
    }
}

/// How runs came behind the moments at which they were due.
#[derive(Debug)]
pub(crate) struct Lateness {
    runs: usize,
    due: u64,
    missed: Vec<i64>,
    /// Behind the due moment, or behind the end of the run that was under way then.
    greatest_ms: i64,
    longest_run_ms: i64,
}

/// A run that comes later than this has been missed. A tick is half a second late at most; the rest is left to a busy
/// machine, and the greatest lateness is said.
const LATEST_MS: i64 = 20_000;

impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, due, missed, greatest_ms, longest_run_ms } = self;
        write!(
            f,
            "{runs} runs, {due} times due, {} missed, {greatest_ms} ms late at most, the longest run {longest_run_ms} ms",
            missed.len()
        )
    }
}

impl Lateness {
    pub(crate) fn none_missed(&self) {
        assert!(self.due > 3, "{self:?}");
        assert!(self.missed.is_empty(), "runs were missed: {self:?}");
    }
}
