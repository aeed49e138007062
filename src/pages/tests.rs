//! Stories about the public pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

use std::fs;
use std::path::Path;

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;

use super::faults::Faults;
use super::form::Captcha;
use super::home::HomePage;
use super::problem::ProblemPage;
use super::query::{FoundPage, QueryPage, Typed};
use super::report::{FileLabel, ReportPage};
use super::verdict::VerdictPage;
use super::*;
use crate::desk::standing::{Answer, FileAnswer, FileFinding, Shown, ShownAnnotation, ShownCertificate};
use crate::domain::certificate::{ManagementNo, Status, mask_name};
use crate::domain::identity::PersonId;
use crate::domain::ids::{Code, Sha256};
use crate::domain::language::Language;
use crate::domain::verdict::Verdict;
use crate::http::problem::examples::problems;
use crate::pages::assets::Assets;
use crate::seal::check::reason::Reason;
use crate::seal::check::{Finding, Report, SignatureFacts};

const PUBLIC_URL: &str = "https://verify.example.cn";
const NAME: &str = "欧阳·买买提江";
const ID_NUMBER: &str = "11010519491231002X";
const MANAGEMENT_NO: &str = "2024092211000000";

pub(super) fn say(language: Language) -> Speech {
    Speech::unasked(language)
}

pub(super) fn shown(status: Status) -> Shown {
    Shown {
        certificate: ShownCertificate {
            title: "注册城乡规划师职业资格证书".into(),
            specialty: Some("城乡规划".into()),
            issuer: "示例省人事考试中心".into(),
            approved_on: "2024-09-22".parse().unwrap(),
            management_no_tail: MANAGEMENT_NO.parse::<ManagementNo>().unwrap().tail().to_owned(),
            holder_name_masked: mask_name(&NAME.parse().unwrap()),
            holder_id_masked: PersonId::parse("111", ID_NUMBER).unwrap().masked(),
            status,
        },
        annotation: Some(ShownAnnotation {
            scenario: "self_use".into(),
            scenario_chinese: "本人调用".into(),
            scenario_english: "Self use".into(),
            recipient: Some("示例建设集团有限公司".into()),
            valid_from: Some("2026-11-21".parse().unwrap()),
            valid_until: Some("2027-02-18".parse().unwrap()),
            sealed_at: Some("2026-11-21T15:40:58Z".parse().unwrap()),
        }),
        document: Some(Sha256::new(std::array::from_fn(|i| i as u8 * 7))),
    }
}

pub(super) fn answer(verdict: Verdict, status: Status) -> Answer {
    let mut shown = (verdict != Verdict::Unknown).then(|| shown(status));
    if let (Verdict::Pending, Some(shown)) = (verdict, &mut shown) {
        shown.document = None;
        let annotation = shown.annotation.as_mut().unwrap();
        (annotation.valid_from, annotation.valid_until, annotation.sealed_at) = (None, None, None);
    }
    let checked_at = match verdict {
        Verdict::Expired => "2027-02-20T01:02:03Z",
        _ => "2026-12-10T15:41:07Z",
    };
    Answer { verdict, checked_at: checked_at.parse().unwrap(), shown }
}

pub(super) fn code() -> Code {
    "5QF02M9X4TRA81WD30VNC6JP5H".parse().unwrap()
}

pub(super) fn verdict_page(answer: &Answer, code: Option<Code>, language: Language) -> String {
    VerdictPage::new(answer, code, PUBLIC_URL, say(language)).render().unwrap()
}

pub(super) const FINDINGS: [FileFinding; 11] = [
    FileFinding::Ours(Verdict::Genuine),
    FileFinding::Ours(Verdict::Pending),
    FileFinding::Ours(Verdict::Expired),
    FileFinding::Ours(Verdict::Revoked),
    FileFinding::Ours(Verdict::Superseded),
    FileFinding::Ours(Verdict::CertificateRevoked),
    FileFinding::Ours(Verdict::Unknown),
    FileFinding::Tampered,
    FileFinding::NotOurs,
    FileFinding::Unsigned,
    FileFinding::Unreadable,
];

