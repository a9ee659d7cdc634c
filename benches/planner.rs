//! What a quiet run costs the planner: time and memory a student, at ten thousand, a hundred thousand and a million.
//!
//! Goals: memory grows by at most 66 bytes a student, and a student takes no longer among a million
//! than among ten thousand. Memory is the growth of the resident set, so Linux only.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::collections::{BTreeMap, BTreeSet};
use std::hash::RandomState;
use std::hint::black_box;
use std::time::Instant;

use rosterd_core::exam_plan::{
    Diff, DiffBuilder, GroupBook, Link, Listing, MappedField, Mapping, MemoryKey, ObservedBuilder, Origin,
    RunHasher, SharedLogins,
};
use rosterd_core::roster::{FieldId, Gid, Group, GroupCode, LoginValue, Sid, Student, StudentId};

const COLUMNS: [(&str, i64); 4] = [("name", 1), ("gender", 2), ("phone", 4), ("password", 10)];
const LOGIN: FieldId = FieldId(4);

fn main() -> Result<(), String> {
    // The first pages of code and the allocator's own are not the planner's.
    measure(1_000)?;
    println!("{:>9} {:>12} {:>12} {:>15}", "students", "listing ns", "survey ns", "bytes a student");
    for count in [10_000, 100_000, 1_000_000] {
        let Figures { listing_ns, survey_ns, bytes } = best_of_three(count)?;
        println!("{count:>9} {listing_ns:>12.0} {survey_ns:>12.0} {bytes:>15.1}");
    }
    Ok(())
}

/// For one student.
struct Figures {
    listing_ns: f64,
    survey_ns: f64,
    bytes: f64,
}

/// The shortest times and the most memory: other work on the machine only ever adds time.
fn best_of_three(count: u32) -> Result<Figures, String> {
    let mut best = measure(count)?;
    for _ in 0..2 {
        let Figures { listing_ns, survey_ns, bytes } = measure(count)?;
        best.listing_ns = best.listing_ns.min(listing_ns);
        best.survey_ns = best.survey_ns.min(survey_ns);
        best.bytes = best.bytes.max(bytes);
    }
    Ok(best)
}

fn measure(count: u32) -> Result<Figures, String> {
    let fields = COLUMNS.map(|(column, id)| MappedField { column: column.to_owned(), id: FieldId(id) });
    let mapping = Mapping::new(fields.to_vec(), LOGIN).ok_or("the login field is not mapped")?;
    let resident_before = resident_bytes()?;
    let started = Instant::now();
    let listing = listed(count, &mapping)?;
    let listing_ns = each(started, count);
    let Listing::Complete(observed, _) = &listing else { return Err("the listing adds up".to_owned()) };
    let (key, shared) = (MemoryKey::new([7; 32]), SharedLogins::default());
    let group = Group { code: GroupCode::new("g"), title: String::new(), gid: Some(Gid(1)), flaw: None };
    let groups = GroupBook::new([group], None);
    let started = Instant::now();
    let mut builder = DiffBuilder::new(&mapping, observed, &key, &groups, &shared);
    for at in 0..count {
        builder.pair(Some(student(at)), Some(link(at, &key)?), None);
    }
    let diff: Diff = builder.finish().map_err(|_| "no login value is shared")?;
    let survey_ns = each(started, count);
    let grown = resident_bytes()?.saturating_sub(resident_before);
    if !black_box(&diff).differences.is_empty() {
        return Err("a converged pair makes no case".to_owned());
    }
    Ok(Figures {
        listing_ns,
        survey_ns,
        bytes: f64::from(u32::try_from(grown).unwrap_or(u32::MAX)) / f64::from(count),
    })
}

fn each(started: Instant, count: u32) -> f64 {
    started.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

fn values(at: u32) -> [String; 4] {
    [format!("student {at}"), "f".to_owned(), format!("138{at:08}"), format!("pw{at}")]
}

fn listed(count: u32, mapping: &Mapping) -> Result<Listing, String> {
    let mapped = mapping.fields().iter().map(|field| field.id).collect();
    let expected = usize::try_from(count).map_err(|error| error.to_string())?;
    let mut builder = ObservedBuilder::new(RunHasher::new(RandomState::new()), mapped, expected);
    builder.total(u64::from(count));
    for at in 0..count {
        let values = values(at);
        let login = values[2].clone();
        let fields: Vec<_> = COLUMNS.iter().map(|(_, id)| FieldId(*id)).zip(values).collect();
        builder.row(&login, &fields);
    }
    Ok(builder.close())
}

fn student(at: u32) -> Student {
    Student {
        id: StudentId::new(format!("{at:08}")),
        active: true,
        values: values(at).to_vec(),
        groups: vec![GroupCode::new("g")],
    }
}

fn link(at: u32, key: &MemoryKey) -> Result<Link, String> {
    let confirmed = BTreeMap::from([(FieldId(10), key.value(FieldId(10), &format!("pw{at}")))]);
    Ok(Link {
        student: StudentId::new(format!("{at:08}")),
        sid: Sid(i64::from(at)),
        login: LoginValue::parse(&format!("138{at:08}")).ok_or("a login value")?,
        origin: Origin::Added,
        confirmed,
        unverified: BTreeSet::new(),
        suspected: BTreeMap::new(),
        sent_twice: BTreeMap::new(),
        rewritten: BTreeSet::new(),
        groups: Some(BTreeSet::from([Gid(1)])),
        gone_since_ms: None,
        gone_runs: 0,
        linked_at_ms: 0,
        renamed_by_hand: false,
    })
}

fn resident_bytes() -> Result<u64, String> {
    const PAGE_BYTES: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").map_err(|error| error.to_string())?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.map(|pages| pages * PAGE_BYTES).ok_or_else(|| "no resident pages are told".to_owned())
}
