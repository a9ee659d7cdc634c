//! Identifiers as types of their own, so that no bare string or number crosses a function boundary.

use std::fmt;

use super::text::{is_control, normalise_key};

macro_rules! text_identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps a value that was read from the roster or from our own tables.
            #[must_use]
            pub fn new(value: impl Into<Box<str>>) -> Self {
                Self(value.into())
            }

            /// Takes a value as a person entered it: in the form in which the roster's are compared.
            #[must_use]
            pub fn entered(value: &str) -> Self {
                Self::new(normalise_key(value).into_owned())
            }

            /// The value as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if !self.0.contains(is_control) {
                    return f.write_str(&self.0);
                }
                // One line stays one line, whatever a row of the roster says.
                self.0.chars().try_for_each(|c| fmt::Write::write_char(f, if is_control(c) { '\u{fffd}' } else { c }))
            }
        }
    };
}

macro_rules! number_identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_identifier!(
    /// A student's own id at the school; never reused. The only name of a person that may be logged.
    StudentId
);
text_identifier!(
    /// A group's code on the roster.
    GroupCode
);
text_identifier!(
    /// A class's code on the roster.
    ClassCode
);
text_identifier!(
    /// A candidate's login, trimmed, without invisible characters and in Unicode normal form C. Personal: never logged.
    LoginValue
);

number_identifier!(
    /// A candidate's id on the exam side; stable for life, never reused.
    Sid
);
number_identifier!(
    /// A group's id on the exam side.
    Gid
);
number_identifier!(
    /// An exam's id on the exam side (`eid` on the wire).
    ExamId
);
number_identifier!(
    /// A field's id on the exam side (`sfid` or `sFid` on the wire).
    FieldId
);
number_identifier!(
    /// A ClassIn course.
    CourseId
);
number_identifier!(
    /// A ClassIn class within a course.
    ClassId
);
number_identifier!(
    /// A ClassIn account.
    ClassinUid
);
number_identifier!(
    /// One run, counted up from 1 in the state database.
    RunId
);

impl LoginValue {
    /// The login value in the form it is compared in; `None` when nothing is left after trimming.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let value = normalise_key(raw);
        if value.is_empty() { None } else { Some(Self::new(value.into_owned())) }
    }
}

impl fmt::Debug for StudentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StudentId({})", self.0)
    }
}

impl fmt::Debug for GroupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupCode({})", self.0)
    }
}

impl fmt::Debug for ClassCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClassCode({})", self.0)
    }
}

impl fmt::Debug for LoginValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginValue(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_value_of_blanks_is_no_login_value() {
        assert_eq!(LoginValue::parse(" \u{3000}\u{a0}\u{200b}"), None);
    }

    #[test]
    fn login_values_that_differ_in_composition_only_are_one() {
        assert_eq!(LoginValue::parse(" Jose\u{301} "), LoginValue::parse("Jos\u{e9}"));
    }

    #[test]
    fn a_login_value_loses_characters_that_nobody_can_see() {
        assert_eq!(LoginValue::parse("138\u{200e}0\u{ad}0\0"), LoginValue::parse("13800"));
    }

    #[test]
    fn an_id_is_shown_on_one_line_whatever_it_holds() {
        assert_eq!(StudentId::new("X\n- S01").to_string(), "X\u{fffd}- S01");
        assert_eq!(StudentId::entered(" S01\u{200b}\n").to_string(), "S01");
    }

    #[test]
    fn a_login_value_never_shows_in_debug_output() {
        let value = LoginValue::new("13800000000");
        assert!(!format!("{value:?}").contains("138"));
    }
}
