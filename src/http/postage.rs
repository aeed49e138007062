//! What verification codes cost whoever has them sent: each is a message to a telephone that need not be the sender's.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::desk::DeskError;
use crate::domain::spending::{Bucket, Limit};
use crate::http::buckets::Buckets;
use crate::http::client::Client;

/// Where a request's codes are counted. The gate gives one to every form, whatever its route: pages and API send alike.
#[derive(Clone, Debug)]
pub(crate) struct Postage {
    payer: Option<(Arc<Buckets>, Client)>,
}

impl Postage {
    /// The postage of a client.
    pub(crate) fn of(buckets: Arc<Buckets>, client: Client) -> Self {
        Self { payer: Some((buckets, client)) }
    }

    /// Pays for one code.
    ///
    /// # Errors
    /// `TooOften`, with the seconds to wait.
    pub(crate) fn pay(&self) -> Result<(), DeskError> {
        let Some((buckets, client)) = &self.payer else { return Ok(()) };
        let bucket = Bucket { limit: Limit::Codes, caller: client.bits() };
        buckets.spend(bucket, Instant::now()).map_err(|wait| DeskError::TooOften(wait.as_secs() + 1))
    }
}

/// What comes past the gate, as in tests of pages alone, is not counted.
impl<S: Sync> FromRequestParts<S> for Postage {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self { payer: None }))
    }
}
