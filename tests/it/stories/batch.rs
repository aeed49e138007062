//! Loading many records: the good ones are kept, the bad ones are named by line, with what is wrong.

use serde_json::{Value, json};

use crate::call::Call;
use crate::command;
use crate::records::{base64, portrait, record, samples, samples_file};
use crate::service::Service;

fn load(service: &Service, lines: &[String]) -> Vec<Value> {
    let body = lines.join("\n");
    let call = Call::post("/api/v1/admin/certificates/batch").key(service.key());
    call.body("application/x-ndjson", body.as_bytes()).send(service).lines()
}

/// The code with which a result says no, with the fields that it names.
fn refusal(result: &Value) -> (String, Vec<String>) {
    assert_eq!(result["status"], "refused", "{result}");
    let problem = &result["problem"];
    let kind = problem["type"].as_str().unwrap();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let fields = errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect();
    (kind.rsplit('/').next().unwrap().to_owned(), fields)
}

#[test]
fn good_records_are_kept_and_bad_lines_are_named_in_order() {
    let service = Service::start();
    let good = record(1);
    service.plant_record(&good);
    let mut mistyped = record(2);
    mistyped["holder"]["id_number"] = json!("11010519491231002Y");
    let mut stranger = record(3);
    stranger["remark"] = json!("不该有的字段");
    let mut several = record(4);
    several["title"] = json!("");
    several["approved_on"] = json!("2024-02-30");
    several["issuer"]["uscc"] = json!("1243000070000004");
    let mut again = good.clone();
    again["specialty"] = json!("建筑设计");
    let lines = [
        good.to_string(),
        mistyped.to_string(),
        "{\"type\": ".to_owned(),
        stranger.to_string(),
        several.to_string(),
        good.to_string(),
        again.to_string(),
        "[]".to_owned(),
        record(5).to_string(),
    ];
    let results = load(&service, &lines);
    assert_eq!(results.len(), lines.len());
    for (at, result) in results.iter().enumerate() {
        assert_eq!(result["line"], at + 1);
    }
    let status = |at: usize| results[at - 1]["status"].as_str().unwrap();
    assert_eq!((status(1), status(6), status(7), status(9)), ("created", "unchanged", "updated", "created"));
    assert_eq!(results[0]["certificate_id"], results[5]["certificate_id"]);
    assert_ne!(results[0]["certificate_id"], results[6]["certificate_id"]);

    assert_eq!(refusal(&results[1]).1, ["holder.id_number"]);
    assert_eq!(status(3), "refused");
    assert_eq!(refusal(&results[3]).1, ["remark"]);
    assert_eq!(
        refusal(&results[4]),
        ("invalid-fields".to_owned(), ["title", "issuer.uscc", "approved_on"].map(str::to_owned).into())
    );
    assert_eq!(status(8), "refused");
    let text = results[1].to_string();
    assert!(!text.contains("11010519491231002Y"), "the refused number is not repeated: {text}");

    let kept = service.get("/api/v1/admin/certificates?limit=500").expect(200);
    assert_eq!(kept["items"].as_array().unwrap().len(), 3, "two certificates, one of them twice");
}

#[test]
fn a_line_over_a_mebibyte_is_refused_and_the_next_one_is_read() {
    let service = Service::start();
    let mut long = record(1);
    long["photo"] = json!("A".repeat(1 << 20));
    let results = load(&service, &[long.to_string(), record(2).to_string()]);
    assert_eq!(results[0]["status"], "refused");
    assert_eq!(results[1]["status"], "created");
}

#[test]
fn an_empty_batch_has_an_empty_answer_and_a_missing_newline_at_the_end_is_no_matter() {
    let service = Service::start();
    assert_eq!(load(&service, &[]), Vec::<Value>::new());
    assert_eq!(load(&service, &[record(1).to_string()]).len(), 1);
    let results = load(&service, &[record(2).to_string() + "\r", String::new()]);
    assert_eq!(results[0]["status"], "created");
}

