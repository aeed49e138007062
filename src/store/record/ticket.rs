//! The shape of a ticket on disk.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::certificate::{Line, ManagementNo, Name};
use crate::domain::event::Actor;
use crate::domain::identity::PersonId;
use crate::domain::ids::{Malformed, Sha256, TicketId};
use crate::domain::ticket::{Scan, Ticket, TicketAnswer, TicketState};
use crate::store::record::{Unreadable, read, text, text_option, write};

#[derive(Serialize, Deserialize)]
struct TicketShape {
    id_type: String,
    id_number: String,
    #[serde(with = "text")]
    name: Name,
    #[serde(with = "text")]
    management_no: ManagementNo,
    mobile: String,
    #[serde(with = "text")]
    scan: Sha256,
    scan_kind: String,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    words: Option<Line<200>>,
    opened_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<AnswerShape>,
}

#[derive(Serialize, Deserialize)]
struct AnswerShape {
    outcome: String,
    #[serde(with = "text")]
    words: Line<200>,
    #[serde(with = "text")]
    by: Actor,
    at: DateTime<Utc>,
}

/// The bytes of a ticket, to be encrypted.
pub(crate) fn write_ticket(ticket: &Ticket) -> Result<Vec<u8>, Unreadable> {
    let Ticket { id: _, person, name, management_no, mobile, scan, words, opened_at, state } = ticket.clone();
    write(&TicketShape {
        id_type: person.id_type().to_owned(),
        id_number: person.number().to_owned(),
        name,
        management_no,
        mobile: mobile.as_str().to_owned(),
        scan: scan.document,
        scan_kind: scan.kind.word().to_owned(),
        words,
        opened_at,
        answer: match state {
            TicketState::Open => None,
            TicketState::Answered(TicketAnswer { outcome, words, by, at }) => {
                Some(AnswerShape { outcome: outcome.word().to_owned(), words, by, at })
            }
        },
    })
}

/// Reads what [`write_ticket`] gave, of any version.
pub(crate) fn read_ticket(id: TicketId, bytes: &[u8]) -> Result<Ticket, Unreadable> {
    let shape: TicketShape = read(bytes)?;
    let state = match shape.answer {
        None => TicketState::Open,
        Some(AnswerShape { outcome, words, by, at }) => {
            let outcome = outcome.parse().map_err(|_| Malformed("outcome"))?;
            TicketState::Answered(TicketAnswer { outcome, words, by, at })
        }
    };
    Ok(Ticket {
        id,
        person: PersonId::parse(&shape.id_type, &shape.id_number).map_err(|_| Malformed("identity"))?,
        name: shape.name,
        management_no: shape.management_no,
        mobile: shape.mobile.parse().map_err(|_| Malformed("mobile"))?,
        scan: Scan {
            document: shape.scan,
            kind: shape.scan_kind.parse().map_err(|_| Malformed("kind of scan"))?,
        },
        words: shape.words,
        opened_at: shape.opened_at,
        state,
    })
}
