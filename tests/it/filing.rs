//! Filings at the service's doors: whoever files, confirms and reviews, walked by what a regime says of itself.

use std::io::Cursor;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::Person;
use crate::records::record;
use crate::service::Service;

/// The unit that everybody works for, of region 43, and another one of the same region.
pub(crate) const UNIT: &str = "91430000000000101K";
/// Where people move to.
pub(crate) const OTHER_UNIT: &str = "91430000000000208Y";

/// Everybody who has to do with a filing.
pub(crate) struct Office<'a> {
    pub(crate) service: &'a Service,
    pub(crate) unit: Person<'a>,
    pub(crate) other_unit: Person<'a>,
    pub(crate) province: Person<'a>,
    pub(crate) association: Person<'a>,
    pub(crate) ministry: Person<'a>,
    pub(crate) department: Person<'a>,
}

impl<'a> Office<'a> {
    pub(crate) fn open(service: &'a Service) -> Self {
        let staff = |level: &str| {
            Person::made(service, &json!({"kind": "staff", "name": "审核员", "level": level, "region": "43"}))
        };
        let unit = |uscc: &str, name: &str| {
            Person::made(service, &json!({"kind": "unit", "name": name, "uscc": uscc}))
        };
        Self {
            service,
            unit: unit(UNIT, "示例规划设计院"),
            other_unit: unit(OTHER_UNIT, "示例建设集团"),
            province: staff("province"),
            association: staff("association"),
            ministry: staff("ministry"),
            department: staff("department"),
        }
    }

    /// Somebody with a whole profile who works for [`UNIT`]: the holder of a record.
    pub(crate) fn applicant(&self, number: u32) -> Applicant<'_> {
        let holder = record(number)["holder"].clone();
        self.service.plant(holder["id_number"].as_str().unwrap());
        let mobile = format!("139{number:08}");
        let form = json!({
            "kind": "holder", "name": holder["name"], "id_number": holder["id_number"], "mobile": mobile,
            "complete": true, "employer": UNIT,
        });
        Applicant { office: self, person: Person::made(self.service, &form), mobile, holder }
    }

    /// Whoever acts at the seat that holds a case.
    pub(crate) fn seat(&self, seat: &str, case: &Value) -> &Person<'a> {
        match seat {
            "unit" if case["unit"] == OTHER_UNIT => &self.other_unit,
            "unit" => &self.unit,
            "province" => &self.province,
            "association" => &self.association,
            "ministry" => &self.ministry,
            "department" => &self.department,
            other => panic!("nobody sits at {other}"),
        }
    }

    /// What a regime says of a business type as a class has it.
    pub(crate) fn business(&self, regime: &str, class: &str, business: &str) -> Value {
        let regime = self.service.public(&format!("/api/v1/registration/regimes/{regime}")).expect(200);
        let types = regime["types"].as_array().unwrap().clone();
        let of_class = |one: &Value| one["classes"].as_array().unwrap().contains(&json!(class));
        types.into_iter().find(|one| one["id"] == business && of_class(one)).expect("the class has it")
    }

    /// Acts on a case at whatever stage it is until it has ended, each time with the act that leads on.
    pub(crate) fn decide(&self, case: &Value) -> Value {
        let path = format!("/api/v1/registration/cases/{}", case["id"].as_str().unwrap());
        let mut case = case.clone();
        for _ in 0..12 {
            if case["state"] != "open" {
                return case;
            }
            let seat = case["stage"]["actor"].as_str().unwrap().to_owned();
            let holder = self.seat(&seat, &case);
            let seen = holder.get(&path).expect(200);
            let allowed = seen["allowed_acts"].as_array().unwrap();
            let forward = ["confirm", "accept", "approve", "deliver"];
            let act = forward.into_iter().find(|act| allowed.contains(&json!(act)));
            let act = act.unwrap_or_else(|| panic!("{seat} cannot lead on: {allowed:?}"));
            let body = json!({"act": act, "opinion": format!("{seat}：同意")});
            case = holder.post(&format!("{path}/acts"), &body).expect(200);
        }
        panic!("the case never ends");
    }
}

/// Somebody who files.
pub(crate) struct Applicant<'a> {
    office: &'a Office<'a>,
    pub(crate) person: Person<'a>,
    mobile: String,
    pub(crate) holder: Value,
}

/// What is filed.
#[derive(Clone, Copy)]
pub(crate) struct Filed<'a> {
    pub(crate) regime: &'a str,
    pub(crate) class: &'a str,
    pub(crate) specialty: &'a str,
    pub(crate) business: &'a str,
}

impl<'a> Filed<'a> {
    pub(crate) fn body(&self) -> Value {
        json!({"regime": self.regime, "class": self.class, "type": self.business, "specialty": self.specialty})
    }
}