#[test]
fn a_photo_is_checked_and_one_that_is_no_picture_is_refused() {
    let service = Service::start();
    let mut with_photo = record(1);
    with_photo["photo"] = json!(base64(&portrait()));
    let mut no_picture = record(2);
    no_picture["photo"] = json!(base64(b"GIF89a"));
    let mut no_base64 = record(3);
    no_base64["photo"] = json!("***");
    let mut cut = record(4);
    cut["photo"] = json!(base64(&portrait()[..40]));
    let results = load(&service, &[with_photo, no_picture, no_base64, cut].map(|record| record.to_string()));
    assert_eq!(results[0]["status"], "created");
    for refused in &results[1..] {
        assert_eq!(refusal(refused).1, ["photo"]);
    }
    let certificate = results[0]["certificate_id"].as_str().unwrap();
    assert_eq!(
        service.get(&format!("/api/v1/admin/certificates/{certificate}")).expect(200)["has_photo"],
        true
    );
    service.copy(certificate, 90);
}

#[test]
fn the_samples_are_loaded_by_the_command_beside_the_store_and_again_without_change() {
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().join("data");
    let file = samples_file();
    let load = || command::beside(&data, &["import", file.to_str().unwrap()]);
    let first = load();
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.said().contains("300"), "{first:?}");
    assert_eq!(load().code, 0);
}

#[test]
fn the_command_loads_through_a_running_service_and_names_the_refused_lines() {
    let service = Service::start();
    let mut bad = record(2);
    bad["holder"]["id_number"] = json!("123");
    let file = service.scratch("records.ndjson");
    let lines = [record(1), bad, record(3)].map(|record| record.to_string());
    std::fs::write(&file, lines.join("\n")).unwrap();
    let args = ["import", file.to_str().unwrap(), "--server", service.address(), "--key", service.key()];
    let ran = command::run(&args);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.said().lines().any(|line| line.contains('2') && line.contains("holder.id_number")),
        "{ran:?}"
    );
    let kept = service.get("/api/v1/admin/certificates").expect(200);
    assert_eq!(kept["items"].as_array().unwrap().len(), 2);
}

#[test]
fn the_command_reads_csv_with_a_header() {
    let service = Service::start();
    let rows: Vec<String> = [record(1), record(2)]
        .iter()
        .map(|record| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let holder = &record["holder"];
            let cells = [
                &record["type"],
                &record["management_no"],
                &record["title"],
                &record["specialty"],
                &holder["name"],
                &holder["id_type"],
                &holder["id_number"],
                &record["issuer"]["name"],
                &record["issuer"]["uscc"],
                &record["approved_on"],
                &record["issued_on"],
            ];
            cells.map(text).join(",")
        })
        .collect();
    let header = "type,management_no,title,specialty,holder.name,holder.id_type,holder.id_number,issuer.name,issuer.uscc,approved_on,issued_on";
    let file = service.scratch("records.csv");
    std::fs::write(&file, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    let args = ["import", file.to_str().unwrap(), "--server", service.address(), "--key", service.key()];
    let ran = command::run(&args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let kept = service.get("/api/v1/admin/certificates").expect(200);
    assert_eq!(kept["items"].as_array().unwrap().len(), 2);
}

#[test]
fn certificates_are_found_page_by_page_and_by_what_is_known_of_them() {
    let service = Service::start();
    let lines: Vec<String> = samples().iter().take(25).map(Value::to_string).collect();
    assert!(load(&service, &lines).iter().all(|result| result["status"] == "created"));
    let mut found = Vec::new();
    let mut path = "/api/v1/admin/certificates?limit=10".to_owned();
    loop {
        let page = service.get(&path).expect(200);
        let items = page["items"].as_array().unwrap();
        found.extend(items.iter().map(|item| item["management_no"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        assert_eq!(items.len(), 10);
        path = format!("/api/v1/admin/certificates?limit=10&cursor={cursor}");
    }
    let sent: Vec<_> = samples()
        .iter()
        .take(25)
        .map(|record| record["management_no"].as_str().unwrap().to_owned())
        .collect();
    // Many enter at once: which of a batch is first is not promised.
    assert_eq!(sorted(&found), sorted(&sent), "each once");
    let one = service.get(&format!("/api/v1/admin/certificates?management_no={}", sent[7])).expect(200);
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    assert_eq!(one["items"][0]["management_no"], sent[7].as_str());
}

fn sorted(texts: &[String]) -> Vec<&String> {
    let mut sorted: Vec<_> = texts.iter().collect();
    sorted.sort();
    sorted
}
