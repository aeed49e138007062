//! The routes of registration. Units and authorities have stories of their own; here every stranger is held off.

use serde_json::{Value, json};

use super::Access::{Anybody, Holder};
use super::Foreign::{NotFound, OwnOnly};
use super::Row;
use super::world::World;
use crate::call::Call;
use crate::filing::{Filed, Office};
use crate::records::portrait;

/// A draft of the holder of a record, with a file.
pub(super) fn draft(service: &crate::service::Service) -> String {
    let office = Office::open(service);
    let applicant = office.applicant(1);
    applicant.passes("planner", "general");
    let filed = Filed { regime: "planner", class: "planner", specialty: "general", business: "initial" };
    let case = applicant.opens(&filed).expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/registration/cases/{case}");
    applicant.attaches(&path, "id_card_front", &portrait()).expect(200);
    case
}

fn put(path: &str, body: &Value) -> Call {
    Call::new("PUT", path).json(body)
}

fn of_case(world: &World, rest: &str) -> String {
    format!("/api/v1/registration/cases/{}{rest}", world.case)
}

pub(super) fn rows() -> Vec<Row> {
    let row = |route, access, status, foreign, call| Row { route, access, call, status, foreign };
    vec![
        row("GET /api/v1/registration/regimes", Anybody, 200, OwnOnly, |_| {
            Call::get("/api/v1/registration/regimes")
        }),
        row("GET /api/v1/registration/regimes/{regime}", Anybody, 200, OwnOnly, |_| {
            Call::get("/api/v1/registration/regimes/planner")
        }),
        row("GET /api/v1/registration/profile", Holder, 200, OwnOnly, |_| {
            Call::get("/api/v1/registration/profile")
        }),
        row("PUT /api/v1/registration/profile", Holder, 200, OwnOnly, |_| {
            put("/api/v1/registration/profile", &json!({"ethnicity": "汉族"}))
        }),
        row("PUT /api/v1/registration/profile/employment", Holder, 422, OwnOnly, |_| {
            let form = json!({"uscc": "91110000802100433B", "from": "2026-01-01"});
            put("/api/v1/registration/profile/employment", &form)
        }),
        row("GET /api/v1/registration/profile/photo", Holder, 200, NotFound, |_| {
            Call::get("/api/v1/registration/profile/photo")
        }),
        row("PUT /api/v1/registration/profile/photo", Holder, 422, OwnOnly, |_| {
            Call::new("PUT", "/api/v1/registration/profile/photo").body("application/octet-stream", b"GIF89a")
        }),
        row("GET /api/v1/registration/profile/signature", Holder, 200, NotFound, |_| {
            Call::get("/api/v1/registration/profile/signature")
        }),
        row("PUT /api/v1/registration/profile/signature", Holder, 422, OwnOnly, |_| {
            let call = Call::new("PUT", "/api/v1/registration/profile/signature");
            call.body("application/octet-stream", b"GIF89a")
        }),
        row("GET /api/v1/registration/companies", Holder, 200, OwnOnly, |_| {
            Call::get("/api/v1/registration/companies?name=%E7%A4%BA%E4%BE%8B")
        }),
        // Of units alone.
        row("GET /api/v1/registration/company", Holder, 404, OwnOnly, |_| {
            Call::get("/api/v1/registration/company")
        }),
        row("PUT /api/v1/registration/company", Holder, 404, OwnOnly, |_| {
            put("/api/v1/registration/company", &json!({"qualifications": []}))
        }),
        row("POST /api/v1/registration/cases", Holder, 409, OwnOnly, |_| {
            let form = json!({"regime": "planner", "type": "initial"});
            Call::post("/api/v1/registration/cases").json(&form)
        }),
        row("GET /api/v1/registration/cases/{id}", Holder, 200, NotFound, |world| {
            Call::get(&of_case(world, ""))
        }),
        row("PUT /api/v1/registration/cases/{id}/form", Holder, 200, NotFound, |world| {
            put(&of_case(world, "/form"), &json!({"category": "执业"}))
        }),
        row("PUT /api/v1/registration/cases/{id}/attachments/{kind}", Holder, 422, NotFound, |world| {
            let call = Call::new("PUT", &of_case(world, "/attachments/id_card_front"));
            call.body("application/octet-stream", b"GIF89a")
        }),
        row("GET /api/v1/registration/cases/{id}/attachments/{kind}", Holder, 200, NotFound, |world| {
            Call::get(&of_case(world, "/attachments/id_card_front")).undocumented()
        }),
        row("DELETE /api/v1/registration/cases/{id}/attachments/{kind}", Holder, 200, NotFound, |world| {
            Call::new("DELETE", &of_case(world, "/attachments/id_card_back"))
        }),
        // Planners read no letter.
        row("POST /api/v1/registration/cases/{id}/commitment", Holder, 409, NotFound, |world| {
            Call::post(&of_case(world, "/commitment")).json(&json!({}))
        }),
        row("POST /api/v1/registration/cases/{id}/acts", Holder, 409, NotFound, |world| {
            Call::post(&of_case(world, "/acts")).json(&json!({"act": "confirm"}))
        }),
        row("POST /api/v1/registration/acts", Holder, 200, OwnOnly, |world| {
            let form = json!({"items": [{"case_id": world.case, "act": "approve"}]});
            Call::post("/api/v1/registration/acts").json(&form)
        }),
        row("GET /api/v1/registration/todo", Holder, 200, OwnOnly, |_| {
            Call::get("/api/v1/registration/todo")
        }),
        row("GET /api/v1/registration/history", Holder, 200, OwnOnly, |_| {
            Call::get("/api/v1/registration/history")
        }),
        row("GET /api/v1/registration/messages", Holder, 200, OwnOnly, |_| {
            Call::get("/api/v1/registration/messages")
        }),
        row("GET /api/v1/registration/log", Holder, 200, OwnOnly, |_| Call::get("/api/v1/registration/log")),
        // Of authorities alone.
        row("GET /api/v1/registration/statistics", Holder, 404, OwnOnly, |_| {
            Call::get("/api/v1/registration/statistics")
        }),
        row("GET /api/v1/registration/anomalies", Holder, 200, OwnOnly, |_| {
            Call::get("/api/v1/registration/anomalies")
        }),
        row("POST /api/v1/registration/anomalies/{id}/defence", Holder, 404, OwnOnly, |world| {
            let path = format!("/api/v1/registration/anomalies/{}/defence", world.case);
            Call::post(&path).json(&json!({"words": "已补缴"}))
        }),
        row("POST /dev/qualifications", Anybody, 422, OwnOnly, |_| {
            let form = json!({"id_number": "1", "regime": "planner", "specialty": "general"});
            Call::post("/dev/qualifications").json(&form)
        }),
        row("POST /dev/social-insurance", Anybody, 422, OwnOnly, |_| {
            Call::post("/dev/social-insurance").json(&json!({"id_number": "1", "status": "normal"}))
        }),
    ]
}
