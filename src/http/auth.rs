//! Who is calling: the bearer key of an agency, checked before a single byte of the body is read.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::desk::{Caller, DeskError};
use crate::domain::key::Scope;
use crate::http::Shared;
use crate::http::client::Client;
use crate::http::problem::Problem;

/// A caller with a valid key that has the scope `N`, within its rate. A handler cannot speak to the desk for an agency
/// without one; the desk asks for the scope again.
pub(crate) struct Agency<N> {
    /// The caller.
    pub(crate) caller: Caller,
    need: PhantomData<fn() -> N>,
}

/// What a route needs a key for.
pub(crate) trait Need {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($name:ident)*) => {
        $(
            /// The scope of this name.
            pub(crate) enum $name {}

            impl Need for $name {
                const SCOPE: Scope = Scope::$name;
            }
        )*
    };
}

needs! { CertificatesRead CertificatesWrite AnnotationsRead AnnotationsWrite AuditRead KeysWrite StaffWrite TicketsWrite }

impl<N: Need> FromRequestParts<Shared> for Agency<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let proven = match bearer(&parts.headers) {
            Some(secret) => api.desk.authenticate(secret).await,
            None => Err(DeskError::Unauthenticated),
        };
        match proven {
            Ok(caller) => {
                caller.key().map_or(Ok(()), |key| api.gates.call(key))?;
                caller.needs(N::SCOPE)?;
                Ok(Self { caller, need: PhantomData })
            }
            Err(DeskError::Unauthenticated) => {
                let client = parts.extensions.get::<Client>();
                client.map_or(Ok(()), |client| api.gates.fail(*client))?;
                Err(Problem::Unauthenticated)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The secret of an `Authorization: Bearer` header (RFC 6750, section 2.1); none where there is more than one header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
    let secret = secret.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && secret.starts_with("vk_")).then_some(secret)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn only_one_bearer_key_of_ours_is_a_secret() {
        let secret = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(secret(&["Bearer vk_abc"]).as_deref(), Some("vk_abc"));
        assert_eq!(secret(&["bearer  vk_abc"]).as_deref(), Some("vk_abc"));
        for none in
            [&[][..], &["vk_abc"], &["Basic vk_abc"], &["Bearer abc"], &["Bearer vk_a", "Bearer vk_b"]]
        {
            assert_eq!(secret(none), None, "{none:?}");
        }
    }
}
