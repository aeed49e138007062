//! What a stranger is told: the verdict on a code, on a file, on three fields.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use crate::desk::account::captcha::{Solution, normal};
use crate::desk::record::Fields;
use crate::desk::{Desk, DeskError};
use crate::domain::annotation::{Annotation, Sealed};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, ManagementNo, Name, Status, mask_name, same_name};
use crate::domain::ids::{Code, Sha256};
use crate::domain::query::CertificateQuery;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::domain::tally::{Door, Subject};
use crate::domain::verdict::Verdict;
use crate::seal::check::{self, Finding, Report};
use crate::store::DocumentOwner;

/// The answer behind a QR code. For an unknown code only the verdict and the time.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The verdict.
    pub verdict: Verdict,
    /// When it was checked.
    pub checked_at: DateTime<Utc>,
    /// What to compare with the paper.
    pub shown: Option<Shown>,
}

/// What the public may see of a copy or a certificate: enough to compare with the paper, never the whole number.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The certificate.
    pub certificate: ShownCertificate,
    /// The annotation, where it is about a copy.
    pub annotation: Option<ShownAnnotation>,
    /// Digest of the sealed file, once there is one.
    pub document: Option<Sha256>,
}

/// The certificate, masked.
#[derive(Clone, Debug)]
pub struct ShownCertificate {
    /// Name of the certificate.
    pub title: String,
    /// Specialty.
    pub specialty: Option<String>,
    /// Issuing body.
    pub issuer: String,
    /// Day of approval.
    pub approved_on: NaiveDate,
    /// Last characters of the management number.
    pub management_no_tail: String,
    /// First character and ＊.
    pub holder_name_masked: String,
    /// Ends of the identity number.
    pub holder_id_masked: String,
    /// How it stands today.
    pub status: Status,
}

/// The annotation.
#[derive(Clone, Debug)]
pub struct ShownAnnotation {
    /// The scenario's key.
    pub scenario: String,
    /// The scenario in Chinese.
    pub scenario_chinese: String,
    /// The scenario in English.
    pub scenario_english: String,
    /// Recipient.
    pub recipient: Option<String>,
    /// First day.
    pub valid_from: Option<NaiveDate>,
    /// Last day.
    pub valid_until: Option<NaiveDate>,
    /// When it was sealed.
    pub sealed_at: Option<DateTime<Utc>>,
}

/// The answer to an uploaded file.
#[derive(Clone, Debug)]
pub struct FileAnswer {
    /// What the file is.
    pub finding: FileFinding,
    /// What the check of the file alone found, with reasons.
    pub report: Report,
    /// When it was checked.
    pub checked_at: DateTime<Utc>,
    /// What to compare with the paper, where the file is ours and untouched.
    pub shown: Option<Shown>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFinding {
    /// Ours and untouched: the register's verdict.
    Ours(Verdict),
    /// Carries our seal, but was changed.
    Tampered,
    /// Carries another's seal.
    NotOurs,
    /// Carries no seal.
    Unsigned,
    /// No PDF that can be read.
    Unreadable,
}

impl FileFinding {
    /// The stable word of the interface.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ours(verdict) => verdict.word(),
            Self::Tampered => "tampered",
            Self::NotOurs => "not_ours",
            Self::Unsigned => "unsigned",
            Self::Unreadable => "unreadable",
        }
    }
}

/// How long an answer to the three-field query takes at least: longer than looking up takes, so that the time does not
/// tell which field was wrong.
pub(super) const QUERY_TAKES: Duration = Duration::from_millis(10);

/// What stands on a certificate, as somebody typed it.
pub struct Inquiry {
    /// 姓名
    pub name: String,
    /// 证件号码
    pub id_number: String,
    /// 管理号
    pub management_no: String,
}

impl fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inquiry(…)")
    }
}

impl Inquiry {
    /// What is not empty may be wrong: that is for the register to say.
    fn check(&self) -> Result<(), Refusal> {
        let mut fields = Fields::default();
        for (name, typed) in
            [("name", &self.name), ("id_number", &self.id_number), ("management_no", &self.management_no)]
        {
            if typed.trim().is_empty() {
                fields.fault(name, FieldFault::Empty);
            }
        }
        fields.finish(Some(()))
    }

    fn fits(&self, certificate: &Certificate) -> bool {
        let holder = &certificate.details.holder;
        let name = self.name.parse().is_ok_and(|name: Name| same_name(&holder.name, &name));
        let id = holder.id.number().eq_ignore_ascii_case(&normal(&self.id_number));
        name & id
    }
}

impl Desk {
    /// Judges a code that came by a door. A malformed one is answered like an unknown one; what is found is counted.
    pub async fn verify(&self, code: &str, door: Door) -> Result<Answer, DeskError> {
        let checked_at = self.now();
        let unknown = Answer { verdict: Verdict::Unknown, checked_at, shown: None };
        let Ok(code) = code.parse::<Code>() else { return Ok(unknown) };
        let Some((annotation, certificate)) = self.store.copy_by_code(code).await? else {
            return Ok(unknown);
        };
        let verdict = Verdict::of(&annotation, &certificate, calendar::day_of(checked_at));
        if verdict == Verdict::Unknown {
            return Ok(unknown);
        }
        self.count_check(Subject::Annotation(annotation.id), door);
        let shown = self.show(&certificate, Some(&annotation), calendar::day_of(checked_at));
        Ok(Answer { verdict, checked_at, shown: Some(shown) })
    }