fn report(finding: FileFinding) -> Report {
    let (found, reasons) = match finding {
        FileFinding::Ours(_) => (Finding::Sound, vec![]),
        FileFinding::Tampered => (Finding::Tampered, vec![Reason::LaterRevision, Reason::DigestMismatch]),
        FileFinding::NotOurs => (Finding::NotOurs, vec![Reason::SignatureInvalid]),
        FileFinding::Unsigned => (Finding::Unsigned, vec![Reason::NoSignature]),
        FileFinding::Unreadable => return Report::unreadable(),
    };
    let facts = SignatureFacts {
        signer: Some("Vermilion Test Seal".into()),
        organisation: None,
        issuer: "Vermilion Test Root".into(),
        serial: "1f00c0ffee".into(),
        signed_at: Some("2026-11-21T15:40:58Z".parse().unwrap()),
        algorithm: "ECDSA P-256, SHA-256".into(),
        certificate: Sha256::new([0xAB; 32]),
        covers_whole_file: found == Finding::Sound,
    };
    let signature = (found != Finding::Unsigned).then_some(facts);
    Report { finding: found, reasons, signature, digest: Sha256::new([0xCD; 32]) }
}

pub(super) fn report_page(finding: FileFinding, file_name: &str, language: Language) -> String {
    let shown = match finding {
        FileFinding::Ours(verdict) => answer(verdict, Status::Valid).shown,
        _ => None,
    };
    let checked_at = "2026-12-10T15:41:07Z".parse().unwrap();
    let answer = FileAnswer { finding, report: report(finding), checked_at, shown };
    let file = FileLabel { name: Some(file_name), size: 61_234 };
    ReportPage::new(&answer, file, PUBLIC_URL, say(language)).render().unwrap()
}

async fn text_of(response: Response) -> String {
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

/// Every page there is, in both languages.
async fn every_page() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for language in [Language::Chinese, Language::English] {
        let tag = language.tag();
        for verdict in Verdict::ALL {
            let answer = answer(verdict, Status::Valid);
            pages.push((format!("{verdict:?} {tag}"), verdict_page(&answer, Some(code()), language)));
        }
        for verdict in [Verdict::Genuine, Verdict::Superseded, Verdict::CertificateRevoked, Verdict::Unknown]
        {
            let answer = answer(verdict, Status::Suspended);
            let html = FoundPage::new(&answer, PUBLIC_URL, say(language)).render().unwrap();
            pages.push((format!("query {verdict:?} {tag}"), html));
        }
        for question in [None, Some("2 + 3".to_owned())] {
            let image = question.is_none().then(|| "data:image/png;base64,".to_owned());
            let captcha = Captcha { id: "id".to_owned(), image, question };
            let faults = Faults::said("captcha", "?".to_owned());
            let (say, typed) = (say(language), Typed::default());
            let html = QueryPage { say, assets: Assets, faults, typed: &typed, captcha }.render().unwrap();
            pages.push((format!("query {tag}"), html));
        }
        for finding in FINDINGS {
            pages.push((format!("{finding:?} {tag}"), report_page(finding, "证书.pdf", language)));
        }
        for what in Failure::ALL {
            let html = text_of(failure::failure(what, say(language))).await;
            pages.push((format!("{what:?} {tag}"), html));
        }
        for problem in problems() {
            let html = ProblemPage::new(&problem, say(language)).render().unwrap();
            pages.push((format!("{} {tag}", problem.code()), html));
        }
        let home = HomePage::new(say(language), PUBLIC_URL).with_wrong_code("K7").with_wrong_file("no file");
        pages.push((format!("home {tag}"), home.render().unwrap()));
    }
    pages
}

