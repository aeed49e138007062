//! API keys: minted here, shown once, kept as a digest; and the callers that they prove.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::desk::{Caller, Desk, DeskError};
use crate::domain::certificate::Line;
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::identity::CreditCode;
use crate::domain::ids::KeyId;
use crate::domain::key::{ApiKey, Scope};
use crate::domain::refusal::{FieldFault, Refusal};
use crate::store::{Change, Write};

/// What every secret begins with, so that scanners for leaked secrets find it.
const PREFIX: &str = "vk_";

/// A new key and its secret, which is shown this once.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The key.
    pub key: ApiKey,
    /// `vk_` and 256 bits of chance.
    pub secret: Secret,
}

/// A secret that prints itself only when asked.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret that was just drawn.
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret, for its owner's eyes.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Desk {
    /// Whoever holds the machine: the command line beside the data folder.
    pub fn operator(&self) -> Caller {
        Caller::operator()
    }

    /// The caller behind an API key.
    ///
    /// # Errors
    /// `Unauthenticated` for a secret that is unknown or revoked; both take the same way.
    pub async fn authenticate(&self, secret: &str) -> Result<Caller, DeskError> {
        let key = self.store.key_by_secret(super::digest(secret.as_bytes())).await?;
        let key = key.filter(|key| key.revoked_at.is_none()).ok_or(DeskError::Unauthenticated)?;
        let scopes = key.scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
        Ok(Caller { actor: Actor::Agency(key.id), scopes, issuer: key.issuer })
    }

    /// Makes a key. Nobody gives what they do not have: neither scopes nor another issuer.
    ///
    /// # Errors
    /// `Forbidden` or `foreign-issuer` where the caller has less than it gives.
    pub async fn create_key(
        &self,
        caller: &Caller,
        scopes: Vec<Scope>,
        issuer: Option<CreditCode>,
        label: Line<60>,
    ) -> Result<NewKey, DeskError> {
        caller.needs(Scope::KeysWrite)?;
        scopes.iter().try_for_each(|scope| caller.needs(*scope))?;
        if caller.issuer.is_some() && caller.issuer != issuer {
            return Err(Refusal::field("issuer", FieldFault::ForeignIssuer).into());
        }
        if scopes.is_empty() {
            return Err(Refusal::field("scopes", FieldFault::Empty).into());
        }
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(super::chance::<32>()?));
        let now = self.now();
        let key = ApiKey {
            id: KeyId::mint(now, super::chance()?),
            secret: super::digest(secret.as_bytes()),
            scopes: scopes.iter().map(|scope| scope.word().to_owned()).collect(),
            issuer,
            label: label.to_string(),
            created_at: now,
            revoked_at: None,
        };
        self.write_key(caller, &key, Deed::KeyCreated).await?;
        Ok(NewKey { key, secret: Secret(secret) })
    }

    /// Ends a key at once; ending it twice is ending it once.
    pub async fn revoke_key(&self, caller: &Caller, id: KeyId) -> Result<ApiKey, DeskError> {
        caller.needs(Scope::KeysWrite)?;
        let key = self.keys(caller).await?.into_iter().find(|key| key.id == id).ok_or(DeskError::NotFound)?;
        if key.revoked_at.is_some() {
            return Ok(key);
        }
        let key = ApiKey { revoked_at: Some(self.now()), ..key };
        self.write_key(caller, &key, Deed::KeyRevoked).await?;
        Ok(key)
    }

    /// The keys that the caller may see.
    pub async fn keys(&self, caller: &Caller) -> Result<Vec<ApiKey>, DeskError> {
        caller.needs(Scope::KeysWrite)?;
        let keys = self.store.keys().await?.into_iter();
        Ok(keys.filter(|key| caller.issuer.is_none() || key.issuer == caller.issuer).collect())
    }

    /// A key's name is fresh and its only change is its end, so two who write it at once agree: nothing is expected.
    async fn write_key(&self, caller: &Caller, key: &ApiKey, deed: Deed) -> Result<(), DeskError> {
        let event = Event { issuer: key.issuer, key: Some(key.id), ..self.event(deed, caller.actor) };
        let change =
            Change { writes: vec![Write::Key(key.clone())], events: vec![event], ..Change::default() };
        self.write(change).await
    }
}
