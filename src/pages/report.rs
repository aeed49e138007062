//! The plain-language report on a file that somebody handed in.

use std::time::Duration;

use askama::Template;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::desk::standing::{FileAnswer, FileFinding};
use crate::domain::ids::Sha256;
use crate::domain::verdict::Verdict;
use crate::pages::assets::Assets;
use crate::pages::failure::{Failure, failure};
use crate::pages::home::{HomePage, host_of};
use crate::pages::icons;
use crate::pages::shown::{Grant, Paper};
use crate::pages::speech::{Dated, Speech};
use crate::pages::upload::{self, UploadFault};
use crate::pages::wording::{self, Wording};
use crate::pages::{Counter, page, undone};
use crate::seal::check::reason::Reason;
use crate::seal::check::{Finding, Report};

#[derive(Template)]
#[template(path = "report.html", config = "src/pages/askama.toml")]
pub(crate) struct ReportPage<'a> {
    say: Speech,
    assets: Assets,
    host: &'a str,
    public_url: &'a str,
    wording: Wording,
    checked_at: Dated,
    reasons: Vec<ReasonLine>,
    steps: [Step; 5],
    paper: Option<Paper<'a>>,
    grant: Option<Grant<'a>>,
    signature: Vec<SignatureLine>,
    /// What the signature says is its own claim and nothing more.
    claimed: bool,
    file_name: Option<&'a str>,
    file_size: usize,
    digest: Option<String>,
}

/// One thing wrong with the file: its message, and its stable code for whoever has to ask about it.
#[derive(Clone, Debug)]
pub(crate) struct ReasonLine {
    pub(crate) message: &'static str,
    pub(crate) code: &'static str,
}

/// One fact of the signature.
#[derive(Clone, Debug)]
pub(crate) struct SignatureLine {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) mono: bool,
}

/// One step of the check and how it came out.
#[derive(Clone, Debug)]
struct Step {
    question: &'static str,
    outcome: &'static str,
    tone: &'static str,
    icon: &'static str,
}

/// How a file was called and how long it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileLabel<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) size: usize,
}

impl<'a> ReportPage<'a> {
    pub(crate) fn new(answer: &'a FileAnswer, file: FileLabel<'a>, public_url: &'a str, say: Speech) -> Self {
        let shown = answer.shown.as_ref();
        let annotation = shown.and_then(|shown| shown.annotation.as_ref());
        let status = shown.map(|shown| shown.certificate.status);
        let verdict = match answer.finding {
            FileFinding::Ours(verdict) => verdict,
            _ => Verdict::Unknown,
        };
        Self {
            say,
            assets: Assets,
            host: host_of(public_url),
            public_url,
            wording: wording::of_file(answer.finding, status, annotation.is_some(), say.language),
            checked_at: say.moment(answer.checked_at),
            reasons: reasons(&answer.report, say),
            steps: steps(answer.finding, say),
            paper: shown.map(|shown| Paper::registered(&shown.certificate, say)),
            grant: annotation.map(|it| Grant::of(it, verdict, answer.checked_at, say)),
            signature: signature(&answer.report, say),
            claimed: answer.report.finding != Finding::Sound,
            file_name: file.name,
            file_size: file.size,
            // A check that broke off has none.
            digest: (answer.report.digest != Sha256::new([0; 32])).then(|| answer.report.digest.to_string()),
        }
    }
}

/// The reasons of the report, in the page's language.
fn reasons(report: &Report, say: Speech) -> Vec<ReasonLine> {
    let line = |reason: &Reason| ReasonLine { message: reason.message(say.language), code: reason.code() };
    report.reasons.iter().map(line).collect()
}

