//! A key from a file: held in memory by ring, for development and for small houses without a device.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};

use super::{KeyError, Scheme, SealKey};
use crate::seal::check::chain::certifies;
use crate::seal::{der, pem};

/// A private key that was read from PEM text.
pub struct FileKey {
    pair: Pair,
    chain: Vec<Vec<u8>>,
    random: SystemRandom,
}

enum Pair {
    Ecdsa(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

impl FileKey {
    /// Reads a key (PKCS#8) and its chain (certificates, the seal certificate first). Fails where either is not
    /// what it should be, the first certificate is not the key's, or the chain does not link.
    pub fn load(key_pem: &str, chain_pem: &str) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let pair = read_key(key_pem, &random)?;
        let chain = pem::certificates(chain_pem).map_err(|_| KeyError::NotPem("the chain file"))?;
        let seal_certificate = chain.first().ok_or(KeyError::EmptyChain)?;
        let quoted = der::quote(seal_certificate).ok_or(KeyError::NotACertificate)?;
        if quoted.key_bits != pair.public_key() {
            return Err(KeyError::KeyMismatch);
        }
        for (place, link) in chain.windows(2).enumerate() {
            if !certifies(&link[1], &link[0]) {
                return Err(KeyError::ChainBroken(place + 1));
            }
        }
        Ok(Self { pair, chain, random })
    }
}

fn read_key(text: &str, random: &SystemRandom) -> Result<Pair, KeyError> {
    let blocks = pem::blocks(text).map_err(|_| KeyError::NotPem("the key file"))?;
    // `openssl ecparam -genkey` puts the name of the curve before the key; it says nothing new.
    let mut keys = blocks.iter().filter(|block| block.label != "EC PARAMETERS");
    let (Some(block), None) = (keys.next(), keys.next()) else {
        let advice = "put exactly one key into the file, and the certificates into a file of their own";
        return Err(KeyError::NotPkcs8 { found: "several".into(), advice });
    };
    if block.label != "PRIVATE KEY" {
        let advice = match block.label {
            "ENCRYPTED PRIVATE KEY" => "decrypt it by: openssl pkcs8 -in KEY -out KEY.pem",
            "EC PRIVATE KEY" | "RSA PRIVATE KEY" => {
                "convert it by: openssl pkcs8 -topk8 -nocrypt -in KEY -out KEY.pem"
            }
            _ => "this is not a private key",
        };
        return Err(KeyError::NotPkcs8 { found: block.label.to_owned(), advice });
    }
    if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &block.content, random) {
        return Ok(Pair::Ecdsa(Box::new(pair)));
    }
    match RsaKeyPair::from_pkcs8(&block.content) {
        Ok(pair) if (256..=512).contains(&pair.public().modulus_len()) => Ok(Pair::Rsa(Box::new(pair))),
        _ => Err(KeyError::Unsupported),
    }
}

impl Pair {
    fn public_key(&self) -> &[u8] {
        match self {
            Self::Ecdsa(pair) => pair.public_key().as_ref(),
            Self::Rsa(pair) => pair.public_key().as_ref(),
        }
    }
}

impl SealKey for FileKey {
    fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    fn scheme(&self) -> Scheme {
        match self.pair {
            Pair::Ecdsa(_) => Scheme::EcdsaP256Sha256,
            Pair::Rsa(_) => Scheme::RsaPkcs1Sha256,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let refused = |error: ring::error::Unspecified| KeyError::Refused(Box::new(error));
        match &self.pair {
            Pair::Ecdsa(pair) => Ok(pair.sign(&self.random, message).map_err(refused)?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature).map_err(refused)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKey({:?}, {} certificates)", self.scheme(), self.chain.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::seal::trial::{
        Authority, RSA_2048, RSA_3072, RSA_4096, authority_params, rsa_key, seal_params,
    };

    fn refusal(key: &str, chain: &str) -> String {
        FileKey::load(key, chain).unwrap_err().to_string()
    }

    fn chain_of(pair: &rcgen::KeyPair) -> String {
        seal_params().self_signed(pair).unwrap().pem()
    }

    #[test]
    fn p256_and_rsa_keys_of_three_sizes_load() {
        let root = Authority::root("根");
        assert_eq!(root.certify(&seal_params()).scheme(), Scheme::EcdsaP256Sha256);
        for text in [RSA_2048, RSA_3072, RSA_4096] {
            let key = root.certify_key(&seal_params(), &rsa_key(text));
            assert_eq!((key.scheme(), key.chain().len()), (Scheme::RsaPkcs1Sha256, 2));
            assert!(key.sign(b"message").unwrap().len() >= 256);
        }
    }

    #[test]
    fn other_keys_are_refused_with_advice() {
        let chain = chain_of(&rcgen::KeyPair::generate().unwrap());
        for (key, words) in [
            (include_str!("../../../tests/keys/rsa-1024.key.pem"), "2048 to 4096"),
            (include_str!("../../../tests/keys/p384.key.pem"), "P-256"),
            (include_str!("../../../tests/keys/p256-sec1.key.pem"), "openssl pkcs8 -topk8 -nocrypt"),
            (include_str!("../../../tests/keys/p256-encrypted.key.pem"), "decrypt"),
            (chain.as_str(), "not a private key"),
            (&[RSA_2048, RSA_3072].concat(), "exactly one key"),
            ("no armour", "not PEM"),
        ] {
            let message = refusal(key, &chain);
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_chain_must_be_the_keys_own_and_link() {
        let (pair, other) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
        let text = pair.serialize_pem();
        assert!(matches!(FileKey::load(&text, &chain_of(&other)), Err(KeyError::KeyMismatch)));
        assert!(matches!(FileKey::load(&text, "nothing"), Err(KeyError::NotPem(_))));
        let garbage = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        assert!(matches!(FileKey::load(&text, garbage), Err(KeyError::NotACertificate)));

        // Same name above, another key.
        let (right, wrong) = (Authority::root("根"), Authority::root("根"));
        let whole = right.certify_authority(authority_params("中间"));
        assert_eq!(whole.certify_key(&seal_params(), &pair).chain().len(), 3);
        let certificate = chain_of(&pair);
        assert!(matches!(
            FileKey::load(&text, &[certificate.as_str(), &wrong.pem].concat()),
            Err(KeyError::ChainBroken(1))
        ));
        assert!(matches!(
            FileKey::load(&text, &[certificate.as_str(), "-----BEGIN CERTIFICATE-----\n*"].concat()),
            Err(KeyError::NotPem(_))
        ));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let key = Authority::root("根").certify(&seal_params());
        assert_eq!(format!("{key:?}"), "FileKey(EcdsaP256Sha256, 2 certificates)");
    }
}
