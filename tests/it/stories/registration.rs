//! Registration: from a draft to a certificate that can be annotated, in every regime, class and business type.

use serde_json::{Value, json};

use crate::filing::{Filed, OTHER_UNIT, Office};
use crate::service::Service;

/// What a business type needs to have happened before.
fn before(office: &Office<'_>, applicant: &crate::filing::Applicant<'_>, filed: &Filed<'_>) {
    let initial = Filed { business: "initial", ..*filed };
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
        "change" => {
            applicant.gets(&initial);
            applicant.moves_to(OTHER_UNIT);
        }
        _ => drop(applicant.gets(&initial)),
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
