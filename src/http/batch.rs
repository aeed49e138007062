//! The batch import: records stream in one a line, are entered many at once, and are answered in order. Neither the body
//! nor the answer is ever held whole.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::record::RecordForm;
use crate::desk::register::Entered;
use crate::desk::{Caller, Idempotency};
use crate::domain::language::Language;
use crate::http::auth::{Agency, CertificatesWrite};
use crate::http::body::{self, Pieces, RECORD};
use crate::http::certificates::{RecordResult, off_the_runtime};
use crate::http::language::Speaks;
use crate::http::lines::{Line, Lines};
use crate::http::params::refuse_query;
use crate::http::problem::Problem;
use crate::http::spool::Spool;
use crate::http::{Shared, gate};

const NDJSON: &str = "application/x-ndjson";

/// Most records in flight: enough for the store to write many with one fsync.
const WINDOW: usize = 256;

/// Most bytes of lines in flight: 256 records with photos would be 256 MiB.
const WINDOW_BYTES: usize = 16 * 1024 * 1024;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(enter_certificates))
}

/// Enters many certificates, a record a line, without a limit to their number.
///
/// A line has at most 1 MiB. Good records are kept; for every line there is a result, in order. The answer starts after
/// the body. With an Idempotency-Key every line that is sent again is answered as the first time.
#[utoipa::path(
    post, path = "/api/v1/admin/certificates/batch", tag = "agency", security(("agency_key" = [])),
    request_body(content = RecordForm, content_type = "application/x-ndjson", description = "A record a line"),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters")),
    responses((status = 200, description = "A result a line", body = RecordResult, content_type = "application/x-ndjson")),
)]
async fn enter_certificates(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<CertificatesWrite>,
    Speaks(language): Speaks,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    refuse_query(&parts.uri)?;
    body::demand(&parts.headers, NDJSON)?;
    let key = body::idempotency_key(&parts.headers)?;
    let key = key.map(|key| Idempotency::parse(key, &[])).transpose()?;
    let _place = api.gates.batch()?;

    let mut lines = Lines::new(Pieces::new(body, &api.gates.limits), RECORD);
    let mut batch = Batch::new(api.clone(), caller, language, key);
    while let Some((number, line)) = lines.next().await? {
        batch.take(number, line).await?;
    }
    batch.finish().await
}

/// A batch on its way in.
struct Batch {
    api: Shared,
    caller: Arc<Caller>,
    language: Language,
    key: Option<Idempotency>,
    window: VecDeque<InFlight>,
    bytes: usize,
    results: Spool,
    fault_told: bool,
}

/// A record that is being entered.
struct InFlight {
    line: u64,
    bytes: usize,
    /// Which certificate it is about, hashed; none where the line is refused already.
    about: Option<u64>,
    work: Work,
}

enum Work {
    Refused(Problem),
    Entering(JoinHandle<Result<Entered, Problem>>),
}

impl Batch {
    fn new(api: Shared, caller: Caller, language: Language, key: Option<Idempotency>) -> Self {
        let results = Spool::new(api.gates.limits.spool.clone());
        Self {
            api,
            caller: Arc::new(caller),
            language,
            key,
            window: VecDeque::with_capacity(WINDOW),
            bytes: 0,
            results,
            fault_told: false,
        }
    }

    /// Begins with a line, once there is room for it.
    async fn take(&mut self, number: u64, line: Line) -> Result<(), Problem> {
        let bytes = line.as_ref().map_or(0, |line| line.len());
        while self.window.len() >= WINDOW || (self.bytes + bytes > WINDOW_BYTES && !self.window.is_empty()) {
            self.settle_first().await?;
        }
        let parsed = line.map_err(|_| Problem::TooLarge(RECORD));
        let parsed = parsed.and_then(|line| Ok((body::parse::<RecordForm>(&line)?, line)));
        let (about, work) = match parsed {
            Err(problem) => (None, Work::Refused(problem)),
            Ok((form, line)) => {
                let about = about(&form);
                // Two records about one certificate are entered in the order in which they stand.
                while self.window.iter().any(|other| other.about == Some(about)) {
                    self.settle_first().await?;
                }
                let key = self.key.as_ref().map(|key| key.of_line(number, &line));
                (
                    Some(about),
                    Work::Entering(tokio::spawn(enter(self.api.clone(), self.caller.clone(), form, key))),
                )
            }
        };
        self.bytes += bytes;
        self.window.push_back(InFlight { line: number, bytes, about, work });
        Ok(())
    }

    /// Waits for the first record in flight and writes its result down.
    async fn settle_first(&mut self) -> Result<(), Problem> {
        let Some(first) = self.window.pop_front() else { return Ok(()) };
        self.bytes -= first.bytes;
        let outcome = match first.work {
            Work::Refused(problem) => Err(problem),
            Work::Entering(handle) => handle.await.unwrap_or(Err(Problem::Panicked)),
        };
        let result = match outcome {
            Ok(entered) => RecordResult::entered(first.line, entered),
            Err(problem) => {
                self.tell_once(&problem);
                RecordResult::refused(
                    first.line,
                    problem.body(&self.api.desk.rules().public_url, self.language),
                )
            }
        };
        let mut printed = serde_json::to_vec(&result).unwrap_or_default();
        printed.push(b'\n');
        self.results.append(&printed).await.map_err(spool_fault)
    }

    /// A machine that fails a million records is one failure in the log.
    fn tell_once(&mut self, problem: &Problem) {
        if let Problem::Fault(error) = problem
            && !std::mem::replace(&mut self.fault_told, true)
        {
            tracing::error!(error = gate::chain(error.as_ref()), "records of a batch could not be entered");
        }
    }

    async fn finish(mut self) -> Result<Response, Problem> {
        while !self.window.is_empty() {
            self.settle_first().await?;
        }
        let length = HeaderValue::from(self.results.length());
        let body = self.results.into_body().await.map_err(spool_fault)?;
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(NDJSON)), (CONTENT_LENGTH, length)];
        Ok((headers, body).into_response())
    }
}

async fn enter(
    api: Shared,
    caller: Arc<Caller>,
    form: RecordForm,
    key: Option<Idempotency>,
) -> Result<Entered, Problem> {
    let record = match form.photo {
        None => form.parse(),
        Some(_) => {
            let _core = api.gates.judge().await?;
            off_the_runtime(move || form.parse()).await?
        }
    };
    Ok(api.desk.enter(&caller, record?, key).await?)
}

fn about(form: &RecordForm) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&form.kind, &form.management_no).hash(&mut hasher);
    hasher.finish()
}

fn spool_fault(error: std::io::Error) -> Problem {
    tracing::error!(%error, "the results of a batch could not be kept");
    Problem::Unavailable("spool")
}
