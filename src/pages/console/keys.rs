//! API keys of programs: made, listed, ended. A secret is shown once, on the page that answers its making.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::desk::DeskError;
use crate::desk::record::Fields;
use crate::domain::certificate::Line;
use crate::domain::identity::CreditCode;
use crate::domain::ids::KeyId;
use crate::domain::key::{ApiKey, Scope};
use crate::pages::assets::Assets;
use crate::pages::console::{Id, KEYS, Shell, Visit, admit, asked, wording};
use crate::pages::faults::Faults;
use crate::pages::form::{Sent, read};
use crate::pages::speech::{Dated, Speech};
use crate::pages::{Counter, page, see_other};

struct Key {
    id: String,
    label: String,
    scopes: Vec<String>,
    issuer: Option<String>,
    created: Dated,
    ended: Option<Dated>,
    revoke: String,
}

struct Choice {
    word: &'static str,
    words: &'static str,
    checked: bool,
}

#[derive(Template)]
#[template(path = "console/keys.html", config = "src/pages/askama.toml")]
struct KeysPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    here: String,
    faults: Faults,
    secret: Option<String>,
    keys: Vec<Key>,
    choices: Vec<Choice>,
    typed: Typed,
    /// The one issuer that the caller's own rights are bound to.
    bound: Option<String>,
}

/// What was typed; scopes come once for each.
#[derive(Debug, Default)]
struct Typed {
    label: String,
    issuer: String,
    scopes: Vec<String>,
}

impl Typed {
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "label" => typed.label = value,
                "issuer" => typed.issuer = value.trim().to_uppercase(),
                "scopes" => typed.scopes.push(value),
                _ => {}
            }
        }
        typed
    }
}

impl Key {
    fn of(key: ApiKey, say: Speech) -> Self {
        let scope = |word: &String| {
            word.parse().map_or_else(|_| word.clone(), |scope| wording::scope(scope, say).to_owned())
        };
        Self {
            id: key.id.to_string(),
            scopes: key.scopes.iter().map(scope).collect(),
            issuer: key.issuer.map(|issuer| issuer.to_string()),
            label: key.label,
            created: say.moment(key.created_at),
            ended: key.revoked_at.map(|at| say.moment(at)),
            revoke: format!("{}/{}/revocation{}", KEYS.path, key.id, say.query()),
        }
    }
}

async fn shown(
    counter: &Counter,
    visit: &Visit,
    typed: Typed,
    faults: Faults,
    secret: Option<String>,
) -> Response {
    let say = visit.say;
    let keys = match counter.desk.keys(visit.caller()).await {
        Ok(keys) => keys,
        Err(error) => return visit.undone(counter, &error),
    };
    let status = if secret.is_some() { StatusCode::CREATED } else { faults.status() };
    // Nobody gives what they do not have.
    let given = Scope::ALL.into_iter().filter(|scope| visit.may(*scope));
    let html = KeysPage {
        say,
        assets: Assets,
        shell: &visit.shell,
        here: KEYS.path.to_owned(),
        faults,
        secret,
        keys: keys.into_iter().rev().map(|key| Key::of(key, say)).collect(),
        choices: given
            .map(|scope| Choice {
                word: scope.word(),
                words: wording::scope(scope, say),
                checked: typed.scopes.iter().any(|word| word == scope.word()),
            })
            .collect(),
        typed,
        bound: visit.caller().issuer().map(ToString::to_string),
    };
    page(&html, status, say)
}

pub(super) async fn list(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    match admit(&counter, &headers, KEYS, say).await {
        Ok(visit) => shown(&counter, &visit, Typed::default(), Faults::default(), None).await,
        Err(elsewhere) => elsewhere,
    }
}

pub(super) async fn create(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    sent: Sent<Vec<(String, String)>>,
) -> Response {
    let visit = match admit(&counter, &headers, KEYS, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let typed = Typed::of(read(sent));
    let mut fields = Fields::default();
    let label: Option<Line<60>> = fields.parse("label", &typed.label);
    let issuer: Option<CreditCode> =
        fields.parse_some("issuer", Some(typed.issuer.as_str()).filter(|it| !it.is_empty()));
    let scopes: Option<Vec<Scope>> = typed.scopes.iter().map(|word| fields.parse("scopes", word)).collect();
    let made = match fields.finish(label.zip(scopes)) {
        Ok((label, scopes)) => counter.desk.create_key(visit.caller(), scopes, issuer, label).await,
        Err(refusal) => Err(refusal.into()),
    };
    match made {
        Ok(new) => {
            let secret = Some(new.secret.reveal().to_owned());
            shown(&counter, &visit, Typed::default(), Faults::default(), secret).await
        }
        Err(DeskError::Refused(refusal)) => {
            shown(&counter, &visit, typed, Faults::of_refusal(&refusal, say), None).await
        }
        Err(error) => visit.undone(&counter, &error),
    }
}

pub(super) async fn revoke(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
) -> Response {
    let (visit, id) = match asked::<KeyId>(&counter, &headers, KEYS, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.revoke_key(visit.caller(), id).await {
        Ok(_) => see_other(&format!("{}{}", KEYS.path, say.query())),
        Err(error) => visit.undone(&counter, &error),
    }
}
