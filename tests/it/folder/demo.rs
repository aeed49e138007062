//! The demo, as a new user runs it: one command, one sealed certificate that every judge accepts.

use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::call::Call;
use crate::command;
use crate::judges::{Exhibit, dense, totp};
use crate::people::Person;
use crate::service::{Service, until};

/// A demo that has run.
struct Demo {
    folder: Arc<TempDir>,
    answer: Value,
    bytes: Vec<u8>,
}

fn demo() -> Demo {
    let folder = Arc::new(TempDir::new().unwrap());
    let (out, data) = (folder.path().join("out"), folder.path().join("data"));
    let args = ["demo", "--once", "--json", "--out", out.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let answer = command::run(&args).json();
    let bytes = std::fs::read(out.join("annotated.pdf")).unwrap();
    Demo { folder, answer, bytes }
}

#[test]
fn the_demo_makes_a_certificate_that_every_judge_accepts() {
    let Demo { folder, answer, bytes } = demo();
    let text = |field: &str| answer[field].as_str().unwrap_or_else(|| panic!("{field} of {answer}"));

    let chain = std::fs::read_to_string(text("issuer_chain")).unwrap();
    let root = chain.rfind("-----BEGIN CERTIFICATE-----").unwrap();
    let root_file = folder.path().join("root.pem");
    std::fs::write(&root_file, &chain[root..]).unwrap();
    let exhibit = Exhibit::judged_by(&bytes, &root_file);
    exhibit.assert_accepted();

    assert!(std::fs::read(text("document")).unwrap() == bytes, "document names the file");
    let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(text("document_sha256"), digest);
    assert!(answer["timings_ms"].as_object().is_some_and(|timings| !timings.is_empty()), "{answer}");

    assert_eq!(exhibit.qr_codes(), [text("verify_url")]);
    assert!(text("verify_url").contains(&format!("/v/{}", text("code"))));
    let page = exhibit.text();
    for words in ["使用场景", "加注有效期", "本人调用", "管理号", "批准日期"] {
        assert!(page.contains(&dense(words)), "{words} is not on the page:\n{page}");
    }
    assert!(page.contains(text("code")), "the code is printed in groups, white space apart:\n{page}");
}

#[test]
fn the_link_of_the_demo_answers_genuine_once_its_folder_is_served() {
    let Demo { folder, answer, bytes } = demo();
    // The demo was made in real time.
    let service = Service::start_as(folder, "all", None);
    assert_eq!(service.verdict(answer["code"].as_str().unwrap()), "genuine");
    assert_eq!(service.judge_file(&bytes)["verdict"], "genuine");
    let id = answer["annotation_id"].as_str().unwrap();
    assert_eq!(service.document(id), bytes);
}

/// A demo that goes on serving, and what it printed.
fn serving(folder: Arc<TempDir>) -> (Service, String) {
    let (out, data) = (folder.path().join("out"), folder.path().join("data"));
    let args = ["demo", "--listen", "127.0.0.1:0", "--out", out.to_str().unwrap(), "--data"];
    let mut command = command::vermilion(&args);
    command.arg(data).env("RUST_LOG", "info").stdout(Stdio::piped()).stderr(Stdio::piped());
    let service = Service::run(command, folder);
    // What it prints comes over two pipes.
    let printed = until(|| Some(service.log()).filter(|log| log.contains("\nunit ")));
    (service, printed.expect("it says nobody's account"))
}

/// Name, password and second factor of somebody whose account the demo printed.
fn account(printed: &str, whose: &str) -> [String; 3] {
    let line =
        printed.lines().find(|line| line.starts_with(&format!("{whose} "))).expect("nobody is called so");
    let (login, rest) = line[whose.len()..].trim().split_once(", password ").unwrap();
    let (password, factor) = rest.split_once(", second factor ").unwrap_or((rest, ""));
    [login, password, factor.split(' ').next().unwrap()].map(str::to_owned)
}

#[test]
fn every_account_that_the_demo_prints_leads_in() {
    let (service, printed) = serving(Arc::new(TempDir::new().unwrap()));
    for kind in ["holder", "unit"] {
        let [login, password, _] = account(&printed, kind);
        assert_eq!(service.log_in(&login, &password).get("/api/v1/me").expect(200)["kind"], kind);
    }
    let [login, password, secret] = account(&printed, "administrator");
    let half = service.try_log_in(&login, &password).expect(202);
    // The demo's clock is the real one.
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let form = json!({"pass": half["pass"], "code": totp(&secret, now.try_into().unwrap())});
    let begun = Call::post("/api/v1/sessions/second-factor").json(&form).send(&service).expect(200);
    let administrator = Person::with(&service, begun["token"].as_str().unwrap());
    let console = Call::get("/console/staff").header("Cookie", &administrator.cookie()).undocumented();
    assert_eq!(console.send(&service).status, 200);

    // The next demo on the same folder knows them, and says their new passwords.
    let (service, again) = serving(service.kill9());
    for kind in ["holder", "unit", "administrator"] {
        let [[login, old, secret], [same, new, factor]] = [account(&printed, kind), account(&again, kind)];
        assert!(login == same && secret == factor, "{kind}");
        service.try_log_in(&login, &old).problem(401, "wrong-credentials");
        let status = service.try_log_in(&login, &new).status;
        assert_eq!(status, if kind == "administrator" { 202 } else { 200 }, "{kind}");
    }
}

#[test]
fn a_demo_on_the_folder_of_an_earlier_one_works_too() {
    let Demo { folder, .. } = demo();
    let (out, data) = (folder.path().join("again"), folder.path().join("data"));
    let args = ["demo", "--once", "--json", "--out", out.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let answer = command::run(&args).json();
    assert!(out.join("annotated.pdf").is_file(), "{answer}");
}
