//! The seal in force, as staff may see it: the key itself never leaves its place.

use crate::desk::{Caller, Desk, DeskError};
use crate::domain::ids::Sha256;
use crate::domain::key::Scope;
use crate::seal::particulars::{Particulars, chain_fingerprint};

/// The chain that speaks for the seal's key.
#[derive(Clone, Debug)]
pub struct SealInForce {
    /// The seal certificate first, then its issuers.
    pub chain: Vec<Particulars>,
    /// SHA-256 over the DER of them all.
    pub fingerprint: Sha256,
    /// Whether the red seals on copies are the visibly fictitious ones of development.
    pub fictitious: bool,
}

impl Desk {
    /// The seal in force.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn seal_in_force(&self, caller: &Caller) -> Result<SealInForce, DeskError> {
        caller.needs(Scope::CertificatesRead)?;
        let chain = self.key.chain();
        Ok(SealInForce {
            chain: chain.iter().filter_map(|der| Particulars::of(der)).collect(),
            fingerprint: chain_fingerprint(chain),
            fictitious: self.rules.stamps.fictitious,
        })
    }
}
