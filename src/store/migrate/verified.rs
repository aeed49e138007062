//! What was verified of a store that is on its way, as it is written down in its new home: so the pause need not do it
//! again.

use serde::{Deserialize, Serialize};

use crate::domain::ids::Sha256;
use crate::domain::ledger::Head;
use crate::store::chain::StoreId;
use crate::store::entry::Bytes;
use crate::store::inspection::Report;
use crate::store::migrate::mentions::Counts;
use crate::store::record::text;

const VERSION: u32 = 1;

/// A beginning of a store that was verified in the home that it moves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    /// The last entry of it.
    pub(crate) head: Head,
    /// What these entries tell of, and the home held.
    pub(crate) counts: Counts,
    /// What was read; nothing was wrong.
    pub(crate) report: Report,
}

/// The same as it is kept.
#[derive(Serialize, Deserialize)]
struct Shape {
    v: u32,
    #[serde(with = "text")]
    store: Bytes<16>,
    /// Where the documents were.
    place: String,
    seq: u64,
    #[serde(with = "text")]
    chain: Sha256,
    certificates: u64,
    annotations: u64,
    accounts: u64,
    sessions: u64,
    codes: u64,
    // A program of before there were any wrote none.
    #[serde(default)]
    tickets: u64,
    #[serde(default)]
    cases: u64,
    #[serde(default)]
    registrants: u64,
    #[serde(default)]
    companies: u64,
    documents: u64,
    records_read: u64,
    documents_read: u64,
    erased: u64,
}

impl Verified {
    /// Nothing yet.
    pub(crate) fn nothing() -> Self {
        let head = Head { seq: 0, chain: Sha256::new([0; 32]) };
        Self { head, counts: Counts::default(), report: Report::default() }
    }

    /// As it is kept in the home of the store `store` whose documents lie at `place`.
    pub(crate) fn print(&self, store: &StoreId, place: &str) -> String {
        let Self { head, counts, report } = self;
        let shape = Shape {
            v: VERSION,
            store: Bytes(*store),
            place: place.to_owned(),
            seq: head.seq,
            chain: head.chain,
            certificates: counts.certificates,
            annotations: counts.annotations,
            accounts: counts.accounts,
            sessions: counts.sessions,
            codes: counts.codes,
            tickets: counts.tickets,
            cases: counts.cases,
            registrants: counts.registrants,
            companies: counts.companies,
            documents: counts.documents,
            records_read: report.records,
            documents_read: report.documents,
            erased: report.erased,
        };
        // Numbers and words only: nothing in it cannot be printed.
        serde_json::to_string(&shape).unwrap_or_default()
    }

    /// Reads what [`Self::print`] gave; none where it speaks of another store or place, or is nothing that is understood.
    pub(crate) fn parse(text: &str, store: &StoreId, place: &str) -> Option<Self> {
        let shape: Shape = serde_json::from_str(text).ok()?;
        if shape.v != VERSION || shape.store != Bytes(*store) || shape.place != place {
            return None;
        }
        let Shape { seq, chain, certificates, annotations, accounts, .. } = shape;
        let Shape { sessions, codes, tickets, cases, registrants, companies, documents, .. } = shape;
        let counts = Counts {
            certificates,
            annotations,
            accounts,
            sessions,
            codes,
            tickets,
            cases,
            registrants,
            companies,
            documents,
        };
        let report = Report {
            entries: seq,
            records: shape.records_read,
            documents: shape.documents_read,
            erased: shape.erased,
            ..Report::default()
        };
        Some(Self { head: Head { seq, chain }, counts, report })
    }
}
