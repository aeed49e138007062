//! `vermilion admin` and `vermilion evidence`: API keys, staff and bundles, beside the data folder or through a running service.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::app;
use crate::app::Failure;
use crate::cli::output::{note, say};
use crate::cli::{Place, Server};
use crate::desk::DeskError;
use crate::desk::account::invitation::InviteeForm;
use crate::domain::identity::CreditCode;
use crate::domain::ids::AnnotationId;
use crate::domain::key::Scope;
use crate::domain::language::Language;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Admin {
    /// API keys of agencies.
    #[command(subcommand)]
    Key(Key),
    /// Accounts of staff.
    #[command(subcommand)]
    Staff(Staff),
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Staff {
    /// Invites somebody and prints the link, this once: the first administrator comes in by it.
    Invite {
        /// The name to log in with.
        #[arg(long)]
        login: String,
        /// What they are called.
        #[arg(long)]
        name: String,
        /// Mobile number, for codes where the password is forgotten.
        #[arg(long)]
        mobile: String,
        /// administrator, registrar, reviewer or auditor.
        #[arg(long)]
        role: String,
        /// province, association, ministry or department.
        #[arg(long)]
        level: String,
        /// Two digits; every region where none.
        #[arg(long)]
        region: Option<String>,
        /// Credit code of the one issuer whose certificates they deal with, or * for all.
        #[arg(long)]
        issuer: String,
        /// One JSON object on stdout.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Key {
    /// Makes a key and prints it, this once.
    Create {
        /// Scopes, separated by commas; * for all.
        #[arg(long, value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// Credit code of the one issuer it may act for, or * for all.
        #[arg(long)]
        issuer: String,
        /// What people call it.
        #[arg(long, default_value = "unnamed")]
        label: String,
        /// One JSON object on stdout.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        server: Server,
    },
}

impl Admin {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Key(Key::Create { scopes, issuer, label, json, place, server }) => {
                let body = json!({ "scopes": scopes, "issuer": issuer, "label": label });
                let answer = match &server.server {
                    Some(url) => ask(url, "keys", &server, &body)?,
                    None => create_beside(&place, &scopes, &issuer, &label)?,
                };
                show(&answer, "key", json, "Shown this once: keep it where secrets are kept.");
            }
            Self::Staff(Staff::Invite {
                login,
                name,
                mobile,
                role,
                level,
                region,
                issuer,
                json,
                place,
                server,
            }) => {
                let answer = match &server.server {
                    Some(url) => {
                        let body = json!({ "login": login, "name": name, "mobile": mobile, "role": role,
                            "level": level, "region": region, "issuer": issuer });
                        ask(url, "staff", &server, &body)?
                    }
                    None => {
                        let issuer = Some(issuer).filter(|issuer| issuer != "*");
                        let form = InviteeForm { login, name, mobile, role, level, region, issuer };
                        invite_beside(&place, &form)?
                    }
                };
                show(&answer, "link", json, "Shown this once; it is good for three days and works once.");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Asks a running service to make something.
fn ask(url: &str, what: &str, server: &Server, body: &Value) -> Result<Value, Failure> {
    let made = ureq::post(format!("{url}/api/v1/admin/{what}"))
        .header("Authorization", format!("Bearer {}", server.key.as_deref().unwrap_or_default()))
        .send_json(body)?;
    Ok(made.into_body().read_json::<Value>()?)
}

/// Prints what was made: all of it, or the one thing that is shown once.
fn show(answer: &Value, field: &str, json: bool, hint: &str) {
    if json {
        say(&answer.to_string());
    } else {
        say(answer.get(field).and_then(Value::as_str).unwrap_or_default());
        note(hint);
    }
}

fn invite_beside(place: &Place, form: &InviteeForm) -> Result<Value, Failure> {
    let invitee = form.parse().map_err(|refusal| refusal.detail(Language::English))?;
    let settings = place.settings(None)?;
    app::block_on(async move {
        let (desk, store) = app::open_desk(&settings).await?;
        let invited = desk.invite(&desk.operator(), &invitee).await;
        store.close().await?;
        let invited = match invited {
            Err(DeskError::Refused(refusal)) => return Err(refusal.detail(Language::English).into()),
            invited => invited?,
        };
        Ok(json!({ "link": invited.link(&desk.rules().public_url),
            "expires_at": invited.expires_at.to_rfc3339(), "id": invited.account.id.to_string() }))
    })
}

fn create_beside(place: &Place, scopes: &[String], issuer: &str, label: &str) -> Result<Value, Failure> {
    let word = |text: &String| -> Result<Scope, Failure> {
        text.parse().map_err(|_| format!("`{text}` is no scope; see --help").into())
    };
    let scopes = scopes.iter().map(word).collect::<Result<Vec<_>, _>>()?;
    let issuer = match issuer {
        "*" => None,
        code => {
            Some(code.parse::<CreditCode>().map_err(|_| format!("`{code}` is neither a credit code nor *"))?)
        }
    };
    let label = label.parse().map_err(|_| "a label has 1 to 60 characters")?;
    let settings = place.settings(None)?;
    app::block_on(async move {
        let (desk, store) = app::open_desk(&settings).await?;
        let made = desk.create_key(&desk.operator(), scopes, issuer, label).await?;
        store.close().await?;
        Ok(json!({ "key": made.secret.reveal(), "id": made.key.id.to_string(), "scopes": made.key.scopes,
            "issuer": made.key.issuer.map_or("*".to_owned(), |code| code.to_string()) }))
    })
}

#[derive(Debug, clap::Args)]
pub(super) struct Evidence {
    /// The annotation's id.
    annotation: AnnotationId,
    /// Where the bundle is written.
    #[arg(long, value_name = "FILE.zip")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    server: Server,
}

impl Evidence {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let bytes = match &self.server.server {
            Some(url) => ureq::get(format!("{url}/api/v1/admin/annotations/{}/evidence", self.annotation))
                .header("Authorization", format!("Bearer {}", self.server.key.as_deref().unwrap_or_default()))
                .call()?
                .into_body()
                .read_to_vec()?,
            None => {
                let settings = self.place.settings(None)?;
                app::block_on(async move {
                    let (desk, store) = app::open_desk(&settings).await?;
                    let bundle = desk.evidence(&desk.operator(), self.annotation).await?;
                    store.close().await?;
                    Ok(bundle.bytes)
                })?
            }
        };
        std::fs::write(&self.out, bytes)?;
        say(&self.out.display().to_string());
        Ok(ExitCode::SUCCESS)
    }
}
