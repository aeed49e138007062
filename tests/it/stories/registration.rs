//! Registration: from a draft to a certificate that can be annotated, in every regime, class and business type.

use serde_json::{Value, json};

use crate::filing::{Filed, OTHER_UNIT, Office};
use crate::service::Service;

/// What a business type needs to have happened before.
fn before(office: &Office<'_>, applicant: &crate::filing::Applicant<'_>, filed: &Filed<'_>) {
    let initial = Filed { business: "initial", ..*filed };
    if filed.class == "interim" {
        return loaded(office, applicant, filed);
    }
    match filed.business {
        "initial" | "enrolment" => {}
        "renewal" => {
            applicant.gets(&initial);
            // Every registration ends within three years at most, and its window opens half a year before.
            let until = registration(applicant, filed)["valid_until"].as_str().unwrap().to_owned();
            let last: chrono::NaiveDate = until.parse().unwrap();
            office.service.set_clock(&format!("{}T10:00:00+08:00", last - chrono::TimeDelta::days(60)));
        }
        "re_registration" => {
            applicant.gets(&initial);
            applicant.gets(&Filed { business: "cancellation", ..*filed });
        }
        "add_specialty" => {
            let regime =
                office.service.public(&format!("/api/v1/registration/regimes/{}", filed.regime)).expect(200);
            let classes = regime["classes"].as_array().unwrap();
            let class = classes.iter().find(|class| class["id"] == filed.class).unwrap();
            let first = Filed { specialty: class["specialties"][1].as_str().unwrap(), ..initial };
            qualify(office.service, applicant, &first);
            applicant.gets(&first);
        }
        "change" => {
            applicant.gets(&initial);
            applicant.moves_to(OTHER_UNIT);
        }
        _ => drop(applicant.gets(&initial)),
    }
}

/// Interim constructors are registered since before: an agency loads their certificates, and they are at the employer whom
/// they name first.
fn loaded(office: &Office<'_>, applicant: &crate::filing::Applicant<'_>, filed: &Filed<'_>) {
    let regime = office.service.public(&format!("/api/v1/registration/regimes/{}", filed.regime)).expect(200);
    let classes = regime["classes"].as_array().unwrap();
    let class = classes.iter().find(|class| class["id"] == filed.class).unwrap();
    let mut record = crate::records::record(1);
    record["type"] = class["certificate"].clone();
    record["management_no"] = json!(format!("99{}", applicant.holder["id_number"].as_str().unwrap()));
    record["holder"] = applicant.holder.clone();
    record["specialty"] = json!(filed.specialty);
    record["valid_until"] = json!(office.service.today() + chrono::TimeDelta::days(60));
    office.service.enter(&record);
    if filed.business == "change" {
        assert_eq!(registration(applicant, filed)["employer"], crate::filing::UNIT);
        applicant.moves_to(OTHER_UNIT);
    }
}

fn registration(applicant: &crate::filing::Applicant<'_>, filed: &Filed<'_>) -> Value {
    let profile = applicant.person.get("/api/v1/registration/profile").expect(200);
    let found = profile["registrations"].as_array().unwrap().iter().find(|one| {
        one["regime"] == filed.regime && one["class"] == filed.class && one["specialty"] == filed.specialty
    });
    found.unwrap_or_else(|| panic!("no registration: {profile}")).clone()
}

#[test]
fn a_planner_files_everybody_agrees_and_the_certificate_is_annotated_a_second_later() {
    let service = Service::start();
    let office = Office::open(&service);
    let applicant = office.applicant(1);
    applicant.passes("planner", "general");
    let filed = Filed { regime: "planner", class: "planner", specialty: "general", business: "initial" };
    let case = applicant.gets(&filed);
    let certificate = case["certificate_id"].as_str().unwrap();
    let held = applicant.person.get(&format!("/api/v1/me/certificates/{certificate}")).expect(200);
    assert_eq!(held["status"], "valid");
    let copy = applicant.person.copy(certificate, 30);
    assert_eq!(service.verdict(copy["code"].as_str().unwrap()), "genuine");
}

/// Every regime, class and business type, each with its first specialty.
fn matrix(service: &Service) -> Vec<[String; 4]> {
    let regimes = service.public("/api/v1/registration/regimes").expect(200);
    let mut rows = Vec::new();
    for regime in regimes["items"].as_array().unwrap() {
        let id = regime["id"].as_str().unwrap();
        let regime = service.public(&format!("/api/v1/registration/regimes/{id}")).expect(200);
        for class in regime["classes"].as_array().unwrap() {
            for business in class["types"].as_array().unwrap() {
                let words = [&regime["id"], &class["id"], &class["specialties"][0], business];
                rows.push(words.map(|word| word.as_str().unwrap().to_owned()));
            }
        }
    }
    rows
}

