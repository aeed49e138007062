//! Every route × every caller. The routes come from the published document: one without a row fails, and so does a row
//! without a route.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::document::Document;
use crate::records::{HUNAN, SICHUAN, exempt_record, record, record_of};
use crate::service::{Service, order};

/// Who may call a route.
#[derive(Clone, Copy)]
enum Access {
    /// Anybody, with or without a key.
    Anybody,
    /// Whoever has this scope.
    Scope(&'static str),
}
use Access::{Anybody, Scope};

/// What an agency of another issuer is told.
#[derive(Clone, Copy)]
enum Foreign {
    /// That there is nothing.
    NotFound,
    /// Its own business, which is none.
    OwnOnly,
    /// That the record is not its own.
    Refused,
}

/// One route, how it is called, and what becomes of it.
struct Row {
    route: &'static str,
    access: Access,
    /// The call, without any key.
    call: fn(&World) -> Call,
    /// The status where everything fits.
    status: u16,
    foreign: Foreign,
}

fn rows() -> Vec<Row> {
    let row = |route, access, status, foreign, call| Row { route, access, call, status, foreign };
    let get = |route, access, status, foreign, call| row(route, access, status, foreign, call);
    use Foreign::{NotFound, OwnOnly, Refused};
    vec![
        get("GET /healthz", Anybody, 200, OwnOnly, |_| Call::get("/healthz")),
        get("GET /readyz", Anybody, 200, OwnOnly, |_| Call::get("/readyz")),
        get("GET /metrics", Anybody, 200, OwnOnly, |_| Call::get("/metrics")),
        get("GET /openapi.json", Anybody, 200, OwnOnly, |_| Call::get("/openapi.json")),
        get("GET /api/v1/verify/{code}", Anybody, 200, OwnOnly, |world| {
            Call::get(&format!("/api/v1/verify/{}", world.code))
        }),
        row("POST /api/v1/verify/document", Anybody, 200, OwnOnly, |_| {
            Call::post("/api/v1/verify/document").body("application/pdf", b"no pdf")
        }),
        row("POST /dev/keys", Anybody, 200, OwnOnly, |_| {
            Call::post("/dev/keys").json(&json!({"scopes": ["audit:read"], "issuer": "*"}))
        }),
        row("POST /dev/clock", Anybody, 200, OwnOnly, |_| {
            Call::post("/dev/clock").json(&json!({"advance": "PT1S"}))
        }),
        get("GET /dev/outbox", Anybody, 200, OwnOnly, |_| Call::get("/dev/outbox?to=nobody")),
        row("POST /api/v1/admin/certificates", Scope("certificates:write"), 200, Refused, |world| {
            Call::post("/api/v1/admin/certificates").json(&world.record)
        }),
        row("POST /api/v1/admin/certificates/batch", Scope("certificates:write"), 200, OwnOnly, |world| {
            let line = world.record.to_string();
            Call::post("/api/v1/admin/certificates/batch").body("application/x-ndjson", line.as_bytes())
        }),
        get("GET /api/v1/admin/certificates", Scope("certificates:read"), 200, OwnOnly, |_| {
            Call::get("/api/v1/admin/certificates")
        }),
        get("GET /api/v1/admin/certificates/{id}", Scope("certificates:read"), 200, NotFound, |world| {
            Call::get(&format!("/api/v1/admin/certificates/{}", world.certificate))
        }),
        get(
            "GET /api/v1/admin/certificates/{id}/document",
            Scope("annotations:read"),
            200,
            NotFound,
            |world| Call::get(&format!("/api/v1/admin/certificates/{}/document", world.exempt)),
        ),
        row(
            "POST /api/v1/admin/certificates/{id}/status",
            Scope("certificates:write"),
            200,
            NotFound,
            |world| {
                let path = format!("/api/v1/admin/certificates/{}/status", world.suspended);
                Call::post(&path).json(&json!({"status": "suspended", "reason": "核查"}))
            },
        ),
        row(
            "POST /api/v1/admin/certificates/{id}/annotations",
            Scope("annotations:write"),
            202,
            NotFound,
            |world| {
                let path = format!("/api/v1/admin/certificates/{}/annotations", world.certificate);
                // Under one key all callers together could still order once each: the quota bounds the rest.
                Call::post(&path).header("Idempotency-Key", "matrix").json(&order(1))
            },
        ),
        get("GET /api/v1/admin/annotations", Scope("annotations:read"), 200, OwnOnly, |_| {
            Call::get("/api/v1/admin/annotations")
        }),
        get("GET /api/v1/admin/annotations/{id}", Scope("annotations:read"), 200, NotFound, |world| {
            Call::get(&format!("/api/v1/admin/annotations/{}", world.annotation))
        }),
        get(
            "GET /api/v1/admin/annotations/{id}/document",
            Scope("annotations:read"),
            200,
            NotFound,
            |world| Call::get(&format!("/api/v1/admin/annotations/{}/document", world.annotation)),
        ),
        get("GET /api/v1/admin/annotations/{id}/evidence", Scope("audit:read"), 200, NotFound, |world| {
            Call::get(&format!("/api/v1/admin/annotations/{}/evidence", world.annotation))
        }),
        row(
            "POST /api/v1/admin/annotations/{id}/revocation",
            Scope("annotations:write"),
            409,
            NotFound,
            |world| {
                let path = format!("/api/v1/admin/annotations/{}/revocation", world.revoked);
                Call::post(&path).json(&json!({}))
            },
        ),
        row(
            "POST /api/v1/admin/annotations/{id}/retry",
            Scope("annotations:write"),
            409,
            NotFound,
            |world| {
                Call::post(&format!("/api/v1/admin/annotations/{}/retry", world.annotation)).json(&json!({}))
            },
        ),
        get("GET /api/v1/admin/queue", Scope("annotations:read"), 200, OwnOnly, |_| {
            Call::get("/api/v1/admin/queue")
        }),
        get("GET /api/v1/admin/audit", Scope("audit:read"), 200, OwnOnly, |_| {
            Call::get("/api/v1/admin/audit")
        }),
        row("POST /api/v1/admin/keys", Scope("keys:write"), 201, Refused, |_| {
            let form = json!({"scopes": ["keys:write"], "issuer": HUNAN, "label": "matrix"});
            Call::post("/api/v1/admin/keys").json(&form)
        }),
        get("GET /api/v1/admin/keys", Scope("keys:write"), 200, OwnOnly, |_| Call::get("/api/v1/admin/keys")),
        row("POST /api/v1/admin/keys/{id}/revocation", Scope("keys:write"), 200, NotFound, |world| {
            Call::post(&format!("/api/v1/admin/keys/{}/revocation", world.key)).json(&json!({}))
        }),
        // Last: it empties the store under everybody's feet.
        row("POST /dev/reset", Anybody, 200, OwnOnly, |_| Call::post("/dev/reset").json(&json!({}))),
    ]
}

/// What the calls are about, all of it Hunan's.
struct World {
    service: Service,
    record: Value,
    certificate: String,
    exempt: String,
    suspended: String,
    annotation: String,
    revoked: String,
    code: String,
    key: String,
}

impl World {
    fn new() -> Self {
        let service = Service::start();
        let record = record(1);
        let certificate = service.enter(&record);
        let copy = service.copy(&certificate, 90);
        let revoked = service.copy(&certificate, 90);
        let id = |annotation: &Value| annotation["id"].as_str().unwrap().to_owned();
        let revocation = format!("/api/v1/admin/annotations/{}/revocation", id(&revoked));
        service.post(&revocation, &json!({})).expect(200);
        let form = json!({"scopes": ["audit:read"], "issuer": HUNAN, "label": "to be ended"});
        let key = service.post("/api/v1/admin/keys", &form).expect(201);
        service.plant(key["key"].as_str().unwrap());
        let (exempt, suspended) = (service.enter(&exempt_record(2)), service.enter(&record_of(3, HUNAN)));
        Self {
            annotation: id(&copy),
            revoked: id(&revoked),
            code: copy["code"].as_str().unwrap().to_owned(),
            key: key["id"].as_str().unwrap().to_owned(),
            service,
            record,
            certificate,
            exempt,
            suspended,
        }
    }

