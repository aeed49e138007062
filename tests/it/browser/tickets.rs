//! A ticket's way without scripts: from the sign-up that found no match to the answer that its sender reads.

use crate::browser::driver::Browser;
use crate::people::PASSWORD;
use crate::records::{portrait, record};
use crate::service::Service;
use crate::stories::tickets::registrar;

const MOBILE: &str = "13912345678";

#[test]
fn from_no_match_to_the_answer_without_scripts() {
    let service = Service::start();
    let record = record(1);
    service.plant_record(&record);
    service.plant(MOBILE);
    service.plant(PASSWORD);
    let text = |field: &str| record["holder"][field].as_str().unwrap().to_owned();
    let applicant = Browser::without_scripts();
    applicant.open(&format!("{}/sign-up?lang=en", service.address()));
    applicant.find("#name").fill(&text("name"));
    applicant.find("#id_number").fill(&text("id_number"));
    applicant.find("#mobile").fill(MOBILE);
    applicant.control("Send a code").follow();
    applicant.find("#code").fill(&service.sent("sign_up", MOBILE));
    applicant.find("#password").fill(PASSWORD);
    applicant.control("Open the account").follow();
    assert!(applicant.find("[role=alert]").text().contains("No match"));

    applicant.find("#code").fill(&service.sent("sign_up", MOBILE));
    applicant.control("Send a ticket").follow();
    assert_eq!(applicant.heading(), "Send a ticket");
    assert_eq!(applicant.find("#name").property("value"), text("name").as_str(), "what was typed is kept");
    let file = service.scratch("scan.png");
    std::fs::write(&file, portrait()).unwrap();
    applicant.find("#management_no").fill(record["management_no"].as_str().unwrap());
    applicant.find("#words").fill("The name was mistyped");
    applicant.find("#scan").fill(file.to_str().unwrap());
    applicant.control("Send the ticket").follow();
    assert_eq!(applicant.heading(), "How a ticket stands");
    let number = applicant.find("#number").text();

    let staff = Browser::without_scripts();
    staff.open(&format!("{}/login?lang=en", service.address()));
    staff.set_cookie(service.address(), "session", &registrar(&service).token);
    staff.open(&format!("{}/console/tickets?lang=en", service.address()));
    staff.control(&text("name")).follow();
    assert_eq!(staff.heading(), "Ticket · Waiting");
    assert!(staff.find("main").text().contains("The name was mistyped"));
    staff.find("#words").fill("The record was entered");
    staff.find("form[action*=answer] .acts button").follow();
    assert_eq!(staff.heading(), "Ticket · Accepted");

    assert_eq!(applicant.find("#ticket").property("value"), number.as_str());
    applicant.find("#id_number").fill(&text("id_number"));
    let captcha = applicant.find("input[name=captcha_id]").property("value");
    applicant.find("#captcha").fill(&service.answer_to(captcha.as_str().unwrap()));
    applicant.control("Ask").follow();
    assert_eq!(applicant.heading(), "The ticket was accepted");
    assert_eq!(applicant.find("#words").text(), "The record was entered");
    for browser in [&applicant, &staff] {
        let complaints = browser.complaints();
        assert!(complaints.iter().all(|said| said.to_string().contains("422")), "{complaints:?}");
    }
}