#[test]
fn every_verdict_says_its_word_first_in_both_languages() {
    for (verdict, chinese, english) in [
        (Verdict::Genuine, "真实有效", "Genuine"),
        (Verdict::Pending, "生成中", "Being made"),
        (Verdict::Expired, "已过期", "Expired"),
        (Verdict::Revoked, "已撤销", "Revoked"),
        (Verdict::Superseded, "已被更新", "Superseded"),
        (Verdict::CertificateRevoked, "证书已失效", "Certificate not valid"),
        (Verdict::Unknown, "查无此件", "Not found"),
    ] {
        for (language, word) in [(Language::Chinese, chinese), (Language::English, english)] {
            let html = verdict_page(&answer(verdict, Status::Valid), Some(code()), language);
            assert!(html.contains(&format!("<h1>{word}</h1>")), "{verdict:?} {language:?}");
            assert!(html.contains(&format!("<title>{word} · ")), "{verdict:?} {language:?}");
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())));
        }
    }
}

#[test]
fn a_certificate_that_ended_says_how_it_stands() {
    for (status, chinese, english) in [
        (Status::Suspended, "已暂停", "Suspended"),
        (Status::Revoked, "已撤销", "Revoked"),
        (Status::Cancelled, "已注销", "Cancelled"),
        (Status::Lapsed, "已失效", "Lapsed"),
    ] {
        let answer = answer(Verdict::CertificateRevoked, status);
        let html = verdict_page(&answer, Some(code()), Language::Chinese);
        assert!(html.contains(&format!("证书状态：{chinese}</p>")), "{status:?}");
        let html = verdict_page(&answer, Some(code()), Language::English);
        assert!(html.contains(&format!("Certificate: {english}</p>")), "{status:?}");
    }
}

#[test]
fn a_genuine_copy_shows_what_to_compare_and_no_more() {
    let html = verdict_page(&answer(Verdict::Genuine, Status::Valid), Some(code()), Language::Chinese);
    for text in [
        "注册城乡规划师职业资格证书",
        "城乡规划",
        "示例省人事考试中心",
        "2024年9月22日",
        "11000000",
        "欧＊＊",
        "11**************2X",
        "本人调用",
        "示例建设集团有限公司",
        "2026年11月21日",
        "2027年2月18日",
        "2026年11月21日 23:40:58",
        "2026年12月10日 23:41:07",
        "5QF0 2M9X 4TRA 81WD 30VN C6JP 5H",
        "00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9",
        "含今天还剩 71 天",
        "https://verify.example.cn/v/5QF02M9X4TRA81WD30VNC6JP5H",
    ] {
        assert!(html.contains(text), "{text}");
    }
    for secret in [NAME, ID_NUMBER, MANAGEMENT_NO, "19491231", "<img", "download"] {
        assert!(!html.contains(secret), "{secret}");
    }
}

#[test]
fn an_unknown_code_and_a_malformed_one_have_the_same_page() {
    for language in [Language::Chinese, Language::English] {
        let answer = answer(Verdict::Unknown, Status::Valid);
        let unknown = verdict_page(&answer, Some(code()), language);
        let malformed = verdict_page(&answer, "<script>".parse().ok(), language);
        assert_eq!(unknown, malformed);
        assert!(!unknown.contains("5QF0"), "nothing of the question comes back");
    }
}

#[test]
fn text_from_outside_stays_text() {
    let evil = "<script>alert(1)</script>\"'&";
    let mut answer = answer(Verdict::Genuine, Status::Valid);
    let shown = answer.shown.as_mut().unwrap();
    for text in [
        &mut shown.certificate.title,
        &mut shown.certificate.issuer,
        &mut shown.certificate.holder_name_masked,
    ] {
        *text = evil.into();
    }
    shown.certificate.specialty = Some(evil.into());
    let annotation = shown.annotation.as_mut().unwrap();
    annotation.recipient = Some(evil.into());
    annotation.scenario_chinese = evil.into();
    for html in [
        verdict_page(&answer, Some(code()), Language::Chinese),
        report_page(FileFinding::Tampered, evil, Language::Chinese),
        HomePage::new(say(Language::Chinese), PUBLIC_URL).with_wrong_code(evil).render().unwrap(),
    ] {
        assert!(!html.contains("<script"));
        assert!(!html.contains("\"'&"), "attributes cannot be left either");
        assert!(html.contains("&#60;script&#62;alert(1)"));
    }
}

