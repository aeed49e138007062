//! The public's questions, gathered: those that come while others are at the database go there together next, in one
//! statement. None waits longer for it than for the statement before, and each is answered from what was committed
//! after it was asked, so a revocation or an erasure by another node holds at once.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Row;
use sqlx::postgres::PgRow;
use tokio::sync::{mpsc, oneshot};

use crate::domain::annotation::Annotation;
use crate::domain::certificate::Certificate;
use crate::domain::ids::Code;
use crate::store::Fault;
use crate::store::postgres::connect::again;
use crate::store::postgres::group::array;
use crate::store::postgres::life::{Core, Life};
use crate::store::postgres::reads::{annotation_in, certificate_in, fault};

/// Questions that go together at most.
const TOGETHER: usize = 128;
/// Questions that may wait; more callers wait to ask.
pub(crate) const WAITING_MAX: usize = 1024;

const ASKING: &str = "looking up a code";

/// The rows of a copy.
pub(crate) struct CopyRows {
    annotation: PgRow,
    certificate: PgRow,
}

type Found = HashMap<[u8; 16], Arc<CopyRows>>;

/// A caller who waits for the copy behind a code.
pub(crate) struct Question {
    code: [u8; 16],
    answer: oneshot::Sender<Result<Option<Arc<CopyRows>>, Arc<Fault>>>,
}

/// Answers until it is aborted or nobody can ask any more.
pub(crate) async fn answer(core: Arc<Core>, mut questions: mpsc::Receiver<Question>) {
    let mut group = Vec::with_capacity(TOGETHER);
    while questions.recv_many(&mut group, TOGETHER).await > 0 {
        let codes: Vec<&[u8]> = group.iter().map(|question| &question.code[..]).collect();
        let found = core.copy_rows(&codes).await.map_err(Arc::new);
        for Question { code, answer } in group.drain(..) {
            let rows = found.as_ref().map(|found| found.get(&code).cloned()).map_err(Arc::clone);
            // Whoever no longer waits needs no answer.
            let _ = answer.send(rows);
        }
    }
}

impl Core {
    async fn copy_rows(&self, codes: &[&[u8]]) -> Result<Found, Fault> {
        let rows = again(ASKING, || {
            sqlx::query(
                "/* register.copies_by_code */ with found as (select code, id, certificate, slot, sealed \
                 from annotations where code = any($1)) \
                 select 0 as part, f.code, f.id, f.sealed, k.slot, k.person, k.wrapped \
                 from found f join person_keys k on k.slot = f.slot \
                 union all select 1, f.code, c.id, c.sealed, k.slot, k.person, k.wrapped \
                 from found f join certificates c on c.id = f.certificate join person_keys k on k.slot = c.slot",
            )
            .bind(codes)
            .fetch_all(&self.steady)
        })
        .await?;
        let (mut annotations, mut certificates) = (HashMap::new(), HashMap::new());
        for row in rows {
            let part: i32 = row.try_get("part").map_err(fault)?;
            let rows = if part == 0 { &mut annotations } else { &mut certificates };
            rows.insert(array::<16>(&row, "code").map_err(fault)?, row);
        }
        let pair = |(code, annotation)| {
            let certificate = certificates.remove(&code)?;
            Some((code, Arc::new(CopyRows { annotation, certificate })))
        };
        Ok(annotations.into_iter().filter_map(pair).collect())
    }
}

impl Life {
    /// See [`crate::store::Store::copy_by_code`].
    pub(crate) async fn copy_by_code(&self, code: Code) -> Result<Option<(Annotation, Certificate)>, Fault> {
        let closed = || Fault::new(ASKING, "the store is closed");
        let cipher = self.core.cipher();
        let (answer, answered) = oneshot::channel();
        let question = Question { code: cipher.blind_code(code).0, answer };
        self.questions.send(question).await.map_err(|_| closed())?;
        let rows = match answered.await.map_err(|_| closed())? {
            Ok(rows) => rows,
            Err(failed) => return Err(Fault { away: failed.away, ..Fault::new(ASKING, failed) }),
        };
        let Some(rows) = rows else { return Ok(None) };
        match (annotation_in(&cipher, &rows.annotation)?, certificate_in(&cipher, &rows.certificate)?) {
            // The blind key is a hash; the record has the last word.
            (Some(annotation), Some(certificate)) if annotation.code == code => {
                Ok(Some((annotation, certificate)))
            }
            _ => Ok(None),
        }
    }
}