/// What the signature says, in the page's language.
fn signature(report: &Report, say: Speech) -> Vec<SignatureLine> {
    let Some(facts) = &report.signature else { return Vec::new() };
    let coverage = match facts.covers_whole_file {
        true => say.pick("文件的全部内容", "Every byte of the file"),
        false => say.pick("只有文件的一部分", "Only a part of the file"),
    };
    let words = [
        (("签章人", "Sealed by"), facts.signer.clone()),
        (("机构", "Organisation"), facts.organisation.clone()),
        (("签章时间", "Sealed at"), facts.signed_at.map(|at| say.moment(at).text)),
        (("保护范围", "Protects"), Some(coverage.to_owned())),
        (("证书颁发者", "Certified by"), Some(facts.issuer.clone())),
    ];
    let numbers = [
        (("证书序列号", "Serial no."), facts.serial.clone()),
        (("证书摘要", "Seal cert."), facts.certificate.to_string()),
        (("签名算法", "Algorithm"), facts.algorithm.clone()),
    ];
    let line = |((chinese, english), value), mono| SignatureLine {
        label: say.language.pick(chinese, english),
        value,
        mono,
    };
    let words = words.into_iter().filter_map(|(label, value)| Some(line((label, value?), false)));
    words.chain(numbers.into_iter().map(|number| line(number, true))).collect()
}

/// The steps of the check in the order of their sense: what failed, and what was then not judged any more.
fn steps(finding: FileFinding, say: Speech) -> [Step; 5] {
    #[derive(Clone, Copy)]
    enum Outcome {
        Passed,
        Failed,
        Open,
    }
    use Outcome::{Failed, Open, Passed};
    let outcomes = match finding {
        FileFinding::Unreadable => [Failed, Open, Open, Open, Open],
        FileFinding::Unsigned => [Passed, Failed, Open, Open, Open],
        FileFinding::Tampered => [Passed, Passed, Failed, Open, Open],
        FileFinding::NotOurs => [Passed, Passed, Open, Failed, Open],
        FileFinding::Ours(Verdict::Genuine) => [Passed; 5],
        FileFinding::Ours(_) => [Passed, Passed, Passed, Passed, Failed],
    };
    let questions = [
        ("是可以读取的 PDF 文件", "It is a PDF that can be read"),
        ("带有电子签章", "It carries an electronic seal"),
        ("签章之后没有改动", "Nothing changed since it was sealed"),
        ("签章属于本平台", "The seal is ours"),
        ("登记状态有效", "The register says that it holds"),
    ];
    let mut step = 0;
    outcomes.map(|outcome| {
        let (chinese, english) = questions[step];
        step += 1;
        let question = say.language.pick(chinese, english);
        let register = match finding {
            FileFinding::Ours(verdict) if step == questions.len() && verdict != Verdict::Genuine => {
                Some(wording::of_code(verdict, None, say.language).word)
            }
            _ => None,
        };
        let (tone, icon, word) = match outcome {
            Passed => ("jade", icons::STEP_PASSED, say.language.pick("通过", "Passed")),
            Failed => ("vermilion", icons::STEP_FAILED, say.language.pick("未通过", "Failed")),
            Open => ("slate", icons::STEP_OPEN, say.language.pick("未判断", "Not judged")),
        };
        Step { question, outcome: register.unwrap_or(word), tone, icon }
    })
}

pub(crate) async fn judge(
    State(counter): State<Counter>,
    say: Speech,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let public_url = &counter.desk.rules().public_url;
    // One permit per file that may lie in memory, from its first byte until it was judged.
    let Ok(_permit) = counter.uploads.try_acquire() else {
        return failure(Failure::Busy(Duration::from_secs(5)), say);
    };
    let upload = match form {
        Ok(form) => upload::receive(form, counter.patience).await,
        Err(_) => Err(UploadFault::Nothing),
    };
    let upload = match upload {
        Ok(upload) => upload,
        Err(UploadFault::TooLarge) => return failure(Failure::TooLarge, say),
        Err(UploadFault::TooSlow) => return failure(Failure::TooSlow, say),
        Err(fault @ (UploadFault::Nothing | UploadFault::Broken)) => {
            let why = if fault == UploadFault::Nothing {
                say.pick("请选择一个 PDF 文件。", "Please choose a PDF file.")
            } else {
                say.pick("文件没有传完整，请再试一次。", "The file did not arrive whole. Please try again.")
            };
            let html = HomePage::new(say, public_url).with_wrong_file(why);
            return page(&html, StatusCode::UNPROCESSABLE_ENTITY, say);
        }
    };
    let file_size = upload.bytes.len();
    match counter.desk.verify_document(upload.bytes).await {
        Ok(answer) => {
            let file = FileLabel { name: upload.name.as_deref(), size: file_size };
            page(&ReportPage::new(&answer, file, public_url, say), StatusCode::OK, say)
        }
        Err(error) => undone(&error, say),
    }
}
