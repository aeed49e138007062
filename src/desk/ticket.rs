//! Tickets: what people send whom the register does not know, and what staff answer. Nobody is told whether the register
//! knows a person, or whether a ticket is anybody else's.

use std::fmt;

use tokio::sync::OnceCell;

use crate::desk::account::captcha::{Solution, normal};
use crate::desk::account::message::Message;
use crate::desk::account::sign_up::parse_person;
use crate::desk::record::Fields;
use crate::desk::standing::QUERY_TAKES;
use crate::desk::{Caller, Desk, DeskError, Plan};
use crate::domain::account::{Mobile, Purpose};
use crate::domain::certificate::{Line, ManagementNo, Name};
use crate::domain::contact::Contact;
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::identity::PersonId;
use crate::domain::ids::TicketId;
use crate::domain::key::Scope;
use crate::domain::query::{Page, TicketQuery};
use crate::domain::refusal::applying::{Applying, ScanFault};
use crate::domain::refusal::{FieldFault, Refusal};
use crate::domain::ticket::{Outcome, SCAN_MOST, Scan, ScanKind, Ticket, TicketAnswer, TicketState};
use crate::render::photo::BadPhoto;
use crate::render::scan;
use crate::store::{Change, Expect, Write};

/// What every PDF begins with (ISO 32000-2, 7.5.2).
const PDF: &[u8] = b"%PDF-";
/// What PNG (W3C PNG, 5.2) and JPEG (ITU-T T.81, B.1.1.3) files begin with.
const PICTURES: [&[u8]; 2] = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"];
/// A scan is kept behind the name of its ticket: the same file on two tickets is two documents, each with its own
/// person's key.
const NAME: usize = 16;

/// What somebody sends whom the register does not know.
#[derive(Clone)]
pub struct TicketForm {
    /// Name as on the certificate.
    pub name: String,
    /// Kind of identity document (GA/T 517).
    pub id_type: String,
    /// Identity number as when the certificate was obtained.
    pub id_number: String,
    /// 管理号
    pub management_no: String,
    /// Mobile number.
    pub mobile: String,
    /// The code of purpose `sign_up` that was sent to the mobile.
    pub code: String,
    /// What else there is to say.
    pub words: Option<String>,
    /// A scan of the certificate: JPEG, PNG or PDF by its content.
    pub scan: Vec<u8>,
}

impl fmt::Debug for TicketForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketForm(…)")
    }
}

/// A form whose every field is parsed.
struct Applicant {
    person: PersonId,
    name: Name,
    management_no: ManagementNo,
    mobile: Mobile,
    code: String,
    words: Option<Line<200>>,
    kind: ScanKind,
    scan: Vec<u8>,
}

impl TicketForm {
    fn parse(self) -> Result<Applicant, Refusal> {
        let mut fields = Fields::default();
        let name = fields.parse("name", &self.name);
        let person = parse_person(&mut fields, &self.id_type, &self.id_number);
        let management_no = fields.parse("management_no", &normal(&self.management_no));
        let mobile = fields.parse("mobile", self.mobile.trim());
        let words = self.words.as_deref().map(str::trim).filter(|words| !words.is_empty());
        let words = fields.parse_some("words", words);
        let kind = fields.take("scan", kind_of(&self.scan));
        let applicant = (|| {
            Some(Applicant {
                person: person?,
                name: name?,
                management_no: management_no?,
                mobile: mobile?,
                code: self.code,
                words,
                kind: kind?,
                scan: self.scan,
            })
        })();
        fields.finish(applicant)
    }
}

/// What a scan is, by its first bytes alone: nothing is decoded before the mobile is proved.
fn kind_of(scan: &[u8]) -> Result<ScanKind, FieldFault> {
    if scan.is_empty() {
        return Err(FieldFault::Missing);
    }
    if scan.len() > SCAN_MOST {
        return Err(FieldFault::BadScan(ScanFault::TooLarge));
    }
    if scan.starts_with(PDF) {
        return Ok(ScanKind::Pdf);
    }
    let is_picture = PICTURES.iter().any(|begin| scan.starts_with(begin));
    if is_picture { Ok(ScanKind::Jpeg) } else { Err(FieldFault::BadScan(ScanFault::UnknownKind)) }
}

/// Who asks how a ticket stands.
#[derive(Clone)]
pub struct TicketInquiry {
    /// The ticket's name.
    pub ticket: String,
    /// The identity number that stands on it.
    pub id_number: String,
}

impl fmt::Debug for TicketInquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketInquiry(…)")
    }
}

impl Desk {
    /// Opens a ticket of whoever the code proves the mobile of.
    ///
    /// # Errors
    /// `invalid-fields`; `code-wrong`; `ticket-open` and a scan that cannot be read, each of which costs one of the
    /// code's tries.
    pub async fn open_ticket(&self, form: TicketForm) -> Result<TicketId, DeskError> {
        let applicant = form.parse()?;
        let id = TicketId::mint(self.now(), crate::desk::chance()?);
        let kept = OnceCell::new();
        let (judged, _) = self.settle(|| Box::pin(self.plan_ticket(&applicant, id, &kept))).await?;
        Ok(judged?)
    }

