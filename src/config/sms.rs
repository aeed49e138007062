//! Where short messages go: the section `sms`.

use std::fmt;

use zeroize::Zeroizing;

use crate::config::home::{Address, authorities, secret};
use crate::config::reader::Reader;

/// A gateway for short messages; see the README for what it is asked.
#[derive(Clone)]
pub struct Sms {
    /// Its address.
    pub url: String,
    /// The key that both know.
    pub key: Zeroizing<String>,
    /// Certificates in PEM of the only authorities that may vouch for it; where none, those of the system.
    pub authorities: Option<String>,
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sms({})", self.url)
    }
}

/// The least characters of a key: 128 bits in base64 and more.
const KEY_MIN: usize = 24;

/// The section `sms`; none where no gateway is set.
pub(super) fn sms(reader: &mut Reader<'_>) -> Option<Sms> {
    reader.section("sms", |sms| {
        let (url, key) = (sms.text("url"), secret(sms, "key"));
        let authorities = sms.text("ca_file").and_then(|file| authorities(sms, &file));
        let (url, key) = match (url, key) {
            (Some(url), Some(key)) => (url, key),
            (None, None) => return None,
            _ => {
                sms.wrong("url", "url and key (or key_file) belong together: set both");
                return None;
            }
        };
        let near = url.starts_with("http://") && Address::of(&url).is_near();
        if !url.starts_with("https://") && !near {
            sms.wrong("url", "must begin with https:// (or http:// on this machine)");
        }
        if key.len() < KEY_MIN {
            sms.wrong(
                "key",
                format_args!("must have at least {KEY_MIN} characters: openssl rand -base64 32"),
            );
        }
        Some(Sms { url, key, authorities })
    })
}
