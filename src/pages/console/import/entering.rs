//! Enters a file while it arrives: a thread reads its records, and many are entered at once, those about one certificate
//! in the order in which they stand.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::multipart::Field;
use futures_util::{StreamExt as _, stream};
use tokio::sync::{Mutex, mpsc};

use crate::desk::record::RecordForm;
use crate::desk::register::How;
use crate::desk::{Caller, Desk, DeskError};
use crate::domain::refusal::Refusal;
use crate::http::gate::chain;
use crate::http::record_file::{Kind, Numbered, read};
use crate::pages::console::import::refused::Refused;
use crate::pages::console::import::{Import, lock};
use crate::pages::speech::Speech;

/// Records in flight: enough for the ledger to write many with one fsync, few enough for the memory if all have photos.
const AT_ONCE: usize = 32;
/// Pieces of the file that wait for the reading thread.
const PIECES: usize = 4;
/// How long the next piece may take.
const PAUSE: Duration = Duration::from_secs(15);

/// Why an import ended before its file did.
#[derive(Clone, Copy, Debug)]
pub(super) enum Broken {
    /// The file did not arrive whole.
    Upload,
    /// The store took no more.
    Unavailable,
    /// The machine failed.
    Fault,
}

impl Broken {
    pub(super) fn words(self, say: Speech) -> &'static str {
        let (zh, en) = match self {
            Self::Upload => (
                "文件没有传完整。已处理的记录有效，请重新导入同一个文件，不会产生重复记录。",
                "The file did not arrive whole. What was entered stays; hand the same file in again, nothing is entered twice.",
            ),
            Self::Unavailable => (
                "系统暂时不能写入。已处理的记录有效，请稍后重新导入同一个文件。",
                "Nothing can be written just now. What was entered stays; hand the same file in again later.",
            ),
            Self::Fault => (
                "系统出了故障，故障已经记录。已处理的记录有效，请稍后重新导入同一个文件。",
                "Something broke on our side and was recorded. What was entered stays; hand the same file in again later.",
            ),
        };
        say.language.pick(zh, en)
    }
}

/// What a reading thread is fed with.
struct Pieces {
    from: mpsc::Receiver<Option<Bytes>>,
    piece: Bytes,
    ended: bool,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() && !self.ended {
            match self.from.blocking_recv() {
                Some(Some(piece)) => self.piece = piece,
                Some(None) => self.ended = true,
                // The file broke off: its last line is none.
                None => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let length = self.piece.len().min(into.len());
        into[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}

/// Enters a file; what became of it is told to the import as it goes.
pub(super) async fn enter_all(
    desk: &Desk,
    caller: &Caller,
    import: &Import,
    kind: Kind,
    mut file: Field<'_>,
) {
    let (feed, from) = mpsc::channel(PIECES);
    let (tell, mut told) = mpsc::channel::<Numbered>(AT_ONCE);
    let reader = tokio::task::spawn_blocking(move || {
        let pieces = Pieces { from, piece: Bytes::new(), ended: false };
        for numbered in read(kind, pieces) {
            if tell.blocking_send(numbered).is_err() {
                break;
            }
        }
    });
    let upload = async {
        loop {
            match tokio::time::timeout(PAUSE, file.chunk()).await {
                Ok(Ok(Some(piece))) => {
                    let length = piece.len() as u64;
                    if feed.send(Some(piece)).await.is_err() {
                        // Nobody reads any more: why, the import knows.
                        break;
                    }
                    lock(&import.state).bytes += length;
                }
                Ok(Ok(None)) => {
                    let _ = feed.send(None).await;
                    break;
                }
                Ok(Err(_)) | Err(_) => {
                    lock(&import.state).broken.get_or_insert(Broken::Upload);
                    break;
                }
            }
        }
        drop(feed);
    };
    let entering = async move {
        // Two records about one certificate wait for each other; a turn is taken in the order of the lines.
        let turns: Vec<Arc<Mutex<()>>> = (0..AT_ONCE * 4).map(|_| Arc::default()).collect();
        let records = stream::poll_fn(move |context| told.poll_recv(context));
        let turned = records.then(|numbered| {
            let turn = numbered.record.as_ref().ok().map(|form| turns[about(form) % turns.len()].clone());
            async move {
                let turn = match turn {
                    Some(turn) => Some(turn.lock_owned().await),
                    None => None,
                };
                (numbered, turn)
            }
        });
        let entered = turned.map(|(numbered, turn)| async move {
            let entered = enter(desk, caller, numbered).await;
            drop(turn);
            entered
        });
        let mut entered = std::pin::pin!(entered.buffered(AT_ONCE));
        while let Some(outcome) = entered.next().await {
            if let Err(broken) = note(import, outcome) {
                lock(&import.state).broken = Some(broken);
                break;
            }
        }
    };
    tokio::join!(upload, entering);
    if reader.await.is_err() {
        lock(&import.state).broken = Some(Broken::Fault);
    }
    lock(&import.state).done = true;
}

fn about(form: &RecordForm) -> usize {
    let mut hasher = DefaultHasher::new();
    (&form.kind, &form.management_no).hash(&mut hasher);
    hasher.finish() as usize
}

enum Outcome {
    Entered(How),
    Refused(Refused),
    Failed(DeskError),
}

fn note(import: &Import, outcome: Outcome) -> Result<(), Broken> {
    let mut state = lock(&import.state);
    state.records += 1;
    match outcome {
        Outcome::Entered(How::Created) => state.created += 1,
        Outcome::Entered(How::Updated) => state.updated += 1,
        Outcome::Entered(How::Unchanged) => state.unchanged += 1,
        Outcome::Refused(refused) => {
            state.refused += 1;
            drop(state);
            lock(&import.kept).add(refused);
        }
        Outcome::Failed(DeskError::Unavailable(why)) => {
            state.records -= 1;
            tracing::warn!(why, "an import was broken off");
            return Err(Broken::Unavailable);
        }
        Outcome::Failed(error) => {
            state.records -= 1;
            tracing::error!(error = chain(&error), "an import was broken off");
            return Err(Broken::Fault);
        }
    }
    Ok(())
}

async fn enter(desk: &Desk, caller: &Caller, numbered: Numbered) -> Outcome {
    let Numbered { line, record } = numbered;
    let mut form = match record {
        Ok(form) => form,
        Err(unread) => return Outcome::Refused(Refused::unread(line, unread)),
    };
    let photo = form.photo.take();
    let without_photo = form.clone();
    form.photo = photo;
    let refused = |refusal: Refusal| Outcome::Refused(Refused::by_rule(line, without_photo.clone(), refusal));
    // A photo is decoded and encoded again, which takes a core.
    let parsed = match form.photo {
        None => form.parse(),
        Some(_) => match tokio::task::spawn_blocking(move || form.parse()).await {
            Ok(parsed) => parsed,
            Err(_) => return refused(Refusal::field("photo", crate::domain::refusal::FieldFault::NotBase64)),
        },
    };
    let record = match parsed {
        Ok(record) => record,
        Err(refusal) => return refused(refusal),
    };
    match desk.enter(caller, record, None).await {
        Ok(entered) => Outcome::Entered(entered.how),
        Err(DeskError::Refused(refusal)) => refused(refusal),
        Err(error) => Outcome::Failed(error),
    }
}
