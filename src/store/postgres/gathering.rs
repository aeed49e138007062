//! The public's questions, gathered: those that come while others are at the database go there together next, in one
//! statement. None waits longer for it than for the statement before, and each is answered from what was committed
//! after it was asked, so a revocation or an erasure by another node holds at once.
//!
//! A node that asked for a code lately remembers the copy, and the digest of the bytes that it was read from. It says
//! that digest with the code, and the database sends the bytes only where theirs is another: what did not change is
//! neither sent nor decrypted again. Where a key was erased there is no digest, so nothing is like it.

use std::sync::Arc;

use sqlx::Row;
use sqlx::postgres::PgRow;
use tokio::sync::{mpsc, oneshot};

use crate::domain::annotation::Annotation;
use crate::domain::certificate::Certificate;
use crate::domain::ids::Code;
use crate::store::Fault;
use crate::store::chain::sha256;
use crate::store::cipher::Cipher;
use crate::store::postgres::connect::again;
use crate::store::postgres::keys::key_under;
use crate::store::postgres::life::{Core, Life};
use crate::store::postgres::reads::{annotation_under, certificate_under, fault};

/// Questions that go together at most.
const TOGETHER: usize = 128;
/// Questions that may wait; more callers wait to ask.
pub(crate) const WAITING_MAX: usize = 1024;

const ASKING: &str = "looking up a code";

/// SHA-256 of both ciphertexts and both wrapped keys.
pub(crate) type Mark = [u8; 32];

/// A copy as it was read.
pub(crate) struct Known {
    pub(crate) mark: Mark,
    pub(crate) annotation: Annotation,
    pub(crate) certificate: Certificate,
}

/// A caller who waits for the copy behind a code.
pub(crate) struct Question {
    code: [u8; 16],
    known: Option<Mark>,
    answer: oneshot::Sender<Result<Found, Arc<Fault>>>,
}

/// What the database says to a question.
enum Found {
    /// It is as the mark says.
    Same,
    /// It is this; empty where there is no copy.
    Row(PgRow),
}

/// Answers until it is aborted or nobody can ask any more.
pub(crate) async fn answer(core: Arc<Core>, mut questions: mpsc::Receiver<Question>) {
    let mut group = Vec::with_capacity(TOGETHER);
    while questions.recv_many(&mut group, TOGETHER).await > 0 {
        // Whoever no longer waits needs no answer.
        match core.look_up(&group).await {
            Ok(found) => {
                for (Question { answer, .. }, found) in group.drain(..).zip(found) {
                    let _ = answer.send(Ok(found));
                }
            }
            Err(failed) => {
                let failed = Arc::new(failed);
                for Question { answer, .. } in group.drain(..) {
                    let _ = answer.send(Err(failed.clone()));
                }
            }
        }
    }
}

impl Core {
    /// What is behind each code, in the order of the questions.
    async fn look_up(&self, group: &[Question]) -> Result<Vec<Found>, Fault> {
        let codes: Vec<&[u8]> = group.iter().map(|question| &question.code[..]).collect();
        let marks: Vec<Option<&[u8]>> =
            group.iter().map(|question| question.known.as_ref().map(|mark| &mark[..])).collect();
        // The limit keeps each code a look-up of its own, whatever the planner believes of the tables' sizes.
        let rows = again(ASKING, || {
            sqlx::query(
                "/* register.copies_by_code */ select asked.nth, found.* \
                 from unnest($1::bytea[], $2::bytea[]) with ordinality as asked (code, mark, nth) \
                 left join lateral (select a.id as annotation, a.sealed as annotation_sealed, \
                 k.slot as annotation_slot, k.person as annotation_person, k.wrapped as annotation_wrapped, \
                 c.id as certificate, c.sealed as certificate_sealed, \
                 l.slot as certificate_slot, l.person as certificate_person, l.wrapped as certificate_wrapped \
                 from annotations a join person_keys k on k.slot = a.slot \
                 join certificates c on c.id = a.certificate join person_keys l on l.slot = c.slot \
                 where a.code = asked.code limit 1) as found on true \
                 where asked.mark is null or asked.mark is distinct from sha256(found.annotation_sealed || \
                 found.annotation_wrapped || found.certificate_sealed || found.certificate_wrapped)",
            )
            .bind(&codes)
            .bind(&marks)
            .fetch_all(&self.steady)
        })
        .await?;
        let mut found: Vec<Found> = group.iter().map(|_| Found::Same).collect();
        for row in rows {
            let nth: i64 = row.try_get("nth").map_err(fault)?;
            let at = usize::try_from(nth - 1).ok().and_then(|at| found.get_mut(at));
            *at.ok_or_else(|| fault("an answer to no question"))? = Found::Row(row);
        }
        Ok(found)
    }
}

/// The mark of what a row holds; none where a key was erased, or there is nothing.
fn mark(row: &PgRow) -> Result<Option<Mark>, Fault> {
    let mut bytes = Vec::new();
    for column in ["annotation_sealed", "annotation_wrapped", "certificate_sealed", "certificate_wrapped"] {
        let Some(part) = row.try_get::<Option<&[u8]>, _>(column).map_err(fault)? else { return Ok(None) };
        bytes.extend_from_slice(part);
    }
    Ok(Some(sha256(&bytes)))
}

/// The copy in a row; none where its person was erased, or there is nothing.
fn read(cipher: &Cipher, row: &PgRow) -> Result<Option<(Annotation, Certificate)>, Fault> {
    let annotation_key = ["annotation_slot", "annotation_person", "annotation_wrapped"];
    let Some(annotation_key) = key_under(cipher, row, annotation_key)? else { return Ok(None) };
    let certificate_key = ["certificate_slot", "certificate_person", "certificate_wrapped"];
    let Some(certificate_key) = key_under(cipher, row, certificate_key)? else { return Ok(None) };
    let annotation = annotation_under(cipher, row, ["annotation", "annotation_sealed"], &annotation_key)?;
    let certificate =
        certificate_under(cipher, row, ["certificate", "certificate_sealed"], &certificate_key)?;
    Ok(Some((annotation, certificate)))
}

impl Life {
    /// See [`crate::store::Store::copy_by_code`].
    pub(crate) async fn copy_by_code(&self, code: Code) -> Result<Option<(Annotation, Certificate)>, Fault> {
        let closed = || Fault::new(ASKING, "the store is closed");
        let cipher = self.core.cipher();
        let blind = cipher.blind_code(code).0;
        let known = self.core.copies.find(&blind).filter(|known| known.annotation.code == code);
        let (answer, answered) = oneshot::channel();
        let question = Question { code: blind, known: known.as_ref().map(|known| known.mark), answer };
        self.questions.send(question).await.map_err(|_| closed())?;
        let row = match answered.await.map_err(|_| closed())? {
            Ok(Found::Row(row)) => row,
            Ok(Found::Same) => {
                let known = known.ok_or_else(|| fault("a code was not answered"))?;
                return Ok(Some((known.annotation.clone(), known.certificate.clone())));
            }
            Err(failed) => return Err(Fault { away: failed.away, ..Fault::new(ASKING, failed) }),
        };
        match (mark(&row)?, read(&cipher, &row)?) {
            // The blind key is a hash; the record has the last word.
            (Some(mark), Some((annotation, certificate))) if annotation.code == code => {
                let (one, other) = (&annotation, &certificate);
                self.core.copies.keep(&blind, || {
                    Arc::new(Known { mark, annotation: one.clone(), certificate: other.clone() })
                });
                Ok(Some((annotation, certificate)))
            }
            _ => {
                self.core.copies.forget(&blind);
                Ok(None)
            }
        }
    }
}
