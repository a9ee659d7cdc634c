//! The two services, and the transport that both clients use.
//!
//! Each service has the same parts: client, wire, signature, error. Neither knows the other, nor why something
//! is sent.

pub mod classin;
pub mod exam;
pub mod http;