#[tokio::test]
async fn every_page_is_well_formed_and_says_what_it_is() {
    for (name, html) in every_page().await {
        let count = |tag: &str| html.matches(tag).count();
        for element in ["main", "h1", "header", "footer", "title"] {
            let opened = count(&format!("<{element}>")) + count(&format!("<{element} "));
            assert_eq!((opened, count(&format!("</{element}>"))), (1, 1), "{name}: {element}");
        }
        for element in [
            "div", "dl", "dt", "dd", "ul", "li", "p", "span", "svg", "section", "form", "details", "a",
            "time", "h2",
        ] {
            let opened = count(&format!("<{element}>")) + count(&format!("<{element} "));
            assert_eq!(opened, count(&format!("</{element}>")), "{name}: {element}");
        }
        for row in html.split("<dt>").skip(1) {
            let (term, rest) = row.split_once("</dt>").unwrap();
            assert!(!term.is_empty() && rest.starts_with("<dd"), "{name}: {term}");
        }
        assert_eq!(count("<dt>"), count("<dd>") + count("<dd "), "{name}");
        for field in html.split("<input ").skip(1).filter(|field| !field.starts_with("type=\"hidden\"")) {
            let (_, rest) = field.split_once("id=\"").unwrap();
            let (id, _) = rest.split_once('"').unwrap();
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{name}: {id} has no label");
        }
        assert!(!html.contains("{{") && !html.contains("{%"), "{name}");
        assert!(html.starts_with("<!doctype html>"), "{name}");
    }
}

#[tokio::test]
async fn an_english_page_has_no_chinese_but_what_is_marked_as_chinese() {
    for (name, html) in every_page().await.into_iter().filter(|(name, _)| name.ends_with(" en")) {
        for element in html.split('<') {
            let marked = element.contains("lang=\"zh-CN\"");
            let chinese = element.chars().find(|c| ('\u{4E00}'..='\u{9FFF}').contains(c));
            let own_file = element.contains("证书.pdf");
            assert!(marked || own_file || chinese.is_none(), "{name}: {element}");
        }
    }
}

#[test]
fn no_template_and_no_icon_has_inline_style_or_script() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages/templates");
    let files = [folder.join("holder"), folder].into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let templates = files.map(|path| fs::read_to_string(path).unwrap());
    let icons = icons::VERDICTS.map(str::to_owned);
    let mut seen = 0;
    for text in templates.chain(icons) {
        for word in ["style=", "<style", "<script", "javascript:", " on", "http-equiv", "|safe"] {
            let found = text.match_indices(word).find(|(at, _)| match word {
                // An event handler is `onclick=`, not a word of a sentence.
                " on" => text[at + 1..]
                    .split(|c: char| !c.is_ascii_lowercase())
                    .next()
                    .is_some_and(|handler| text[at + 1 + handler.len()..].starts_with('=')),
                // Scripts of ours are files; who runs none sees a copy's page anew every few seconds.
                "<script" => {
                    !text[*at..].starts_with("<script src=\"{{ assets.script() }}\" defer></script>")
                }
                "http-equiv" => !text[*at..].starts_with("http-equiv=\"refresh\" content=\"3\"></noscript>"),
                // Only our own icons are printed as they are.
                "|safe" => !text[..*at].ends_with("icon"),
                _ => true,
            });
            assert_eq!(found, None, "{text}");
        }
        seen += 1;
    }
    assert!(seen > 20 + 5, "the templates were found");
}

#[test]
fn every_verdict_has_a_shape_of_its_own() {
    for (i, icon) in icons::VERDICTS.iter().enumerate() {
        assert!(!icons::VERDICTS[..i].contains(icon));
    }
    let shapes: Vec<_> =
        FINDINGS.map(|finding| wording::of_file(finding, None, true, Language::Chinese).icon).to_vec();
    for icon in icons::VERDICTS {
        assert_eq!(shapes.iter().filter(|shape| **shape == icon).count(), 1);
    }
}

