//! By what ClassIn finds an account: a phone number in its own format, or an e-mail address.
//!
//! | phone | email | the account is asked for by |
//! |---|---|---|
//! | readable | anything | the phone |
//! | absent | readable | the e-mail |
//! | landline of mainland China | readable | the e-mail, and the phone is reported |
//! | unreadable | anything | nothing, and the phone is reported |
//! | absent | unreadable or absent | nothing, and the e-mail is reported |
//!
//! An unreadable phone is never guessed at: one wrong digit is another family's account. Nor does the e-mail stand in for
//! it: a slip in the cell would bring another account into the place of the one that is there.

use std::fmt;

use crate::roster::{HomeCountry, Phone, PhoneProblem, normalise};

/// Mainland China.
const MAINLAND: u16 = 86;
/// The number of digits of a mainland mobile number; landlines cannot hold an account.
const MAINLAND_DIGITS: usize = 11;
/// The longest address that mail programs agree on.
const LONGEST_EMAIL: usize = 254;

/// A phone number as ClassIn writes it, or an e-mail address. Personal: never shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    kind: ContactKind,
    text: Box<str>,
}

/// The kind of a [`Contact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactKind {
    /// Mainland China: 11 digits; elsewhere `00<country>-<number>`.
    Phone,
    /// An address in lower case.
    Email,
}

/// The contact found on the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ContactReading {
    /// By what the account is asked for; absent where nothing is usable.
    pub contact: Option<Contact>,
    /// The problem for a person to fix; also present where the e-mail replaces a landline.
    pub problem: Option<ContactProblem>,
}

/// The fault of a student's phone or e-mail. Names the columns and never repeats a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactProblem {
    /// The phone's fault; absent without a phone.
    pub phone: Option<ContactFault>,
    /// The e-mail's fault; absent without an e-mail and for a usable one.
    pub email: Option<ContactFault>,
    /// Whether the e-mail is used instead.
    pub email_instead: bool,
    /// The country whose phone numbers need no country code.
    pub home: HomeCountry,
}

/// The fault of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactFault {
    /// It holds letters, or more than one number.
    NotANumber,
    /// Its country has no such number.
    Impossible,
    /// A landline of mainland China.
    Landline,
    /// A number that is dialled with a zero behind the country code.
    LeadingZero,
    /// No e-mail address.
    NotAnAddress,
}

impl Contact {
    /// Reads what the roster says of one student; empty values count as absent.
    pub fn read(phone: &str, email: &str, home: HomeCountry) -> ContactReading {
        let phone = given(phone).map(|text| Self::phone(&text, home));
        let email = given(email).map(|text| Self::email(&text));
        let phone_fault = phone.as_ref().and_then(|read| read.as_ref().err().copied());
        let (contact, email_fault) = match (phone, email) {
            (Some(Err(fault)), Some(Ok(_))) if fault.is_a_slip() => (None, None),
            (Some(Ok(contact)), _) | (_, Some(Ok(contact))) => (Some(contact), None),
            (_, Some(Err(fault))) => (None, Some(fault)),
            (_, None) => (None, None),
        };
        let wrong = contact.is_none() || phone_fault.is_some();
        let problem = wrong.then_some(ContactProblem {
            phone: phone_fault,
            email: email_fault,
            email_instead: contact.is_some(),
            home,
        });
        ContactReading { contact, problem }
    }

    /// Contract: docs/contracts/classin.md, 1.2.
    fn phone(text: &str, home: HomeCountry) -> Result<Self, ContactFault> {
        let Phone { country_code, number, mobile } =
            Phone::read(text, home).map_err(|problem| match problem {
                PhoneProblem::NotANumber => ContactFault::NotANumber,
                PhoneProblem::Impossible => ContactFault::Impossible,
            })?;
        if number.starts_with('0') {
            return Err(ContactFault::LeadingZero);
        }
        if country_code != MAINLAND {
            let text = format!("00{country_code}-{number}").into();
            return Ok(Self { kind: ContactKind::Phone, text });
        }
        if !mobile || number.len() != MAINLAND_DIGITS {
            return Err(ContactFault::Landline);
        }
        Ok(Self { kind: ContactKind::Phone, text: number })
    }

    /// Assumed: like nearly every mail server, ClassIn treats addresses that differ only in case as one. They
    /// are put into lower case here too, so that no student is registered twice.
    fn email(text: &str) -> Result<Self, ContactFault> {
        let is_odd =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '<' | '>' | '"');
        let (local, domain) = text.split_once('@').ok_or(ContactFault::NotAnAddress)?;
        let labels = domain.split('.');
        let fits = !local.is_empty()
            && text.len() <= LONGEST_EMAIL
            && !text.chars().any(is_odd)
            && !domain.contains('@')
            && labels.clone().count() >= 2
            && labels.clone().all(|label| !label.is_empty());
        if !fits {
            return Err(ContactFault::NotAnAddress);
        }
        Ok(Self { kind: ContactKind::Email, text: text.to_lowercase().into() })
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ContactKind {
        self.kind
    }

    /// The value itself, to be sent to ClassIn and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// 64 bits under a key: whether it is still the one that was seen before, and nothing else.
    #[must_use]
    pub fn fingerprint(&self, key: &[u8; 32]) -> u64 {
        super::name::keyed("contact", &self.text, key)
    }
}

fn given(text: &str) -> Option<String> {
    let text = normalise(text);
    (!text.is_empty()).then(|| text.into_owned())
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contact({:?})", self.kind)
    }
}

impl ContactFault {
    /// Whether the cell does not hold what was meant. A landline is what it is; no account is found by it.
    fn is_a_slip(self) -> bool {
        match self {
            Self::NotANumber | Self::Impossible | Self::LeadingZero | Self::NotAnAddress => true,
            Self::Landline => false,
        }
    }

    fn sentence(self, column: &str, home: HomeCountry) -> String {
        let home = home.as_str();
        match self {
            Self::NotANumber => format!("{column} holds something else than one phone number"),
            Self::Impossible => format!(
                "{column} is no number that a phone can have (without a country code it is taken for one of \
                 {home}, classin.home_country)"
            ),
            Self::Landline => {
                format!("{column} is a landline of mainland China, which ClassIn does not take")
            }
            Self::LeadingZero => {
                format!(
                    "{column} is dialled with a zero behind the country code, which ClassIn does not take"
                )
            }
            Self::NotAnAddress => format!("{column} is no e-mail address"),
        }
    }
}

impl fmt::Display for ContactProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { phone, email, email_instead, home } = self;
        let sentence =
            |fault: &Option<ContactFault>, column| fault.map(|fault| fault.sentence(column, *home));
        match (sentence(phone, "phone"), sentence(email, "email")) {
            (None, None) => f.write_str("phone and email are empty: ClassIn finds an account by one of them"),
            (Some(phone), None) if *email_instead => {
                write!(f, "{phone}: correct it; until then the account is asked for by email")
            }
            (Some(phone), None) => {
                write!(f, "{phone}: correct it, or empty it where the account is to be found by email")
            }
            (None, Some(email)) => write!(f, "{email}: correct it"),
            (Some(phone), Some(email)) => write!(f, "{phone}, and {email}: correct one of them"),
        }
    }
}
