//! What the calls of the matrix are about, and the people who make them.

use serde_json::{Value, json};

use crate::call::Answer;
use crate::people::{PASSWORD, Person};
use crate::records::{HUNAN, exempt_record, record, record_of};
use crate::service::Service;
use crate::stories::matrix::Row;
use crate::stories::tickets::opened;

/// What the calls are about, all of it Hunan's and of one holder.
pub(super) struct World {
    pub(super) service: Service,
    pub(super) record: Value,
    pub(super) certificate: String,
    pub(super) exempt: String,
    pub(super) suspended: String,
    pub(super) annotation: String,
    pub(super) revoked: String,
    pub(super) code: String,
    pub(super) key: String,
    /// A staff member of Hunan, ended.
    pub(super) staff: String,
    /// Their invitation, which is over.
    pub(super) invitation: String,
    pub(super) ticket: String,
    /// A draft of the holder.
    pub(super) case: String,
}

impl World {
    pub(super) fn new() -> Self {
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
        let form = json!({"login": "ended", "name": "甲", "mobile": "13700000001", "role": "auditor",
            "level": "ministry", "issuer": HUNAN});
        let invited = service.post("/api/v1/admin/staff", &form).expect(201);
        let staff = invited["staff"]["id"].as_str().unwrap().to_owned();
        service.post(&format!("/api/v1/admin/staff/{staff}/end"), &json!({})).expect(200);
        let invitation = invited["link"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let mut exempt = exempt_record(2);
        exempt["holder"] = record["holder"].clone();
        let (exempt, suspended) = (service.enter(&exempt), service.enter(&record_of(3, HUNAN)));
        service.sign_up(&record_of(3, HUNAN), "13800000003");
        let case = crate::stories::matrix::filings::draft(&service);
        let ticket = opened(&service, 4, "13800000004", b"%PDF-1.7");
        Self {
            annotation: id(&copy),
            revoked: id(&revoked),
            code: copy["code"].as_str().unwrap().to_owned(),
            key: key["id"].as_str().unwrap().to_owned(),
            staff,
            invitation,
            ticket,
            case,
            service,
            record,
            certificate,
            exempt,
            suspended,
        }
    }

    /// A fresh session of the holder.
    pub(super) fn holder(&self) -> String {
        Person::holding(&self.service, &self.record).token
    }

    /// A fresh session of another holder, who has no certificate.
    pub(super) fn other_holder(&self) -> String {
        Person::made(&self.service, &json!({"kind": "holder", "name": "甲"})).token
    }

    /// A fresh session of a holder who did not accept the notice.
    pub(super) fn newcomer(&self) -> String {
        let account = record_of(3, HUNAN)["holder"]["id_number"].as_str().unwrap().to_owned();
        self.service.log_in(&account, PASSWORD).token
    }

    pub(super) fn ask(&self, row: &Row, key: Option<&str>) -> Answer {
        let call = (row.call)(self);
        key.map_or_else(|| call.clone(), |key| call.clone().key(key)).send(&self.service)
    }
}
