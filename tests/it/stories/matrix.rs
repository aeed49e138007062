//! Every route × every caller. The routes come from the published document: one without a row fails, and so does a row
//! without a route.

mod filings;
mod world;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use crate::call::Call;
use crate::document::Document;
use crate::people::PASSWORD;
use crate::records::{HUNAN, SICHUAN, base64};
use crate::service::order;
use crate::stories::matrix::world::World;

/// Who may call a route.
#[derive(Clone, Copy)]
enum Access {
    /// Anybody, with or without a key.
    Anybody,
    /// Whoever has this scope.
    Scope(&'static str),
    /// Whoever is logged in.
    LoggedIn,
    /// A holder who accepted the service notice.
    Holder,
}
use Access::{Anybody, Holder, LoggedIn, Scope};

/// What an agency of another issuer, or another holder, is told.
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
    let mut rows = filings::rows();
    rows.extend(vec![
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
        row("POST /api/v1/verify/query", Anybody, 422, OwnOnly, |_| {
            let captcha = json!({"captcha_id": "none", "captcha": "", "name": "张三", "id_number": "", "management_no": ""});
            Call::post("/api/v1/verify/query").json(&captcha)
        }),
        row("POST /api/v1/captchas", Anybody, 200, OwnOnly, |_| Call::post("/api/v1/captchas")),
        row("POST /api/v1/verification-codes", Anybody, 202, OwnOnly, |_| {
            // Once a minute to each mobile.
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let mobile = format!("139{:08}", NEXT.fetch_add(1, Ordering::Relaxed));
            Call::post("/api/v1/verification-codes").json(&json!({"purpose": "sign_up", "mobile": mobile}))
        }),
        row("POST /api/v1/accounts", Anybody, 422, OwnOnly, |world| {
            let form = world.service.sign_up_form(&world.record, "13700000000", "000000");
            Call::post("/api/v1/accounts").json(&form)
        }),
        row("POST /api/v1/accounts/recovery", Anybody, 422, OwnOnly, |_| {
            let form =
                json!({"account": "x", "mobile": "13700000000", "code": "000000", "password": PASSWORD});
            Call::post("/api/v1/accounts/recovery").json(&form)
        }),
        row("POST /api/v1/sessions", Anybody, 422, OwnOnly, |_| {
            let form = json!({"account": "x", "password": PASSWORD, "captcha_id": "none", "captcha": ""});
            Call::post("/api/v1/sessions").json(&form)
        }),
        row("POST /api/v1/units", Anybody, 422, OwnOnly, |_| {
            let form = json!({
                "name": "示例设计院", "uscc": SICHUAN, "mobile": "13700000000", "password": PASSWORD, "code": "000000",
            });
            Call::post("/api/v1/units").json(&form)
        }),
        row("POST /api/v1/tickets", Anybody, 422, OwnOnly, |world| {
            let mut form = world.service.sign_up_form(&world.record, "13700000000", "000000");
            form.as_object_mut().unwrap().remove("password");
            form["management_no"] = world.record["management_no"].clone();
            form["scan"] = json!(base64(b"%PDF-1.7"));
            Call::post("/api/v1/tickets").json(&form)
        }),
        row("POST /api/v1/tickets/query", Anybody, 422, OwnOnly, |world| {
            let form =
                json!({"ticket_id": world.ticket, "id_number": "x", "captcha_id": "none", "captcha": ""});
            Call::post("/api/v1/tickets/query").json(&form)
        }),
        row("POST /dev/accounts", Anybody, 200, OwnOnly, |_| {
            Call::post("/dev/accounts").json(&json!({"kind": "holder", "name": "甲"}))
        }),
        row("POST /dev/keys", Anybody, 200, OwnOnly, |_| {
            Call::post("/dev/keys").json(&json!({"scopes": ["audit:read"], "issuer": "*"}))
        }),
        row("POST /dev/clock", Anybody, 200, OwnOnly, |_| {
            Call::post("/dev/clock").json(&json!({"advance": "PT1S"}))
        }),
        row("POST /dev/reminders", Anybody, 200, OwnOnly, |_| Call::post("/dev/reminders")),
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
        row("POST /api/v1/admin/staff", Scope("staff:write"), 422, Refused, |_| {
            // An issuer of nobody: foreign to one, and no credit code to the others.
            let form = json!({"login": "matrix", "name": "甲", "mobile": "13700000000", "role": "auditor",
                "level": "ministry", "issuer": "none"});
            Call::post("/api/v1/admin/staff").json(&form)
        }),
        get("GET /api/v1/admin/staff", Scope("staff:write"), 200, OwnOnly, |_| {
            Call::get("/api/v1/admin/staff")
        }),
        row("POST /api/v1/admin/staff/{id}/invitation", Scope("staff:write"), 422, Refused, |world| {
            // With the scope alone nobody may be invited: what else it takes, the stories of staff tell.
            let form = json!({"unknown": true});
            Call::post(&format!("/api/v1/admin/staff/{}/invitation", world.staff)).json(&form)
        }),
        row("POST /api/v1/admin/staff/{id}/role", Scope("staff:write"), 422, Refused, |world| {
            Call::post(&format!("/api/v1/admin/staff/{}/role", world.staff)).json(&json!({"role": "none"}))
        }),
        row("POST /api/v1/admin/staff/{id}/end", Scope("staff:write"), 200, NotFound, |world| {
            Call::post(&format!("/api/v1/admin/staff/{}/end", world.staff)).json(&json!({}))
        }),
        get("GET /api/v1/invitations/{token}", Anybody, 410, OwnOnly, |world| {
            Call::get(&format!("/api/v1/invitations/{}", world.invitation))
        }),
        row("POST /api/v1/invitations/{token}", Anybody, 410, OwnOnly, |world| {
            let form = json!({"password": PASSWORD, "code": "000000"});
            Call::post(&format!("/api/v1/invitations/{}", world.invitation)).json(&form)
        }),
        row("POST /api/v1/sessions/second-factor", Anybody, 401, OwnOnly, |_| {
            let form = json!({"pass": "none", "code": "000000"});
            Call::post("/api/v1/sessions/second-factor").json(&form)
        }),
        get("GET /api/v1/me/second-factor", Holder, 200, OwnOnly, |_| Call::get("/api/v1/me/second-factor")),
        row("POST /api/v1/me/second-factor", Holder, 401, OwnOnly, |_| {
            let form = json!({"password": PASSWORD, "code": "000000"});
            Call::post("/api/v1/me/second-factor").json(&form)
        }),
        row("POST /api/v1/me/second-factor/removal", Holder, 401, OwnOnly, |_| {
            let form = json!({"password": PASSWORD, "code": "000000"});
            Call::post("/api/v1/me/second-factor/removal").json(&form)
        }),
        // A ticket is no issuer's business: a key of one sees none.
        get("GET /api/v1/admin/tickets", Scope("tickets:write"), 200, OwnOnly, |_| {
            Call::get("/api/v1/admin/tickets")
        }),
        get("GET /api/v1/admin/tickets/{id}", Scope("tickets:write"), 404, NotFound, |world| {
            Call::get(&format!("/api/v1/admin/tickets/{}", world.ticket))
        }),
        get("GET /api/v1/admin/tickets/{id}/scan", Scope("tickets:write"), 404, NotFound, |world| {
            Call::get(&format!("/api/v1/admin/tickets/{}/scan", world.ticket))
        }),
        row("POST /api/v1/admin/tickets/{id}/answer", Scope("tickets:write"), 404, NotFound, |world| {
            let path = format!("/api/v1/admin/tickets/{}/answer", world.ticket);
            Call::post(&path).json(&json!({"outcome": "declined", "words": "无"}))
        }),
        // Of units alone.
        row("POST /api/v1/me/former-names", LoggedIn, 404, OwnOnly, |_| {
            Call::post("/api/v1/me/former-names").json(&json!({"former_names": []}))
        }),
        get("GET /api/v1/me", LoggedIn, 200, OwnOnly, |_| Call::get("/api/v1/me")),
        row("DELETE /api/v1/sessions/current", LoggedIn, 204, OwnOnly, |_| {
            Call::new("DELETE", "/api/v1/sessions/current")
        }),
        row("DELETE /api/v1/sessions", LoggedIn, 204, OwnOnly, |_| Call::new("DELETE", "/api/v1/sessions")),
        row("POST /api/v1/me/password", Holder, 422, OwnOnly, |_| {
            let form = json!({"old_password": PASSWORD, "new_password": "short"});
            Call::post("/api/v1/me/password").json(&form)
        }),
        row("POST /api/v1/me/mobile", Holder, 401, OwnOnly, |_| {
            let form = json!({"mobile": "13700000000", "code": "000000", "password": PASSWORD});
            Call::post("/api/v1/me/mobile").json(&form)
        }),
        row("POST /api/v1/me/email/codes", Holder, 202, OwnOnly, |_| {
            // Once a minute to each address.
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let email = format!("holder{}@example.com", NEXT.fetch_add(1, Ordering::Relaxed));
            Call::post("/api/v1/me/email/codes").json(&json!({"email": email}))
        }),
        row("POST /api/v1/me/email", Holder, 422, OwnOnly, |_| {
            Call::post("/api/v1/me/email").json(&json!({"email": "a@example.com", "code": "000000"}))
        }),
        row("DELETE /api/v1/me/email", Holder, 204, OwnOnly, |_| Call::new("DELETE", "/api/v1/me/email")),
        get("GET /api/v1/me/log", Holder, 200, OwnOnly, |_| Call::get("/api/v1/me/log")),
        get("GET /api/v1/me/export", Holder, 200, OwnOnly, |_| Call::get("/api/v1/me/export")),
        get("GET /api/v1/me/certificates", Holder, 200, OwnOnly, |_| Call::get("/api/v1/me/certificates")),
        get("GET /api/v1/me/certificates/{id}", Holder, 200, NotFound, |world| {
            Call::get(&format!("/api/v1/me/certificates/{}", world.certificate))
        }),
        get("GET /api/v1/me/certificates/{id}/document", Holder, 200, NotFound, |world| {
            Call::get(&format!("/api/v1/me/certificates/{}/document", world.exempt))
        }),
        row("POST /api/v1/me/certificates/{id}/annotations", Holder, 202, NotFound, |world| {
            let path = format!("/api/v1/me/certificates/{}/annotations", world.exempt);
            let form = json!({"scenario": "self_use", "days": 1});
            Call::post(&path).header("Idempotency-Key", "matrix").json(&form)
        }),
        get("GET /api/v1/me/annotations/{id}", Holder, 200, NotFound, |world| {
            Call::get(&format!("/api/v1/me/annotations/{}", world.annotation))
        }),
        get("GET /api/v1/me/annotations/{id}/checks", Holder, 200, NotFound, |world| {
            Call::get(&format!("/api/v1/me/annotations/{}/checks", world.annotation))
        }),
        get("GET /api/v1/me/certificates/{id}/checks", Holder, 200, NotFound, |world| {
            Call::get(&format!("/api/v1/me/certificates/{}/checks", world.certificate))
        }),
        get("GET /api/v1/me/annotations/{id}/events", Holder, 200, NotFound, |world| {
            Call::get(&format!("/api/v1/me/annotations/{}/events", world.annotation))
        }),
        get("GET /api/v1/me/annotations/{id}/document", Holder, 200, NotFound, |world| {
            Call::get(&format!("/api/v1/me/annotations/{}/document", world.annotation))
        }),
        row("POST /api/v1/me/annotations/{id}/revocation", Holder, 409, NotFound, |world| {
            Call::post(&format!("/api/v1/me/annotations/{}/revocation", world.revoked))
        }),
        // After every route that wants it.
        row("POST /api/v1/me/notice", LoggedIn, 200, OwnOnly, |_| Call::post("/api/v1/me/notice")),
        // Last: it empties the store under everybody's feet.
        row("POST /dev/reset", Anybody, 200, OwnOnly, |_| Call::post("/dev/reset").json(&json!({}))),
    ]);
    rows
}

