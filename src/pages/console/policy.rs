//! The rules and the seal in force, to look up.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;

use crate::domain::policy::{Cap, Counting, Policy};
use crate::pages::assets::Assets;
use crate::pages::console::{POLICY, Shell, admit};
use crate::pages::speech::{Dated, Speech};
use crate::pages::{Counter, page};

/// Before a seal certificate ends, a new one takes its time.
const WARNED: TimeDelta = TimeDelta::days(60);

struct Rule {
    kind: String,
    days: String,
    places: String,
    scenarios: Vec<String>,
    caps: Vec<String>,
    exempt: Option<Dated>,
}

struct Link {
    heading: &'static str,
    lines: Vec<(&'static str, String, bool)>,
}

#[derive(Template)]
#[template(path = "console/policy.html", config = "src/pages/askama.toml")]
struct PolicyPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    here: String,
    rules: Vec<Rule>,
    chain: Vec<Link>,
    fingerprint: String,
    fictitious: bool,
    warning: Option<String>,
}

impl Rule {
    fn of(kind: String, policy: &Policy, say: Speech) -> Self {
        let Policy { max_days, default_days, quota, window_days, .. } = policy;
        let counting = match policy.counting {
            Counting::Active => say.pick("有效的", "active"),
            Counting::Granted => say.pick("已批准的", "granted"),
        };
        let cap = |cap: &Cap| match (cap, say.is_chinese()) {
            (Cap::Registration, true) => "注册有效期".to_owned(),
            (Cap::Registration, false) => "the registration".to_owned(),
            (Cap::Age(years), true) => format!("{years} 周岁生日前一天"),
            (Cap::Age(years), false) => format!("the day before the {years}th birthday"),
        };
        Self {
            kind,
            days: match say.is_chinese() {
                true => format!("最长 {max_days} 天，建议 {default_days} 天"),
                false => format!("at most {max_days}, {default_days} proposed"),
            },
            places: match say.is_chinese() {
                true => format!("{window_days} 天内{counting}最多 {quota} 个"),
                false => format!("{quota} {counting} within {window_days} days"),
            },
            scenarios: policy
                .scenarios
                .iter()
                .map(|scenario| say.pick(&scenario.chinese, &scenario.english).to_owned())
                .collect(),
            caps: policy.caps.iter().map(cap).collect(),
            exempt: policy.exempt_before.map(|day| say.day(day)),
        }
    }
}

pub(super) async fn show(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    let visit = match admit(&counter, &headers, POLICY, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let seal = match counter.desk.seal_in_force(visit.caller()) {
        Ok(seal) => seal,
        Err(error) => return visit.undone(&counter, &error),
    };
    let now = counter.desk.now();
    let warning = seal.chain.iter().map(|it| it.not_after).min().filter(|end| *end < now + WARNED);
    let warning = warning.map(|end| {
        let (day, left) = (say.moment(end).text, (end - now).num_days());
        match (say.is_chinese(), left < 0) {
            (true, true) => format!("印章证书链中有证书已于 {day} 到期，请立即更换。"),
            (false, true) => format!("A certificate of the chain ended on {day}: replace it now."),
            (true, false) => format!("印章证书链中有证书将于 {day} 到期，还有 {left} 天，请尽快更换。"),
            (false, false) => {
                format!("A certificate of the chain ends on {day}, in {left} days: replace it soon.")
            }
        }
    });
    let chain = seal.chain.iter().enumerate().map(|(at, it)| Link {
        heading: match at {
            0 => say.language.pick("印章证书", "Seal certificate"),
            _ => say.language.pick("上级证书", "Its issuer"),
        },
        lines: vec![
            (say.language.pick("主体", "Subject"), it.subject.clone(), false),
            (say.language.pick("颁发者", "Issuer"), it.issuer.clone(), false),
            (say.language.pick("序列号", "Serial no."), it.serial.clone(), true),
            (say.language.pick("生效", "From"), say.moment(it.not_before).text, false),
            (say.language.pick("到期", "Until"), say.moment(it.not_after).text, false),
            (say.language.pick("摘要", "SHA-256"), it.fingerprint.to_string(), true),
        ],
    });
    let policies = &counter.desk.rules().policies;
    let by_type = policies.by_type.iter().map(|(kind, policy)| Rule::of(kind.to_string(), policy, say));
    let otherwise = say.pick("其他类型", "All others").to_owned();
    let html = PolicyPage {
        say,
        assets: Assets,
        shell: &visit.shell,
        here: POLICY.path.to_owned(),
        rules: by_type.chain([Rule::of(otherwise, &policies.otherwise, say)]).collect(),
        chain: chain.collect(),
        fingerprint: seal.fingerprint.to_string(),
        fictitious: seal.fictitious,
        warning,
    };
    page(&html, StatusCode::OK, say)
}