/// Walks every business type of a regime from its draft to its end.
fn walk(regime: &str) {
    let service = Service::start();
    let rows: Vec<_> = matrix(&service).into_iter().filter(|row| row[0] == regime).collect();
    assert!(!rows.is_empty());
    for (number, [regime, class, specialty, business]) in rows.iter().enumerate() {
        println!("{regime}, {class}, {specialty}, {business}");
        let office = Office::open(&service);
        let filed = Filed { regime, class, specialty, business };
        let applicant = office.applicant(number as u32 + 1);
        let known = qualify(&service, &applicant, &filed);
        before(&office, &applicant, &filed);
        // Where the clock went on for years, everybody logs in again.
        let later = (filed.business == "renewal").then(|| Office::open(&service));
        let applicant = later.as_ref().map_or(applicant, |office| office.applicant(number as u32 + 1));
        let held = if known { held_now(&applicant, &filed) } else { None };
        let case = applicant.gets(&filed);
        after(&applicant, &filed, held.as_ref(), &case);
    }
}

/// Passes what has to be passed, and enters it in the library where the regime has one. Whether a registration follows.
fn qualify(service: &Service, applicant: &crate::filing::Applicant<'_>, filed: &Filed<'_>) -> bool {
    applicant.passes(filed.regime, filed.specialty);
    let regime = service.public(&format!("/api/v1/registration/regimes/{}", filed.regime)).expect(200);
    let classes = regime["classes"].as_array().unwrap();
    let class = classes.iter().find(|class| class["id"] == filed.class).unwrap();
    let has_library = class["types"].as_array().unwrap().contains(&json!("enrolment"));
    if has_library && filed.business != "enrolment" {
        applicant.gets(&Filed { business: "enrolment", ..*filed });
    }
    filed.business != "enrolment"
}

fn held_now(applicant: &crate::filing::Applicant<'_>, filed: &Filed<'_>) -> Option<Value> {
    let profile = applicant.person.get("/api/v1/registration/profile").expect(200);
    let registrations = profile["registrations"].as_array().unwrap();
    registrations
        .iter()
        .find(|one| one["class"] == filed.class && one["specialty"] == filed.specialty)
        .cloned()
}

/// What a business type has done, seen from the holder's side of the register.
fn after(applicant: &crate::filing::Applicant<'_>, filed: &Filed<'_>, held: Option<&Value>, case: &Value) {
    let certificate = |id: &Value| {
        let id = id.as_str().unwrap_or_else(|| panic!("no certificate: {case}"));
        applicant.person.get(&format!("/api/v1/me/certificates/{id}")).expect(200)
    };
    match filed.business {
        "initial" | "add_specialty" | "re_registration" => {
            let granted = certificate(&case["certificate_id"]);
            assert_eq!(granted["status"], "valid");
            let copy = applicant.person.copy(case["certificate_id"].as_str().unwrap(), 7);
            assert_eq!(copy["state"], "ready");
        }
        "change" | "renewal" | "amendment" | "certificate_replacement" => {
            let held = held.unwrap();
            assert_eq!(certificate(&held["certificate_id"])["status"], "superseded");
            assert_eq!(certificate(&case["certificate_id"])["status"], "valid");
            let now = registration(applicant, filed);
            assert_eq!(now["management_no"], held["management_no"], "one registration, another version");
            if filed.business == "change" {
                assert_eq!(now["employer"], OTHER_UNIT);
            }
            if filed.business == "renewal" {
                assert!(now["valid_until"].as_str() > held["valid_until"].as_str());
            }
        }
        "cancellation" => {
            assert_eq!(certificate(&held.unwrap()["certificate_id"])["status"], "cancelled");
        }
        "personal_data_change" | "data_correction" => {
            let me = applicant.person.get("/api/v1/me").expect(200);
            assert_eq!(me["name"], "欧阳更正", "everywhere");
            assert_eq!(certificate(&held.unwrap()["certificate_id"])["status"], "superseded");
            let now = certificate(&registration(applicant, filed)["certificate_id"]);
            assert_eq!((&now["status"], &now["holder"]["name"]), (&json!("valid"), &json!("欧阳更正")));
        }
        "enrolment" => {
            let profile = applicant.person.get("/api/v1/registration/profile").expect(200);
            let qualifications = profile["qualifications"].as_array().unwrap();
            assert!(
                qualifications.iter().any(|one| one["source"] == "enrolment" && one["class"] == filed.class)
            );
        }
        "conversion" => assert!(registration(applicant, filed)["category"].is_string()),
        other => panic!("nobody says what {other} does"),
    }
}

#[test]
fn planners_walk_every_business_type() {
    walk("planner");
}

#[test]
fn constructors_walk_every_business_type() {
    walk("constructor");
}

#[test]
fn architects_walk_every_business_type() {
    walk("architect");
}

#[test]
fn engineers_walk_every_business_type() {
    walk("engineer");
}

#[test]
fn guangdong_walks_every_business_type() {
    walk("guangdong");
}