#[test]
fn the_report_names_the_step_that_failed() {
    for (finding, word, failed) in [
        (FileFinding::Unreadable, "无法读取", 1),
        (FileFinding::Unsigned, "没有签章", 1),
        (FileFinding::Tampered, "已被改动", 1),
        (FileFinding::NotOurs, "非本平台签发", 1),
        (FileFinding::Ours(Verdict::Revoked), "已撤销", 1),
        (FileFinding::Ours(Verdict::Unknown), "查无此件", 1),
        (FileFinding::Ours(Verdict::Genuine), "真实有效", 0),
    ] {
        let html = report_page(finding, "证书.pdf", Language::Chinese);
        assert!(html.contains(&format!("<h1>{word}</h1>")), "{finding:?}");
        assert_eq!(html.matches("<li class=\"vermilion\">").count(), failed, "{finding:?}");
        assert_eq!(
            html.contains("登记内容"),
            matches!(finding, FileFinding::Ours(v) if v != Verdict::Unknown)
        );
    }
}

#[test]
fn the_report_gives_each_reason_with_its_code_and_marks_a_mere_claim() {
    let claim = "未经证实";
    let tampered = report_page(FileFinding::Tampered, "证书.pdf", Language::Chinese);
    for reason in [Reason::LaterRevision, Reason::DigestMismatch] {
        assert!(tampered.contains(reason.code()) && tampered.contains(reason.message(Language::Chinese)));
    }
    assert!(tampered.contains(claim) && tampered.contains("Vermilion Test Seal"));
    let genuine = report_page(FileFinding::Ours(Verdict::Genuine), "证书.pdf", Language::Chinese);
    assert!(!genuine.contains(claim) && genuine.contains("文件的全部内容"));
    let unreadable = report_page(FileFinding::Unreadable, "证书.pdf", Language::Chinese);
    assert!(!unreadable.contains("SHA-256</span>"), "a check that broke off shows no digest");
}

#[tokio::test]
async fn a_browser_gets_a_page_for_every_failure_and_a_program_its_own_answer() {
    async fn limited() -> Response {
        (
            StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", "17"), ("content-type", "application/problem+json")],
            "{}",
        )
            .into_response()
    }
    let service = Router::new().route("/v/{code}", get(limited)).route("/api/v1/verify/{code}", get(limited));
    let app = with_failure_pages(service);
    let ask = |path: &str, accept: &str| {
        app.clone().oneshot(Request::get(path).header("accept", accept).body(Body::empty()).unwrap())
    };
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    let page = ask("/v/x?lang=en", browser).await.unwrap();
    assert_eq!(
        (page.status(), &page.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"17".parse().unwrap())
    );
    assert!(text_of(page).await.contains("<h1>Too many checks</h1>"));
    let nowhere = ask("/nowhere", browser).await.unwrap();
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    assert!(text_of(nowhere).await.contains("<h1>没有这个页面</h1>"));
    for (path, accept) in [("/api/v1/verify/x", browser), ("/v/x", "application/json")] {
        assert_eq!(text_of(ask(path, accept).await.unwrap()).await, "{}", "{path}");
    }
}

#[tokio::test]
async fn pages_never_leave_in_a_cache_a_referrer_or_a_frame() {
    let answer = answer(Verdict::Genuine, Status::Valid);
    let html = VerdictPage::new(&answer, Some(code()), PUBLIC_URL, say(Language::English));
    let response = page(&html, StatusCode::OK, say(Language::English));
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
        ("x-content-type-options", "nosniff"),
        ("content-type", "text/html; charset=utf-8"),
        ("content-language", "en"),
        ("vary", "accept-language"),
    ] {
        assert_eq!(response.headers()[name], value);
        assert_eq!(response.headers().get_all(name).iter().count(), 1, "{name}");
    }
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
}

#[tokio::test]
async fn failures_have_their_status_and_say_when_to_come_back() {
    for what in Failure::ALL {
        let response = failure::failure(what, say(Language::Chinese));
        assert_eq!(response.status(), what.status());
        let waits = response.headers().contains_key(header::RETRY_AFTER);
        assert_eq!(waits, matches!(what, Failure::TooManyRequests(_) | Failure::Busy(_)), "{what:?}");
    }
}