    fn ask(&self, row: &Row, key: Option<&str>) -> Answer {
        let call = (row.call)(self);
        key.map_or_else(|| call.clone(), |key| call.clone().key(key)).send(&self.service)
    }
}

const SCOPES: [&str; 6] = [
    "certificates:read",
    "certificates:write",
    "annotations:read",
    "annotations:write",
    "audit:read",
    "keys:write",
];

#[test]
fn every_route_answers_every_caller_as_its_row_says() {
    let world = World::new();
    let service = &world.service;
    let rows = rows();
    let documented: BTreeSet<String> = Document::published(service.address())
        .operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    let listed: BTreeSet<String> = rows.iter().map(|row| row.route.to_owned()).collect();
    let without_row: Vec<_> = documented.difference(&listed).collect();
    let without_route: Vec<_> = listed.difference(&documented).collect();
    assert!(
        without_row.is_empty() && without_route.is_empty(),
        "no row: {without_row:?}; no route: {without_route:?}"
    );

    let never_made = format!("vk_{}", "A".repeat(43));
    let foreign = service.new_key(&["*"], SICHUAN);
    let everything = service.new_key(&["*"], HUNAN);
    for row in &rows {
        let Scope(scope) = row.access else {
            for key in [None, Some(never_made.as_str()), Some(everything.as_str())] {
                if row.route != "POST /dev/reset" || key.is_none() {
                    let answer = world.ask(row, key);
                    assert_eq!(answer.status, row.status, "{}: {answer}", row.route);
                }
            }
            continue;
        };
        world.ask(row, None).problem(401, "unauthenticated");
        world.ask(row, Some(&never_made)).problem(401, "unauthenticated");
        let others: Vec<&str> = SCOPES.into_iter().filter(|other| *other != scope).collect();
        let problem = world.ask(row, Some(&service.new_key(&others, HUNAN))).problem(403, "scope-missing");
        assert_eq!(problem["scope"], scope, "{}", row.route);

        match row.foreign {
            Foreign::NotFound => drop(world.ask(row, Some(&foreign)).problem(404, "not-found")),
            Foreign::Refused => {
                assert!(!world.ask(row, Some(&foreign)).wrong_fields().is_empty(), "{}", row.route)
            }
            Foreign::OwnOnly => {
                let text = world.ask(row, Some(&foreign)).text();
                for name in [&world.certificate, &world.annotation, &world.exempt, &world.key] {
                    assert!(!text.contains(name.as_str()), "{}: a foreigner sees {name}", row.route);
                }
            }
        }

        let only = service.new_key(&[scope], HUNAN);
        for key in [&only, &everything] {
            let answer = world.ask(row, Some(key));
            assert_eq!(answer.status, row.status, "{}: {answer}", row.route);
        }
    }
}