    /// Judges a file: its structure and signature alone, then its digest against the register, then how the copy stands; what is found is
    /// counted.
    pub async fn verify_document(&self, bytes: Vec<u8>) -> Result<FileAnswer, DeskError> {
        let checked_at = self.now();
        let trust = self.trust.clone();
        let judged = tokio::task::spawn_blocking(move || check::check(&bytes, &trust, checked_at)).await;
        let report = judged.unwrap_or_else(|_| Report::unreadable());
        let finding = match report.finding {
            Finding::Sound => None,
            Finding::Tampered => Some(FileFinding::Tampered),
            Finding::NotOurs => Some(FileFinding::NotOurs),
            Finding::Unsigned => Some(FileFinding::Unsigned),
            Finding::Unreadable => Some(FileFinding::Unreadable),
        };
        if let Some(finding) = finding {
            return Ok(FileAnswer { finding, report, checked_at, shown: None });
        }
        let (verdict, shown) = self.standing_of(report.digest, calendar::day_of(checked_at)).await?;
        Ok(FileAnswer { finding: FileFinding::Ours(verdict), report, checked_at, shown })
    }

    async fn standing_of(
        &self,
        document: Sha256,
        day: NaiveDate,
    ) -> Result<(Verdict, Option<Shown>), DeskError> {
        let unknown = Ok((Verdict::Unknown, None));
        match self.store.document_owner(document).await? {
            None => unknown,
            Some(DocumentOwner::Certificate(id)) => {
                let Some(certificate) = self.store.certificate(id).await? else { return unknown };
                self.count_check(Subject::Certificate(id), Door::File);
                let shown = Shown { document: Some(document), ..self.show(&certificate, None, day) };
                Ok((Verdict::of_certificate(&certificate, day), Some(shown)))
            }
            Some(DocumentOwner::Annotation(id)) => {
                let Some(annotation) = self.store.annotation(id).await? else { return unknown };
                let Some(certificate) = self.store.certificate(annotation.certificate).await? else {
                    return unknown;
                };
                let verdict = Verdict::of(&annotation, &certificate, day);
                self.count_check(Subject::Annotation(id), Door::File);
                Ok((verdict, Some(self.show(&certificate, Some(&annotation), day))))
            }
        }
    }

    /// The three-field query: name, identity number and management number must all fit one certificate, whose newest
    /// version answers. Every miss is answered alike, and no sooner or later than a hit.
    ///
    /// # Errors
    /// `invalid-fields` where one is empty, `captcha-wrong`.
    pub async fn query(&self, inquiry: &Inquiry, solution: &Solution) -> Result<Answer, DeskError> {
        inquiry.check()?;
        self.judge_captcha(solution)?;
        let checked_at = self.now();
        let day = calendar::day_of(checked_at);
        let (found, ()) = tokio::join!(self.find(inquiry, day), tokio::time::sleep(QUERY_TAKES));
        let found = found?;
        if let Some(found) = &found {
            self.count_check(Subject::Certificate(found.id), Door::Query);
        }
        Ok(Answer {
            verdict: found.as_ref().map_or(Verdict::Unknown, |found| Verdict::of_certificate(found, day)),
            checked_at,
            shown: found.map(|found| self.show(&found, None, day)),
        })
    }

    /// The certificate that an inquiry is about. Whose older version alone fits (a name was corrected, say) asks about
    /// that one; where numbers of two types are alike, the certificate that holds speaks.
    async fn find(&self, inquiry: &Inquiry, day: NaiveDate) -> Result<Option<Certificate>, DeskError> {
        let Ok(no) = normal(&inquiry.management_no).parse::<ManagementNo>() else { return Ok(None) };
        let query = CertificateQuery { management_no: Some(no), limit: 100, ..CertificateQuery::default() };
        let found = self.store.certificates(&query).await?.items;
        let fitting = found.into_iter().filter(|certificate| inquiry.fits(certificate));
        Ok(fitting.max_by_key(|one| (Verdict::of_certificate(one, day) == Verdict::Genuine, one.version)))
    }

    fn show(&self, certificate: &Certificate, annotation: Option<&Annotation>, day: NaiveDate) -> Shown {
        let details = &certificate.details;
        Shown {
            certificate: ShownCertificate {
                title: details.title.to_string(),
                specialty: details.specialty.as_ref().map(ToString::to_string),
                issuer: details.issuer.name.to_string(),
                approved_on: details.approved_on,
                management_no_tail: details.management_no.tail().to_owned(),
                holder_name_masked: mask_name(&details.holder.name),
                holder_id_masked: details.holder.id.masked(),
                status: certificate.status_on(day),
            },
            annotation: annotation.map(|annotation| self.show_annotation(certificate, annotation)),
            document: annotation.and_then(Annotation::sealed).map(|sealed| sealed.document),
        }
    }

    fn show_annotation(&self, certificate: &Certificate, annotation: &Annotation) -> ShownAnnotation {
        let order = &annotation.order;
        let text = self.rules.policies.of(&certificate.details.kind).scenario(&order.scenario);
        // A scenario that was taken off the list later still has its key.
        let word = |text: Option<&String>| text.cloned().unwrap_or_else(|| order.scenario.to_string());
        let intent = annotation.sealed().map(|Sealed { intent, .. }| intent);
        ShownAnnotation {
            scenario: order.scenario.to_string(),
            scenario_chinese: word(text.map(|text| &text.chinese)),
            scenario_english: word(text.map(|text| &text.english)),
            recipient: order.recipient.as_ref().map(ToString::to_string),
            valid_from: intent.map(|intent| intent.valid_from),
            valid_until: intent.map(|intent| intent.valid_until),
            sealed_at: intent.map(|intent| intent.at),
        }
    }
}
