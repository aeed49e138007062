//! The demo, as a new user runs it: one command, one sealed certificate that every judge accepts.

use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use crate::command;
use crate::judges::{Exhibit, dense};
use crate::service::Service;

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

#[test]
fn a_demo_on_the_folder_of_an_earlier_one_works_too() {
    let Demo { folder, .. } = demo();
    let (out, data) = (folder.path().join("again"), folder.path().join("data"));
    let args = ["demo", "--once", "--json", "--out", out.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let answer = command::run(&args).json();
    assert!(out.join("annotated.pdf").is_file(), "{answer}");
}
