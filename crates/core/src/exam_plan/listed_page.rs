//! One page of a listing, hashed while it is read: no value of it is kept as text.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fingerprint::{MemoryKey, RunHasher};
use super::login_evidence::LoginEvidence;
use super::shown::is_masked;
use crate::roster::{FieldId, LoginValue, normalise, normalise_key};

/// How the values of one reading are hashed. Clones are shared by the requests in flight.
#[derive(Clone)]
pub struct PageHasher(Arc<Terms>);

struct Terms {
    hasher: RunHasher,
    mapped: Vec<FieldId>,
    /// Fields whose values are hashed so that another run can tell them again.
    recognised: Option<(MemoryKey, BTreeSet<FieldId>)>,
}

impl PageHasher {
    /// Hashes the `mapped` fields.
    #[must_use]
    pub fn new(hasher: RunHasher, mapped: Vec<FieldId>) -> Self {
        Self(Arc::new(Terms { hasher, mapped, recognised: None }))
    }

    /// The same, which hashes values of these fields under the key of our memory.
    #[must_use]
    pub fn recognising(&self, key: &MemoryKey, fields: BTreeSet<FieldId>) -> Self {
        let Terms { hasher, mapped, recognised: _ } = &*self.0;
        let recognised = (!fields.is_empty()).then(|| (key.clone(), fields));
        Self(Arc::new(Terms { hasher: hasher.clone(), mapped: mapped.clone(), recognised }))
    }

    /// A page without rows.
    #[must_use]
    pub fn page(&self) -> ListedPage {
        ListedPage {
            hasher: self.clone(),
            logins: String::new(),
            hashed: Vec::new(),
            values: Vec::new(),
            masked: Vec::new(),
            evidence: LoginEvidence::default(),
            nameless: 0,
            row: String::new(),
            fields: Vec::new(),
        }
    }

    pub(super) fn run_hasher(&self) -> &RunHasher {
        &self.0.hasher
    }

    pub(super) fn mapped(&self) -> &[FieldId] {
        &self.0.mapped
    }

    /// 32 bits of a normalised value of the mapped field at `at`; 0 for an absent or empty one.
    pub(super) fn value(&self, at: usize, value: &str) -> u32 {
        match self.key_of(at) {
            Some((key, field)) => key.value(field, value).short(),
            None => self.0.hasher.field(value),
        }
    }

    /// The key under which values of the mapped field at `at` are hashed, where another run can tell them again.
    pub(super) fn key_of(&self, at: usize) -> Option<(&MemoryKey, FieldId)> {
        let (key, fields) = self.0.recognised.as_ref()?;
        let field = self.0.mapped.get(at).copied().filter(|field| fields.contains(field))?;
        Some((key, field))
    }
}

/// The candidates of one page, in the order in which they came.
pub struct ListedPage {
    hasher: PageHasher,
    /// Login values in normal form, one after another.
    pub(super) logins: String,
    pub(super) hashed: Vec<HashedLogin>,
    /// The hashes of the mapped values, row by row.
    pub(super) values: Vec<u32>,
    /// Where in `values` a mask is shown.
    pub(super) masked: Vec<usize>,
    pub(super) evidence: LoginEvidence,
    pub(super) nameless: u64,
    /// The values of the row that is being read, and where each ends.
    row: String,
    fields: Vec<(FieldId, usize)>,
}

/// Pages of one hasher are equal where their rows are.
impl PartialEq for ListedPage {
    fn eq(&self, other: &Self) -> bool {
        let Self { hasher: _, logins, hashed, values, masked, evidence, nameless, row: _, fields: _ } = self;
        *logins == other.logins
            && *hashed == other.hashed
            && *values == other.values
            && *masked == other.masked
            && *evidence == other.evidence
            && *nameless == other.nameless
    }
}

/// One candidate's login value.
#[derive(PartialEq)]
pub(super) struct HashedLogin {
    pub(super) hash: u64,
    /// Where it ends in the page's text.
    pub(super) end: usize,
    /// As it was sent, where that is not its normal form.
    pub(super) as_sent: Option<Box<str>>,
}

impl ListedPage {
    /// Adds a value to the row that is being read.
    pub fn value(&mut self, field: FieldId, value: &str) {
        self.row.push_str(value);
        self.fields.push((field, self.row.len()));
    }

    /// Forgets the values of the row that is being read.
    pub fn clear_values(&mut self) {
        self.row.clear();
        self.fields.clear();
    }

    /// Ends the row that is being read.
    pub fn end_row(&mut self, login_value: &str) {
        self.take_row(login_value);
        self.clear_values();
    }

    /// Adds one row.
    pub fn row(&mut self, login_value: &str, fields: &[(FieldId, String)]) {
        self.clear_values();
        for (field, value) in fields {
            self.value(*field, value);
        }
        self.end_row(login_value);
    }

    /// The number of rows, those without a login value included.
    #[must_use]
    pub fn rows(&self) -> u64 {
        u64::try_from(self.hashed.len()).unwrap_or(u64::MAX).saturating_add(self.nameless)
    }

    /// The login values, in the order in which they came.
    pub fn login_values(&self) -> impl Iterator<Item = LoginValue> {
        self.texts().map(|(_, login)| LoginValue::new(login))
    }

    /// The login values with what is known of each.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&HashedLogin, &str)> {
        let mut from = 0;
        self.hashed.iter().map(move |login| {
            let text = self.logins.get(from..login.end).unwrap_or_default();
            from = login.end;
            (login, text)
        })
    }

    fn take_row(&mut self, login_value: &str) {
        let login = normalise_key(login_value);
        if login.is_empty() {
            self.nameless += 1;
            return;
        }
        let Self { hasher, logins, hashed, values, masked, evidence, row, fields, .. } = self;
        evidence.row();
        let mut from = 0;
        for (field, end) in fields.iter() {
            let value = row.get(from..*end).unwrap_or_default();
            if value == login || normalise_key(value) == login {
                evidence.equals(*field);
            }
            from = *end;
        }
        logins.push_str(&login);
        let as_sent = (*login != *login_value).then(|| login_value.into());
        hashed.push(HashedLogin { hash: hasher.0.hasher.login(&login), end: logins.len(), as_sent });
        for (at, mapped) in hasher.0.mapped.iter().enumerate() {
            let mut from = 0;
            let mut raw = "";
            for (field, end) in fields.iter() {
                if field == mapped {
                    raw = row.get(from..*end).unwrap_or_default();
                    break;
                }
                from = *end;
            }
            if is_masked(raw) {
                masked.push(values.len());
            }
            values.push(hasher.value(at, &normalise(raw)));
        }
    }
}
