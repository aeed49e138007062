//! What is handed to somebody and comes back: sealed, so that nothing has to be kept of it, and every node with the same
//! master key reads what another gave.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf;

use crate::store::Fault;

/// Names one thing that was sealed, drawn by chance.
pub(super) type Serial = [u8; NONCE_LEN];

/// Longest text that is looked at; ours are shorter.
const LONGEST: usize = 200;

/// Seals with a key of its own for each purpose.
pub(super) struct Sealer(Option<LessSafeKey>);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// The key for a purpose, derived from the master key.
    pub(super) fn new(master: &[u8; 32], purpose: &str) -> Self {
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, b"vermilion").extract(master);
        let key = derived
            .expand(&[purpose.as_bytes()], &AES_256_GCM)
            .map(|okm| LessSafeKey::new(UnboundKey::from(okm)));
        Self(key.ok())
    }

    /// The sealed text.
    pub(super) fn seal(&self, serial: Serial, plain: &[u8]) -> Result<String, Fault> {
        let failed = || Fault::new("sealing what comes back", "the cipher refused");
        let key = self.0.as_ref().ok_or_else(failed)?;
        let mut sealed = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(serial), Aad::empty(), &mut sealed)
            .map_err(|_| failed())?;
        Ok(URL_SAFE_NO_PAD.encode([&serial[..], &sealed].concat()))
    }

    /// What was sealed; none where it was not sealed here.
    pub(super) fn open(&self, text: &str) -> Option<(Serial, Vec<u8>)> {
        let bytes = URL_SAFE_NO_PAD.decode(text.get(..text.len().min(LONGEST))?).ok()?;
        let (serial, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*serial);
        let opened = self.0.as_ref()?.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        Some((*serial, opened.to_vec()))
    }
}
