//! The published description of the API (OpenAPI 3.1). Each route describes itself where it is written; what all routes
//! share is added here, so that no route can forget it.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
    ServerBuilder,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::Shared;
use crate::http::limits::Class;
use crate::http::problem::body::{Members, ProblemBody, ProblemCertificate, ProblemField};
use crate::http::shapes::header;

/// The name of the security scheme: a bearer key of an agency.
const AGENCY_KEY: &str = "agency_key";

/// The names of the security schemes of people: a session's token, sent as a bearer or kept in a cookie.
const SESSION: &str = "session";
const SESSION_COOKIE: &str = "session_cookie";

/// Which of the optional routes there are.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// `/metrics` among the public routes.
    pub metrics: bool,
    /// The routes of development.
    pub development: bool,
}

/// A route, as the description names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// With its parameters, as `/api/v1/verify/{code}`.
    pub path: String,
    /// Whether it wants an agency's key.
    pub needs_key: bool,
    /// Whether it wants somebody who is logged in.
    pub needs_session: bool,
}

/// The description of the API as it is served under `public_url`.
pub fn document(with: &Parts, public_url: &str) -> OpenApi {
    finish(super::routes(with).into_openapi(), public_url)
}

/// Every route of a description, in its order.
pub fn routes_of(document: &OpenApi) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in
            [("GET", &item.get), ("POST", &item.post), ("PUT", &item.put), ("DELETE", &item.delete)]
        {
            let Some(operation) = operation else { continue };
            let wants = |scheme| wants(operation, scheme);
            let (needs_key, needs_session) = (wants(AGENCY_KEY), wants(SESSION));
            routes.push(Route { method, path: path.clone(), needs_key, needs_session });
        }
    }
    routes
}

/// Whether an operation is proved by a scheme.
fn wants(operation: &Operation, scheme: &str) -> bool {
    let ways = operation.security.iter().flatten();
    let names = ways.filter_map(|way| serde_json::to_value(way).ok());
    names.into_iter().any(|way| way.get(scheme).is_some())
}

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(read_description))
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = serde_json::Value)),
)]
async fn read_description(State(api): State<Shared>) -> impl IntoResponse {
    ([(CONTENT_TYPE, header("application/json".to_owned()))], api.document.clone())
}

/// What the description says before any route.
pub(crate) fn about() -> OpenApi {
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("vk_…")
        .description(Some("An API key of an agency, with scopes, limited to the agency's own certificates."))
        .build();
    let session = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("vs_…")
        .description(Some("The token of somebody logged in."))
        .build();
    let cookie = ApiKeyValue::with_description(
        "__Host-session",
        "The same token, where a browser keeps it; `session` over plain http in development. Calls that change something \
         must come from the service's own pages: Sec-Fetch-Site or Origin says so.",
    );
    let components = ComponentsBuilder::new()
        .security_scheme(SESSION, SecurityScheme::Http(session))
        .security_scheme(SESSION_COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
        .security_scheme(AGENCY_KEY, SecurityScheme::Http(key))
        .schema_from::<ProblemBody>()
        .schema_from::<ProblemField>()
        .schema_from::<ProblemCertificate>()
        .schema_from::<Members>()
        .build();
    let description = "Annotates, seals and verifies electronic professional certificates (朱批). \
        Errors are application/problem+json (RFC 9457) in the language of Accept-Language (zh-CN or en).";
    let tag =
        |name: &str, description: &str| TagBuilder::new().name(name).description(Some(description)).build();
    let tags = [
        tag("public", "Without an account"),
        tag("account", "Accounts, and what everybody with one may do"),
        tag("holder", "For holders of certificates, logged in"),
        tag("agency", "For issuing bodies, by API key"),
        tag("registration", "Filings of persons, confirmed by units, reviewed by authorities"),
        tag("operations", "For those who run the service"),
        tag("development", "Tools that production does not have"),
    ];
    let info = InfoBuilder::new()
        .title("Vermilion")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(description))
        .build();
    OpenApiBuilder::new().info(info).components(Some(components)).tags(Some(tags)).build()
}

