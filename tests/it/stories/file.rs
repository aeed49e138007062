//! A file that somebody was given, judged without trusting anything in it.

use serde_json::{Value, json};
use vermilion::render::photo::Photo;
use vermilion::render::signature::Signature;
use vermilion::render::{CopyKind, Sheet, Stamp, render};
use vermilion::seal::key::development;
use vermilion::seal::seal;

use crate::call::Call;
use crate::chance::{self, Chance};
use crate::judges::{Exhibit, Pdfsig};
use crate::records::{UNSIGNED, record};
use crate::service::Service;

fn reasons(answer: &Value) -> Vec<&str> {
    let reasons = answer["reasons"].as_array().unwrap().iter();
    reasons.map(|reason| reason["code"].as_str().unwrap()).collect()
}

/// A ready copy and its bytes.
fn sealed(service: &Service) -> (Value, Vec<u8>) {
    let copy = service.copy(&service.enter(&record(1)), 90);
    let bytes = service.document(copy["id"].as_str().unwrap());
    (copy, bytes)
}

#[test]
fn a_copy_as_it_was_issued_passes_every_judge_and_ours() {
    let service = Service::start();
    let (copy, bytes) = sealed(&service);
    let exhibit = Exhibit::new(&bytes);
    exhibit.assert_accepted();
    let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(copy["document_sha256"], digest.as_str());

    let answer = service.judge_file(&bytes);
    assert_eq!(answer["verdict"], "genuine");
    assert_eq!(reasons(&answer), Vec::<&str>::new());
    assert_eq!(answer["document_sha256"], digest.as_str());
    assert_eq!(answer["annotation"]["valid_until"], copy["valid_until"]);
    assert_eq!(answer["signature"]["covers_whole_file"], true);
    assert!(bytes.len() <= 64_000, "{} bytes without a photo", bytes.len());
}

/// The words of a page, as a reader copies them.
fn words(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.pdf");
    std::fs::write(&file, bytes).unwrap();
    let read = std::process::Command::new("pdftotext").arg(&file).arg("-").output().unwrap();
    String::from_utf8(read.stdout).unwrap()
}

