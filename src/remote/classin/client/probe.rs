//! The one call that proves credentials and changes nothing.

use super::{ClassinConnection, refused_by};
use crate::remote::classin::error::ClockReading;
use crate::remote::classin::{ClassinError, wire};
use rosterd_core::classin_plan::Code;
use rosterd_core::roster::{ClassId, ClassTarget, ClassinUid, CourseId};

/// Proves credentials, and can do nothing else: ClassIn has no call that reads.
#[derive(Debug)]
pub struct ClassinProbe {
    connection: ClassinConnection,
}

impl ClassinProbe {
    /// A probe over this connection; nothing is sent yet.
    #[must_use]
    pub fn new(connection: ClassinConnection) -> Self {
        Self { connection }
    }

    /// Proves SID, secret, permission and clock with a removal that cannot hit anyone: uid 1 from class 1 of
    /// course 1. Any code but refused credentials and maintenance is proof, as nothing else is looked at before the
    /// signature.
    ///
    /// # Errors
    /// [`ClassinError::NoPermission`] and [`ClassinError::Maintenance`] for those two;
    /// [`ClassinError::Malformed`] for an answer without a code; otherwise as
    /// [`ClassinWriter::add_to_class`](super::ClassinWriter::add_to_class).
    pub async fn prove(&self) -> Result<ClockReading, ClassinError> {
        let nowhere = ClassTarget { course: CourseId(1), class: Some(ClassId(1)) };
        let call = wire::ClassinCall::removing(nowhere, &[ClassinUid(1)]);
        let (answer, clock) = self.connection.call(&call, &[], vec![]).await?;
        let items = answer.items.iter().flatten().filter_map(|item| item.code);
        for code in answer.top.into_iter().chain(items) {
            refused_by(Code(code), clock)?;
        }
        match answer.top {
            Some(_) => Ok(clock),
            None => Err(ClassinError::Malformed { what: "it holds no code" }),
        }
    }
}