/// Adds to every route the problems that it may meet, and where the service lies.
pub(crate) fn finish(mut document: OpenApi, public_url: &str) -> OpenApi {
    document.servers = Some(vec![ServerBuilder::new().url(public_url).build()]);
    for (path, item) in &mut document.paths.paths {
        let PathItem { get, post, put, delete, .. } = item;
        for operation in [get, post, put, delete].into_iter().flatten() {
            add_problems(path, operation);
        }
    }
    document
}

fn add_problems(path: &str, operation: &mut Operation) {
    let has_key = operation.security.is_some();
    let has_session = wants(operation, SESSION);
    // Who holds no certificates has none of these; persons, units and authorities each have their own.
    let is_holders = operation.tags.iter().flatten().any(|tag| tag == "holder" || tag == "registration");
    let forbidden = match has_session {
        true => "`notice-not-accepted`, or `cross-site` for a browser that another site sent",
        false => "`scope-missing`: the key may not do this",
    };
    let has_body = operation.request_body.is_some();
    let has_parameter = |found: fn(&ParameterIn) -> bool| {
        let mut parameters = operation.parameters.iter().flatten();
        parameters.any(|parameter| matches!(parameter, RefOr::T(parameter) if found(&parameter.parameter_in)))
    };
    let names_something = has_parameter(|place| *place == ParameterIn::Path);
    let in_question = has_parameter(|place| *place != ParameterIn::Path);
    let problems = [
        ("400", has_body, "`malformed-json` or `body-broken`"),
        ("401", has_key, "`unauthenticated`: no valid key or session"),
        ("403", has_key, forbidden),
        ("404", has_key && (names_something || is_holders), "`not-found`: no such thing, or another's"),
        ("408", has_body, "`body-timeout`"),
        ("413", has_body, "`too-large`"),
        ("415", has_body, "`unsupported-media-type`"),
        ("422", has_body || in_question || has_key, "`invalid-fields` or another rule's no"),
        ("429", Class::of(path) != Class::Probe, "`too-many-requests`, with Retry-After"),
        ("500", true, "`fault`: the machine failed"),
        ("503", true, "`unavailable`, with Retry-After"),
    ];
    for (status, met, description) in problems {
        if met {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", content)
                .build();
            operation.responses.responses.entry(status.to_owned()).or_insert(response.into());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn whole() -> serde_json::Value {
        let parts = Parts { metrics: true, development: true };
        serde_json::to_value(document(&parts, "https://vermilion.example")).unwrap()
    }

    #[test]
    fn the_description_is_openapi_3_1_and_holds_every_route() {
        let document = whole();
        assert_eq!(document["openapi"], "3.1.0");
        let paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths.len(), 93, "{paths:?}");
    }

    #[test]
    fn every_agency_route_wants_a_key_every_own_route_a_session_and_no_other_either() {
        let parts = Parts { metrics: true, development: true };
        let routes = routes_of(&document(&parts, ""));
        assert!(routes.len() > 48);
        for route in routes {
            assert_eq!(route.needs_key, route.path.starts_with("/api/v1/admin/"), "{route:?}");
            // Regimes are public data.
            let filed = route.path.starts_with("/api/v1/registration/") && !route.path.contains("/regimes");
            let own = route.path.starts_with("/api/v1/me") || route.method == "DELETE" || filed;
            assert_eq!(route.needs_session, own, "{route:?}");
        }
    }

    #[test]
    fn without_their_tools_the_routes_of_development_are_not_there() {
        let parts = Parts { metrics: false, development: false };
        let routes = routes_of(&document(&parts, ""));
        assert!(routes.iter().all(|route| !route.path.starts_with("/dev/") && route.path != "/metrics"));
    }

    #[test]
    fn every_call_has_a_name_of_its_own() {
        let document = whole();
        let mut names = std::collections::HashSet::new();
        for item in document["paths"].as_object().unwrap().values() {
            for call in item.as_object().unwrap().values() {
                let name = call["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name}");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = whole();
        let mut open = vec![&document];
        let mut references = 0;
        while let Some(value) = open.pop() {
            if let Some(target) = value.get("$ref").and_then(|target| target.as_str()) {
                references += 1;
                assert!(document.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target}");
            }
            match value {
                serde_json::Value::Array(items) => open.extend(items),
                serde_json::Value::Object(members) => open.extend(members.values()),
                _ => {}
            }
        }
        assert!(references > 100);
    }
}