#[test]
fn a_registration_of_guangdong_has_a_place_for_the_hand_and_says_what_holds_without() {
    let service = Service::start();
    let mut registration = record(1);
    registration["type"] = json!("guangdong-constructor-registration");
    registration["title"] = json!("二级建造师注册证书");
    let copy = service.copy(&service.enter(&registration), 180);
    let bytes = service.document(copy["id"].as_str().unwrap());
    Exhibit::new(&bytes).assert_accepted();
    let said = words(&bytes);
    for part in ["手写签名", "本证书须由持证人本人手写签名；", "打印件无效。"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let (_, others) = sealed(&service);
    assert!(!words(&others).contains("签名"), "no other print is signed by hand");
}

#[test]
fn a_copy_with_its_holders_signature_passes_every_judge() {
    let day = |text: &str| text.parse().unwrap();
    let mut drawn = image::GrayImage::from_pixel(600, 240, image::Luma([250]));
    for step in 0..5_000_u32 {
        let (x, y) = (60 + step * 480 / 5_000, 120.0 + 80.0 * (f64::from(step) / 170.0).sin());
        (0..20).for_each(|n| drawn.put_pixel(x + n % 4, y as u32 + n / 4, image::Luma([30])));
    }
    let mut png = Vec::new();
    drawn.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    let sheet = Sheet {
        title: "二级建造师注册证书".into(),
        holder_name: "欧阳明华".into(),
        id_number: "11010519491231002X".into(),
        sex: Some("女".into()),
        born: Some(day("1949-12-31")),
        level: Some("二级".into()),
        specialty: Some("建筑工程".into()),
        approved_on: day("2024-09-22"),
        issued_on: day("2024-11-01"),
        valid_until: Some(day("2027-10-31")),
        management_no: "2024092211000000".into(),
        licence_id: "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U".into(),
        issuer: "示例省注册中心".into(),
        photo: Some(Photo::parse(&crate::records::portrait()).unwrap()),
        signature: Some(Signature::parse(&png).unwrap()),
        hand_signature: true,
        stamp: Stamp {
            arc: "示例省注册中心".into(), purpose: "测试专用章".into(), diameter_mm: 42
        },
        copy: CopyKind::Plain,
        made_at: "2026-11-21T15:41:00Z".parse().unwrap(),
    };
    let sealed = seal(render(&sheet).unwrap(), &development::key().unwrap()).unwrap();
    Exhibit::new(sealed.bytes()).assert_accepted();
    assert!(words(sealed.bytes()).contains("无签名，或签名与签名图像不一致的，打印件无效。"));
}

#[test]
fn one_flipped_bit_anywhere_is_seen() {
    let service = Service::start();
    let (_, bytes) = sealed(&service);
    // Ends, middle, and a spread of places between.
    let places = (0..60).map(|step| step * (bytes.len() - 1) / 59);
    for at in places {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let answer = service.judge_file(&changed);
        assert_ne!(answer["verdict"], "genuine", "byte {at}");
        assert!(!reasons(&answer).is_empty(), "byte {at} is rejected without a reason: {answer}");
    }
    let mut changed = bytes.clone();
    let middle = bytes.len() / 2;
    changed[middle] ^= 1;
    assert!(Exhibit::new(&changed).is_rejected(), "the foreign judges see it too");
}

#[test]
fn bytes_appended_are_seen_though_other_readers_call_the_signature_valid() {
    let service = Service::start();
    let (_, mut bytes) = sealed(&service);
    bytes.push(b'\n');
    let answer = service.judge_file(&bytes);
    assert_eq!(answer["verdict"], "tampered");
    assert!(reasons(&answer).contains(&"bytes-after-signature"), "{answer}");
    let pdfsig = Exhibit::new(&bytes).pdfsig();
    assert_eq!(pdfsig, Pdfsig { signatures: 1, valid: true, trusted: true, total: false });
}

#[test]
fn a_later_revision_is_seen() {
    let service = Service::start();
    let (_, bytes) = sealed(&service);
    let answer = service.judge_file(&revised(&bytes));
    assert_eq!(answer["verdict"], "tampered");
    assert!(reasons(&answer).contains(&"later-revision"), "{answer}");
    assert!(answer["reasons"][0]["message"].as_str().unwrap().len() > 20, "{answer}");
}

#[test]
fn an_emptied_or_missing_signature_is_no_signature() {
    let service = Service::start();
    let (_, bytes) = sealed(&service);
    let at = find(&bytes, b"/Contents <").or_else(|| find(&bytes, b"/Contents<")).unwrap();
    let open = at + bytes[at..].iter().position(|byte| *byte == b'<').unwrap() + 1;
    let close = open + bytes[open..].iter().position(|byte| *byte == b'>').unwrap();
    let mut emptied = bytes.clone();
    emptied[open..close].fill(b'0');
    let answer = service.judge_file(&emptied);
    assert_eq!(answer["verdict"], "tampered", "{answer}");

    let mut renamed = bytes.clone();
    let at = find(&bytes, b"/ByteRange").unwrap();
    renamed[at + 1] = b'X';
    let answer = service.judge_file(&renamed);
    assert!(["tampered", "unsigned"].contains(&answer["verdict"].as_str().unwrap()), "{answer}");
}

#[test]
fn what_people_upload_by_mistake_is_told_apart() {
    let service = Service::start();
    assert_eq!(service.judge_file(UNSIGNED)["verdict"], "unsigned");
    let photo = crate::records::portrait();
    for bytes in [&b""[..], b"hello", &photo, b"%PDF-1.7\n", &[0; 4_096]] {
        let answer = service.judge_file(bytes);
        assert_eq!(answer["verdict"], "unreadable", "{answer}");
        assert!(!reasons(&answer).is_empty());
    }
}

#[test]
fn a_file_that_is_too_large_or_of_another_kind_is_not_read() {
    let service = Service::start();
    let send =
        |kind: &str, bytes: &[u8]| Call::post("/api/v1/verify/document").body(kind, bytes).send(&service);
    send("text/plain", b"hello").problem(415, "unsupported-media-type");
    send("application/pdf", &vec![b'x'; (10 << 20) + 1]).problem(413, "too-large");
    assert_eq!(send("application/pdf", &vec![b'x'; 10 << 20]).expect(200)["verdict"], "unreadable");
}

#[test]
fn a_cut_or_scrambled_file_never_makes_the_service_stumble() {
    let service = Service::start();
    let (_, bytes) = sealed(&service);
    let mut chance = Chance::new(chance::seed());
    for _ in 0..100 {
        let mut changed = bytes.clone();
        for _ in 0..1 + chance.below(8) {
            let at = chance.below(changed.len());
            match chance.below(3) {
                0 => changed[at] = chance.below(256) as u8,
                1 => changed.truncate(at.max(1)),
                _ => {
                    let end = (at + chance.below(200)).min(changed.len());
                    let piece = changed[at..end].to_vec();
                    changed.splice(at..at, piece);
                }
            }
        }
        if changed != bytes {
            assert_ne!(service.judge_file(&changed)["verdict"], "genuine");
        }
    }
}

#[test]
fn the_command_judges_a_file_without_the_service() {
    let service = Service::start();
    let (_, bytes) = sealed(&service);
    let judge = |name: &str, bytes: &[u8]| {
        let file = service.scratch(name);
        std::fs::write(&file, bytes).unwrap();
        let root = crate::judges::development_root();
        crate::command::run(&["verify", file.to_str().unwrap(), "--trust", root.to_str().unwrap(), "--json"])
    };
    assert_eq!(judge("good.pdf", &bytes).code, 0);
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    assert_eq!(judge("changed.pdf", &changed).code, 1);
    assert_eq!(judge("text.pdf", b"hello").code, 2);
    let missing = crate::command::run(&["verify", "no-such-file.pdf"]);
    assert_eq!(missing.code, 2, "{missing:?}");
}

#[test]
fn the_evidence_bundle_holds_the_file_and_how_to_check_it() {
    let service = Service::start();
    let (copy, bytes) = sealed(&service);
    let path = format!("/api/v1/admin/annotations/{}/evidence", copy["id"].as_str().unwrap());
    let answer = service.get(&path);
    assert_eq!((answer.status, answer.media_type().as_deref()), (200, Some("application/zip")));
    let mut bundle = zip::ZipArchive::new(std::io::Cursor::new(answer.body)).unwrap();
    let mut names: Vec<String> = bundle.file_names().map(str::to_owned).collect();
    names.sort();
    let of_kind = |ending: &str| {
        names.iter().find(|name| name.ends_with(ending)).unwrap_or_else(|| panic!("{names:?}"))
    };
    let mut read = |name: &str| {
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut bundle.by_name(name).unwrap(), &mut content).unwrap();
        content
    };
    assert_eq!(read(of_kind(".pdf")), bytes);
    assert!(read(of_kind(".pem")).starts_with(b"-----BEGIN CERTIFICATE-----"));
}

/// The file with an empty revision appended, as an editor would save one (ISO 32000-1, 7.5.6).
fn revised(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let (_, after) = text.rsplit_once("startxref").unwrap();
    let previous: usize = after.split_whitespace().next().unwrap().parse().unwrap();
    let mut revised = bytes.to_vec();
    let object = revised.len();
    revised.extend(b"9999 0 obj\n<</Producer(an editor)>>\nendobj\n");
    let table = revised.len();
    let trailer = format!(
        "xref\n9999 1\n{object:010} 00000 n \ntrailer\n<</Size 10000/Root 1 0 R/Prev {previous}>>\nstartxref\n{table}\n%%EOF\n"
    );
    revised.extend(trailer.as_bytes());
    revised
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