    async fn plan_ticket(
        &self,
        applicant: &Applicant,
        id: TicketId,
        kept: &OnceCell<Result<Scan, Refusal>>,
    ) -> Result<Plan<Result<TicketId, Refusal>>, DeskError> {
        let Applicant { person, name, management_no, mobile, code, words, .. } = applicant;
        let typed = self.judge_code(Purpose::SignUp, &mobile.clone().into(), code).await?;
        let (redeem, charge) = match typed.proven() {
            Ok(proven) => proven,
            Err(refused) => return Ok(refused),
        };
        if self.store.open_ticket(person, mobile).await?.is_some() {
            return Ok(Plan::Write(charge, Err(Refusal::Applying(Applying::TicketOpen))));
        }
        let scan = match kept.get_or_try_init(|| self.keep_scan(applicant, id)).await? {
            Ok(scan) => *scan,
            Err(refusal) => return Ok(Plan::Write(charge, Err(refusal.clone()))),
        };
        let ticket = Ticket {
            id,
            person: person.clone(),
            name: name.clone(),
            management_no: management_no.clone(),
            mobile: mobile.clone(),
            scan,
            words: words.clone(),
            opened_at: self.now(),
            state: TicketState::Open,
        };
        let mut change = redeem;
        change.expects.push(Expect::Ticket(id, None));
        change.writes.push(Write::Ticket(ticket));
        change.events.push(Event { ticket: Some(id), ..self.event(Deed::TicketOpened, Actor::Service) });
        Ok(Plan::Write(change, Ok(id)))
    }

    /// Keeps the scan: a picture encoded anew, a PDF as it came.
    async fn keep_scan(
        &self,
        applicant: &Applicant,
        ticket: TicketId,
    ) -> Result<Result<Scan, Refusal>, DeskError> {
        let (kind, scan) = (applicant.kind, applicant.scan.clone());
        let read = tokio::task::spawn_blocking(move || match kind {
            ScanKind::Pdf => Ok(scan),
            ScanKind::Jpeg => scan::picture(&scan),
        });
        let bytes = match read.await.unwrap_or(Err(BadPhoto::Broken)) {
            Ok(bytes) => bytes,
            Err(bad) => {
                let fault = match bad {
                    BadPhoto::TooLarge => ScanFault::TooLarge,
                    BadPhoto::UnknownFormat => ScanFault::UnknownKind,
                    BadPhoto::Broken | BadPhoto::TooSmall => ScanFault::Broken,
                };
                return Ok(Err(Refusal::field("scan", FieldFault::BadScan(fault))));
            }
        };
        let file = [&ticket.as_bytes()[..], &bytes].concat();
        let document = crate::desk::digest(&file);
        self.store.put_document(&applicant.person, document, &file).await?;
        Ok(Ok(Scan { document, kind }))
    }

    /// How a ticket stands, for whoever knows its name and the identity number on it. Every miss is answered alike, and
    /// no sooner or later than a hit.
    ///
    /// # Errors
    /// `captcha-wrong`.
    pub async fn ask_ticket(
        &self,
        inquiry: &TicketInquiry,
        solution: &Solution,
    ) -> Result<Option<Ticket>, DeskError> {
        self.judge_captcha(solution)?;
        let (found, ()) = tokio::join!(self.find_ticket(inquiry), tokio::time::sleep(QUERY_TAKES));
        found
    }

    async fn find_ticket(&self, inquiry: &TicketInquiry) -> Result<Option<Ticket>, DeskError> {
        let Ok(id) = inquiry.ticket.trim().to_ascii_lowercase().parse() else { return Ok(None) };
        let found = self.store.ticket(id).await?.map(|(ticket, _)| ticket);
        let number = normal(&inquiry.id_number);
        Ok(found.filter(|ticket| ticket.person.number().eq_ignore_ascii_case(&number)))
    }