impl<'a> Applicant<'a> {
    /// Passes the examination for a specialty.
    pub(crate) fn passes(&self, regime: &str, specialty: &str) {
        let passed = json!({"id_number": self.holder["id_number"], "regime": regime, "specialty": specialty});
        Call::post("/dev/qualifications").json(&passed).send(self.office.service).expect(200);
    }

    pub(crate) fn opens(&self, filed: &Filed<'_>) -> Answer {
        self.person.post("/api/v1/registration/cases", &filed.body())
    }

    /// Opens a case and fills it in, so that nothing but the submission is left.
    pub(crate) fn prepares(&self, filed: &Filed<'_>) -> Value {
        let case = self.opens(filed).expect(201);
        self.fills(&case, filed)
    }

    /// Fills in a case with something for every field and every place for a file, and reads its letter.
    pub(crate) fn fills(&self, case: &Value, filed: &Filed<'_>) -> Value {
        let business = self.office.business(filed.regime, filed.class, filed.business);
        let path = format!("/api/v1/registration/cases/{}", case["id"].as_str().unwrap());
        let fields = business["form"].as_array().unwrap();
        let required = fields.iter().filter(|field| field["required"] == true);
        let form: serde_json::Map<_, _> =
            required.map(|field| (field["name"].as_str().unwrap().to_owned(), some_value(field))).collect();
        let mut case = self.put(&format!("{path}/form"), &json!(form)).expect(200);
        for place in business["attachments"].as_array().unwrap().iter().filter(|one| one["required"] == true)
        {
            case = self.attaches(&path, place["kind"].as_str().unwrap(), &SCAN).expect(200);
        }
        if let Some(seconds) = business["commitment"]["seconds"].as_u64() {
            let letter = self.person.post(&format!("{path}/commitment"), &json!({})).expect(200);
            assert!(!letter["clauses"].as_array().unwrap().is_empty());
            self.office.service.advance(&format!("PT{seconds}S"));
        }
        case
    }

    /// What a submission has to say.
    pub(crate) fn submission(&self, filed: &Filed<'_>) -> Value {
        let business = self.office.business(filed.regime, filed.class, filed.business);
        let mut body = json!({"act": "submit"});
        if let Some(version) = business["commitment"]["version"].as_u64() {
            body["commitment"] = json!({"version": version, "accepted": true});
        }
        if business["sms_code"] == true {
            // One a minute.
            self.office.service.advance("PT61S");
            body["code"] = json!(self.office.service.code("submit", &self.mobile));
        }
        body
    }

    pub(crate) fn submits(&self, case: &Value, filed: &Filed<'_>) -> Answer {
        self.acts(case, &self.submission(filed))
    }

    pub(crate) fn acts(&self, case: &Value, body: &Value) -> Answer {
        let id = case["id"].as_str().unwrap();
        self.person.post(&format!("/api/v1/registration/cases/{id}/acts"), body)
    }

    /// Files, and everybody agrees.
    pub(crate) fn gets(&self, filed: &Filed<'_>) -> Value {
        let case = self.prepares(filed);
        let case = self.submits(&case, filed).expect(200);
        let case = self.office.decide(&case);
        assert_eq!(case["state"], "approved", "{case}");
        case
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        Call::new("PUT", path).key(&self.person.token).json(body).send(self.office.service)
    }

    pub(crate) fn attaches(&self, path: &str, kind: &str, file: &[u8]) -> Answer {
        let call = Call::new("PUT", &format!("{path}/attachments/{kind}")).key(&self.person.token);
        call.body("image/png", file).undocumented().send(self.office.service)
    }

    /// Moves to another unit.
    pub(crate) fn moves_to(&self, uscc: &str) {
        let body = json!({"uscc": uscc, "from": "2026-01-01", "contact": "13700000000"});
        self.put("/api/v1/registration/profile/employment", &body).expect(200);
    }
}

fn some_value(field: &Value) -> Value {
    let name = field["name"].as_str().unwrap();
    match field["kind"].as_str().unwrap() {
        "text" if name == "new_name" => json!("欧阳更正"),
        "text" => json!("2024092200000001"),
        "date" if name.ends_with("_to") => json!("2030-12-31"),
        "date" => json!("2026-01-01"),
        "choice" => field["choices"][0].clone(),
        "uscc" => json!(OTHER_UNIT),
        "bool" => json!(false),
        other => panic!("an unknown kind of field: {other}"),
    }
}

/// A PNG of some 235 KB, which fits every place.
pub(crate) static SCAN: LazyLock<Vec<u8>> = LazyLock::new(|| noise(280, 280));

/// A PNG that cannot be made smaller.
pub(crate) fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let picture = image::RgbImage::from_fn(width, height, |_, _| {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        image::Rgb([next(), next(), next()])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
