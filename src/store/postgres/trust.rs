//! Whether a server was refused for what it is, and not for being away: then asking again does not help.

use std::error::Error;
use std::io;

/// Whether the certificate of the other side is not believed, or it has none.
pub(crate) fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let is_cause = matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
            || matches!(error.downcast_ref(), Some(sqlx::Error::Tls(_)));
        if is_cause {
            return true;
        }
        // What an I/O error holds is not its source.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    false
}