    /// Tickets, oldest first. A ticket is no issuer's business yet: who acts for one issuer sees none.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn tickets(&self, caller: &Caller, query: &TicketQuery) -> Result<Page<Ticket>, DeskError> {
        caller.needs(Scope::TicketsWrite)?;
        match caller.issuer() {
            None => Ok(self.store.tickets(query).await?),
            Some(_) => Ok(Page { items: Vec::new(), more: false }),
        }
    }

    /// One ticket.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`, for whoever acts for one issuer too.
    pub async fn ticket(&self, caller: &Caller, id: TicketId) -> Result<Ticket, DeskError> {
        caller.needs(Scope::TicketsWrite)?;
        if caller.issuer().is_some() {
            return Err(DeskError::NotFound);
        }
        self.store.ticket(id).await?.map(|(ticket, _)| ticket).ok_or(DeskError::NotFound)
    }

    /// The scan of a ticket; that it was seen is written down.
    ///
    /// # Errors
    /// As [`Desk::ticket`].
    pub async fn scan_of(&self, caller: &Caller, id: TicketId) -> Result<(ScanKind, Vec<u8>), DeskError> {
        let ticket = self.ticket(caller, id).await?;
        let file = self.store.document(ticket.scan.document).await?.ok_or(DeskError::NotFound)?;
        let read = Event { ticket: Some(id), ..self.event(Deed::TicketRead, caller.actor) };
        self.write(Change { events: vec![read], ..Change::default() }).await?;
        let scan = file.get(NAME..).ok_or(DeskError::NotFound)?;
        Ok((ticket.scan.kind, scan.to_vec()))
    }

    /// Answers a ticket, once and for all, and then tells the applicant that it was: at most once, for a message that
    /// could not be sent is not sent again, and the answer stands all the same.
    ///
    /// # Errors
    /// As [`Desk::ticket`]; `ticket-answered`.
    pub async fn answer_ticket(
        &self,
        caller: &Caller,
        id: TicketId,
        outcome: Outcome,
        words: Line<200>,
    ) -> Result<Ticket, DeskError> {
        let answer = TicketAnswer { outcome, words, by: caller.actor, at: self.now() };
        let (answered, _) = self.settle(|| Box::pin(self.plan_answer(caller, id, &answer))).await?;
        self.tell_applicant(&answered).await;
        Ok(answered)
    }

    /// Nothing of the ticket is in the message: it lies open.
    async fn tell_applicant(&self, ticket: &Ticket) {
        let to = Contact::Mobile(ticket.mobile.clone());
        if !self.doors.messenger.reaches(&to) {
            return;
        }
        let message = Message::TicketAnswered { at: self.now() };
        if let Err(fault) = self.doors.messenger.send(&to, message).await {
            // A sender says nothing of whom it sends to.
            tracing::warn!(ticket = %ticket.id, why = %fault.source, "an applicant could not be told of an answer");
        }
    }

    async fn plan_answer(
        &self,
        caller: &Caller,
        id: TicketId,
        answer: &TicketAnswer,
    ) -> Result<Plan<Ticket>, DeskError> {
        self.ticket(caller, id).await?;
        let (ticket, revision) = self.store.ticket(id).await?.ok_or(DeskError::NotFound)?;
        if ticket.state != TicketState::Open {
            return Err(Refusal::Applying(Applying::TicketAnswered).into());
        }
        let ticket = Ticket { state: TicketState::Answered(answer.clone()), ..ticket };
        let reason = answer.outcome.word().parse().ok();
        let event = Event { ticket: Some(id), reason, ..self.event(Deed::TicketAnswered, caller.actor) };
        let change = Change {
            expects: vec![Expect::Ticket(id, Some(revision))],
            writes: vec![Write::Ticket(ticket.clone())],
            events: vec![event],
        };
        Ok(Plan::Write(change, ticket))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
    use super::*;

    fn form() -> TicketForm {
        TicketForm {
            name: "张三".into(),
            id_type: "111".into(),
            id_number: " 11010519491231002x ".into(),
            management_no: " 2024 0000 0000 ".into(),
            mobile: "13800005678".into(),
            code: "123456".into(),
            words: Some("  ".into()),
            scan: b"%PDF-1.7".to_vec(),
        }
    }

    #[test]
    fn a_form_is_read_as_people_type_and_every_wrong_field_is_named_at_once() {
        let applicant = form().parse().unwrap();
        assert_eq!(applicant.person.number(), "11010519491231002X");
        assert_eq!(applicant.management_no.as_str(), "202400000000");
        assert_eq!((applicant.words, applicant.kind), (None, ScanKind::Pdf));
        let wrong = TicketForm {
            name: String::new(),
            id_number: "1".into(),
            management_no: "x".into(),
            mobile: "1".into(),
            words: Some("字".repeat(201)),
            scan: vec![],
            ..form()
        };
        let Err(Refusal::Invalid(errors)) = wrong.parse() else { panic!("it was taken") };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["name", "id_number", "management_no", "mobile", "words", "scan"]);
    }

    #[test]
    fn the_content_decides_what_a_scan_is() {
        assert_eq!(kind_of(b"\x89PNG\r\n\x1a\n"), Ok(ScanKind::Jpeg));
        assert_eq!(kind_of(b"\xff\xd8\xff\xe0"), Ok(ScanKind::Jpeg));
        for none in [&b"GIF89a"[..], b"<svg", b" %PDF-1.7", b"PK\x03\x04"] {
            assert_eq!(kind_of(none), Err(FieldFault::BadScan(ScanFault::UnknownKind)));
        }
        let mut most = b"%PDF-".to_vec();
        most.resize(SCAN_MOST, b' ');
        assert_eq!(kind_of(&most), Ok(ScanKind::Pdf));
        most.push(b' ');
        assert_eq!(kind_of(&most), Err(FieldFault::BadScan(ScanFault::TooLarge)));
    }
}
