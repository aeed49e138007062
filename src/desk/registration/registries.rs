//! Registers of others that filings are held against: social insurance, and who somebody really is.

use std::fmt;

use async_trait::async_trait;

use crate::desk::DeskError;
use crate::domain::certificate::Name;
use crate::domain::identity::PersonId;

/// The registers of others. Whoever keeps none is told nothing, and nobody is held up.
#[async_trait]
pub trait Registries: fmt::Debug + Send + Sync {
    /// Whether the social insurance of a person shows an anomaly (社保异常).
    ///
    /// # Errors
    /// Where it cannot be asked now.
    async fn insurance_is_anomalous(&self, person: &PersonId) -> Result<bool, DeskError>;

    /// Whether somebody with this name has this identity document (实名认证).
    ///
    /// # Errors
    /// Where it cannot be asked now.
    async fn knows(&self, person: &PersonId, name: &Name) -> Result<bool, DeskError>;
}

/// No register is attached: nothing is anomalous, and a name is what the account was opened with.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRegistries;

#[async_trait]
impl Registries for NoRegistries {
    async fn insurance_is_anomalous(&self, _: &PersonId) -> Result<bool, DeskError> {
        Ok(false)
    }

    async fn knows(&self, _: &PersonId, _: &Name) -> Result<bool, DeskError> {
        Ok(true)
    }
}
