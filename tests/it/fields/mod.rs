//! Fields: which one holds the login value, what is compared, what is sent, and who is taken over.

mod adoption;
mod alike_logins;
mod labels;
mod login_field;
mod lost_adds;
mod overwriting;
mod rewritten_logins;
mod rewritten_values;