const SCOPES: [&str; 9] = [
    "certificates:read",
    "certificates:write",
    "annotations:read",
    "annotations:write",
    "audit:read",
    "keys:write",
    "staff:write",
    "tickets:write",
    "filings:review",
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
        let scope = match row.access {
            Anybody => {
                let holder = world.holder();
                for key in [None, Some(never_made.as_str()), Some(everything.as_str()), Some(&holder)] {
                    if row.route != "POST /dev/reset" || key.is_none() {
                        let answer = world.ask(row, key);
                        assert_eq!(answer.status, row.status, "{}: {answer}", row.route);
                    }
                }
                continue;
            }
            LoggedIn | Holder => {
                judge_own_route(&world, row, &everything);
                continue;
            }
            Scope(scope) => scope,
        };
        world.ask(row, Some(&world.holder())).problem(401, "unauthenticated");
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
                for name in [&world.certificate, &world.annotation, &world.exempt, &world.key, &world.ticket]
                {
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

/// Holds a route of people against every caller.
fn judge_own_route(world: &World, row: &Row, agency: &str) {
    let never_made = format!("vs_{}", "A".repeat(43));
    for key in [None, Some(never_made.as_str()), Some(agency)] {
        world.ask(row, key).problem(401, "unauthenticated");
    }
    let newcomer = world.ask(row, Some(&world.newcomer()));
    match row.access {
        Holder => drop(newcomer.problem(403, "notice-not-accepted")),
        _ => assert_eq!(newcomer.status, row.status, "{}: {newcomer}", row.route),
    }
    let other = world.ask(row, Some(&world.other_holder()));
    match row.foreign {
        Foreign::NotFound => drop(other.problem(404, "not-found")),
        Foreign::OwnOnly | Foreign::Refused => {
            assert_eq!(other.status, row.status, "{}: {other}", row.route);
            for name in [&world.certificate, &world.annotation, &world.exempt] {
                assert!(!other.text().contains(name.as_str()), "{}: another sees {name}", row.route);
            }
        }
    }
    let holder = world.ask(row, Some(&world.holder()));
    assert_eq!(holder.status, row.status, "{}: {holder}", row.route);
}
