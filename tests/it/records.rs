//! Certificate records to enter: the bundled samples, and as many others as a test wants.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// An issuer of the samples (示例湖南人事考试中心).
pub(crate) const HUNAN: &str = "12430000700000043W";

/// Another (示例四川人事考试中心).
pub(crate) const SICHUAN: &str = "125100007000000516";

/// The bundled samples.
pub(crate) fn samples_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/certificates.ndjson")
}

/// Every bundled sample.
pub(crate) fn samples() -> Vec<Value> {
    let text = std::fs::read_to_string(samples_file()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A record that needs annotation, issued in Hunan; another number is another certificate of another person.
pub(crate) fn record(number: u32) -> Value {
    record_of(number, HUNAN)
}

/// A record of an issuer.
pub(crate) fn record_of(number: u32, issuer: &str) -> Value {
    let surname = ["欧阳", "甯", "李", "司徒", "郭"][number as usize % 5];
    let given = ["静怡", "彧之", "䶮", "明霞", "翀飞"][(number / 5) as usize % 5];
    json!({
        "type": "planner-qualification",
        "management_no": format!("2024092211{number:06}"),
        "title": "注册城乡规划师职业资格证书",
        "level": null,
        "specialty": "城乡规划",
        "holder": {
            "name": format!("{surname}{given}"),
            "id_type": "111",
            "id_number": citizen_number(number),
            "sex": if number % 2 == 1 { "男" } else { "女" },
            "born": "1990-03-07",
        },
        "issuer": {"name": "示例人事考试中心", "uscc": issuer},
        "approved_on": "2024-09-22",
        "issued_on": "2024-11-01",
        "valid_until": null,
        "photo": null,
    })
}

/// A record that is exempt from annotation: issued the day before the rule began.
pub(crate) fn exempt_record(number: u32) -> Value {
    let mut record = record(number);
    record["approved_on"] = json!("2021-09-22");
    record["issued_on"] = json!("2021-12-16");
    record
}

/// A citizen number (GB 11643) of somebody born on 1990-03-07; odd numbers are men's.
fn citizen_number(number: u32) -> String {
    let area = 430_100 + number / 1_000;
    let body = format!("{area:06}19900307{:03}", number % 1_000);
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{body}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
}

/// A portrait of one inch at 300 dots: a grey PNG.
pub(crate) fn portrait() -> Vec<u8> {
    let picture = image::GrayImage::from_fn(295, 413, |x, y| image::Luma([(x * 3 + y) as u8]));
    let mut bytes = Vec::new();
    image::DynamicImage::from(picture)
        .write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png)
        .unwrap();
    bytes
}

/// Base64, as records carry photos.
pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// What base64 stands for.
pub(crate) fn from_base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// A file that nobody sealed.
pub(crate) const UNSIGNED: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R/Size 3>>\nstartxref\n0\n%%EOF\n";

#[test]
fn the_records_of_the_tests_pass_the_rules_of_the_service() {
    use vermilion::desk::record::RecordForm;
    for number in [0, 1, 2, 999, 1_000, 123_456] {
        let form: RecordForm = serde_json::from_value(record_of(number, SICHUAN)).unwrap();
        assert!(form.parse().is_ok(), "record {number}");
    }
}
