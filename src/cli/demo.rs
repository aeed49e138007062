//! `vermilion demo`: the main job on an embedded store, nothing else installed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::app::Failure;
use crate::app::{self, Service};
use crate::cli::output::{note, say};
use crate::config::{Overrides, Role, Settings};
use crate::desk::account::development::{Made, draw_password};
use crate::desk::order::OrderForm;
use crate::desk::record::RecordForm;
use crate::desk::{Caller, Desk};
use crate::domain::account::Owner;
use crate::domain::annotation::{Annotation, Phase};
use crate::domain::certificate::{Certificate, Holder, Name};
use crate::domain::key::Scope;
use crate::domain::language::Language;
use crate::domain::query::CertificateQuery;
use crate::domain::refusal::FieldFault;
use crate::domain::staff::{Level, Post, Role as Staff};
use crate::domain::tally::Door;
use crate::domain::verdict::Verdict;
use crate::seal::key::development;

/// 300 synthetic certificates, with rare characters, long and Latin names.
const SAMPLES: &str = include_str!("../../tests/samples/certificates.ndjson");

/// The demo's copy is made in seconds, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Do the job, then exit instead of serving.
    #[arg(long)]
    once: bool,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
    /// Where annotated.pdf and the development chain are written.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Folder of the embedded store.
    #[arg(long, value_name = "DIR", default_value = "data-demo")]
    data: PathBuf,
    /// Address and port to answer on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl Demo {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let listen = self
            .listen
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], if self.once { 0 } else { 8080 })));
        // The demo is the same whatever the environment holds.
        let overrides = Overrides { listen: Some(listen), data: Some(self.data.clone()) };
        let settings = Settings::read(None, std::iter::empty(), &overrides)?;
        app::block_on(async move {
            let service = Service::start(settings, Role::All).await?;
            let done = self.main_job(service.desk()).await?;
            self.report(&service, &done).await?;
            if self.once {
                service.stop().await?;
            } else {
                note(&format!("listening on http://{}, until Ctrl-C", service.address()));
                service.run_until_signalled().await?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn main_job(&self, desk: &Desk) -> Result<Done, Failure> {
        let caller = desk.operator();
        let begun = Instant::now();
        let certificates = load(desk, &caller).await?;
        let imported = begun.elapsed();

        let chosen = choose(desk, &caller).await?;
        let begun = Instant::now();
        let form = OrderForm {
            scenario: "self_use".parse().map_err(|_| "a scenario that no policy knows")?,
            days: 90,
            recipient: "示例建设集团有限公司".parse().ok(),
            on_behalf_reason: "demo".parse().ok(),
        };
        let ordered = desk.order(&caller, chosen.id, form, None).await?.annotation;
        let accepted = begun.elapsed();
        let annotation = wait(desk, &caller, &ordered).await?;
        let ready = begun.elapsed();

        let begun = Instant::now();
        let document = desk.document(&caller, annotation.id).await?;
        std::fs::create_dir_all(&self.out)?;
        let pdf = self.out.join("annotated.pdf");
        std::fs::write(&pdf, &document.bytes)?;
        let chain = self.out.join("development-chain.pem");
        std::fs::write(&chain, [development::SEAL_PEM, development::ROOT_PEM].concat())?;
        let verdict = desk.verify_document(document.bytes).await?.finding.word();
        if verdict != Verdict::Genuine.word()
            || desk.verify(&annotation.code.to_string(), Door::Program).await?.verdict != Verdict::Genuine
        {
            return Err(format!("the copy was made, but it is judged {verdict}").into());
        }
        Ok(Done {
            annotation,
            certificate: chosen,
            pdf,
            chain,
            certificates,
            imported,
            accepted,
            ready,
            verified: begun.elapsed(),
        })
    }

    async fn report(&self, service: &Service, done: &Done) -> Result<(), Failure> {
        let desk = service.desk();
        let verify_url = format!("{}/v/{}", desk.rules().public_url, done.annotation.code);
        let document = done.annotation.sealed().map(|sealed| sealed.document.to_string()).unwrap_or_default();
        let millis = |time: Duration| (time.as_secs_f64() * 1e5).round() / 100.0;
        if self.json {
            let answer = json!({
                "annotation_id": done.annotation.id.to_string(),
                "code": done.annotation.code.to_string(),
                "verify_url": verify_url,
                "document": absolute(&done.pdf),
                "document_sha256": document,
                "issuer_chain": absolute(&done.chain),
                "timings_ms": {
                    "import": millis(done.imported), "order": millis(done.accepted),
                    "order_to_ready": millis(done.ready), "verify": millis(done.verified),
                },
            });
            say(&answer.to_string());
            return Ok(());
        }
        say(&format!("{} sample certificates in {}", done.certificates, self.data.display()));
        say(&format!("sealed copy      {}", absolute(&done.pdf)));
        say(&format!("its chain        {}", absolute(&done.chain)));
        say(&format!("verification     {verify_url}"));
        say(&format!("code to type     {}", done.annotation.code.grouped()));
        if !self.once {
            let label = "demo".parse().map_err(|_| "a label of the wrong length")?;
            let key = desk.create_key(&desk.operator(), vec![Scope::Everything], None, label).await?;
            say(&format!("agency API key   {}", key.secret.reveal()));
            say(&format!("API document     {}/openapi.json", desk.rules().public_url));
            say(&format!("log in at        {}/login", desk.rules().public_url));
            let Holder { id, name, .. } = &done.certificate.details.holder;
            open(desk, "holder", Owner::Holder(id.clone()), name.clone()).await?;
            open(desk, "administrator", administrator()?, "示例管理员".parse().map_err(fault)?).await?;
            let uscc = UNIT.parse().map_err(fault)?;
            let unit = Owner::Unit { uscc, former_names: Vec::new() };
            open(desk, "unit", unit, "示例建设集团有限公司".parse().map_err(fault)?).await?;
        }
        Ok(())
    }
}

/// A unit that does not exist.
const UNIT: &str = "91430000MA4DEM002J";

/// Of every issuer, in every region.
fn administrator() -> Result<Owner, Failure> {
    let login = "admin.demo".parse().map_err(fault)?;
    let (level, role) = (Level::Ministry, Staff::Administrator);
    Ok(Owner::Staff(Post { login, level, region: None, role, issuer: None }))
}

/// What is wrong with a field, of a demo's own data.
fn fault(fault: FieldFault) -> Failure {
    fault.message(Language::English).into()
}

/// Opens an account, or takes the one of an earlier demo, with a fresh password, and prints what is typed to log in.
async fn open(desk: &Desk, whose: &str, owner: Owner, name: Name) -> Result<(), Failure> {
    let (login, password) = (owner.login(), draw_password()?);
    let mobile = "13800000000".parse().map_err(fault)?;
    let made = Made { owner, name, mobile, password: Some(password.clone()) };
    let ready = desk.make_account(made).await?;
    let secret = ready.second_factor().map(|secret| format!(", second factor {secret} (TOTP)"));
    say(&format!("{whose:<16} {}, password {password}{}", login.as_str(), secret.unwrap_or_default()));
    Ok(())
}

struct Done {
    annotation: Annotation,
    certificate: Certificate,
    pdf: PathBuf,
    chain: PathBuf,
    certificates: usize,
    imported: Duration,
    accepted: Duration,
    ready: Duration,
    verified: Duration,
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

async fn load(desk: &Desk, caller: &Caller) -> Result<usize, Failure> {
    use futures_util::{StreamExt as _, TryStreamExt as _, stream};
    let records = SAMPLES.lines().map(|line| async move {
        let form: RecordForm = serde_json::from_str(line)?;
        let record = form.parse().map_err(|refusal| refusal.code())?;
        desk.enter(caller, record, None).await?;
        Ok::<_, Failure>(())
    });
    let entered: Vec<()> = stream::iter(records).buffered(64).try_collect().await?;
    Ok(entered.len())
}

/// The first sample that needs an annotation and has a place left, so that the demo may run again on its data.
async fn choose(desk: &Desk, caller: &Caller) -> Result<Certificate, Failure> {
    let mut after = None;
    loop {
        let page =
            desk.certificates(caller, CertificateQuery { after, limit: 500, ..Default::default() }).await?;
        for certificate in &page.items {
            let policy = desk.rules().policies.of(&certificate.details.kind);
            if !policy.exempts(certificate) && desk.places(caller, certificate.id).await?.left > 0 {
                return Ok(certificate.clone());
            }
        }
        after = page.items.last().map(|certificate| certificate.id);
        if !page.more {
            return Err(
                "every sample has three active annotations already: delete the data folder or wait".into()
            );
        }
    }
}

async fn wait(desk: &Desk, caller: &Caller, ordered: &Annotation) -> Result<Annotation, Failure> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let annotation = desk.annotation(caller, ordered.id).await?;
        match annotation.phase_on(desk.today()) {
            Phase::Ready => return Ok(annotation),
            Phase::Queued | Phase::Sealing => tokio::time::sleep(Duration::from_millis(2)).await,
            phase => return Err(format!("the annotation ended as {}", phase.word()).into()),
        }
    }
    Err("the copy was not ready in time".into())
}
