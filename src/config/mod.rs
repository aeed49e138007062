//! Settings: from a TOML file and `VERMILION_*` variables, parsed once into types, every mistake reported together.

pub mod home;
mod limits;
mod policies;
mod reader;
mod regimes;
pub mod sms;
pub mod smtp;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use toml::{Table, Value};

use crate::config::home::Home;
use crate::config::reader::Reader;
use crate::config::sms::Sms;
use crate::config::smtp::Smtp;
use crate::domain::identity::CreditCode;
use crate::domain::policy::PolicyBook;
use crate::http::limits::Limits;
use crate::registration::regime::book::Book;

/// What kind of installation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// For trying out and for tests: keys of `keys-dev/`, a clock that can be moved.
    Development,
    /// For people.
    Production,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Answers calls and makes copies.
    All,
    /// Answers calls only.
    Api,
    /// Makes copies only.
    Worker,
}

/// Every setting.
#[derive(Debug)]
pub struct Settings {
    /// What kind of installation.
    pub profile: Profile,
    /// Where calls are answered.
    pub listen: SocketAddr,
    /// Where metrics are answered, apart from the public.
    pub metrics_listen: Option<SocketAddr>,
    /// Where the public reaches the service; in development the address listened on, where not set.
    pub public_url: Option<String>,
    /// Where the store lies.
    pub home: Home,
    /// The folder of the embedded store.
    pub data: PathBuf,
    /// Encrypts personal data at rest.
    pub master_key: MasterKey,
    /// The key of the seal; the development key where none.
    pub seal: Option<SealFiles>,
    /// Further roots by which strangers' files are judged.
    pub trust: Vec<PathBuf>,
    /// Copies made at a time: more than cores, since a copy waits for the disk three times.
    pub workers: usize,
    /// What the clock shows at the start; in development only.
    pub clock: Option<DateTime<Utc>>,
    /// Addresses whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How much and how often callers may call.
    pub limits: Limits,
    /// Where short messages go.
    pub sms: Option<Sms>,
    /// Where e-mails go.
    pub smtp: Option<Smtp>,
    /// Policies of annotation.
    pub policies: PolicyBook,
    /// Regimes of registration: the bundled ones, and those of files.
    pub regimes: Book,
    /// Seals of issuers.
    pub stamps: BTreeMap<CreditCode, StampText>,
    /// The store takes no more writes when less is free, in MiB.
    pub free_floor_mib: u64,
}

/// The words of an issuer's seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampText {
    /// Name on the arc.
    pub arc: String,
    /// Purpose line.
    pub purpose: String,
    /// Diameter in millimetres.
    pub diameter_mm: u8,
}

/// Where the seal's key and chain lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealFiles {
    /// PKCS#8 key in PEM.
    pub key: PathBuf,
    /// Seal certificate and its issuers in PEM.
    pub chain: PathBuf,
}

/// 32 bytes that wrap every person's key.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(pub [u8; 32]);

impl MasterKey {
    /// The worthless key of development.
    pub const DEVELOPMENT: Self = Self(*b"vermilion development master key");
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Everything that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[error("the settings have {} mistake(s):\n{}", .0.len(), .0.iter().map(|m| format!("  - {m}")).collect::<Vec<_>>().join("\n"))]
pub struct Mistakes(pub Vec<String>);

/// What the command line sets itself.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--data`
    pub data: Option<PathBuf>,
}

impl Settings {
    /// Reads the file, then the environment over it, then the command line over both.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn read(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        overrides: &Overrides,
    ) -> Result<Self, Mistakes> {
        let mut mistakes = Vec::new();
        let mut table = file.map(|file| read_table(file, &mut mistakes)).unwrap_or_default();
        overlay(&mut table, environment);
        let settings = Self::parse(table, overrides, &mut mistakes);
        match settings {
            Some(settings) if mistakes.is_empty() => Ok(settings),
            _ => Err(Mistakes(mistakes)),
        }
    }

    fn parse(table: Table, overrides: &Overrides, mistakes: &mut Vec<String>) -> Option<Self> {
        let mut reader = Reader::new("", table, mistakes);
        let profile = match reader.text("profile").as_deref() {
            None | Some("development") => Profile::Development,
            Some("production") => Profile::Production,
            Some(other) => {
                reader.wrong("profile", format_args!("`{other}` is neither development nor production"));
                Profile::Production
            }
        };
        let listen = reader.parse("listen", "an address and port as 127.0.0.1:8080");
        let metrics_listen = reader.parse("metrics_listen", "an address and port as 127.0.0.1:9090");
        let public_url = reader.text("public_url").map(|url| url.trim_end_matches('/').to_owned());
        let home = home::home(&mut reader);
        let data = reader.text("data").map(PathBuf::from);
        let master_key = master_key(&mut reader);
        let (key, chain) = reader.section("seal", |seal| {
            (seal.text("key").map(PathBuf::from), seal.text("chain").map(PathBuf::from))
        });
        let trust = reader.list("trust").into_iter().map(PathBuf::from).collect();
        let workers = reader.parse("workers", "a whole number");
        let clock = reader.parse("clock", "a moment as 2026-11-21T15:00:00+08:00");
        let trusted_proxies = reader.list("trusted_proxies");
        let limits = limits::limits(&mut reader, profile);
        let sms = sms::sms(&mut reader);
        let smtp = smtp::smtp(&mut reader);
        let free_floor_mib = reader.parse("free_floor_mib", "a whole number of MiB");
        let policy_file = reader.text("policies").map(PathBuf::from);
        let regime_files = reader.list("regimes");
        let stamps = stamps(&mut reader);

        let trusted_proxies = trusted_proxies
            .iter()
            .filter_map(|text| {
                let parsed = text.parse::<IpAddr>().ok();
                if parsed.is_none() {
                    reader.wrong("trusted_proxies", format_args!("`{text}` is not an address"));
                }
                parsed
            })
            .collect();
        let seal = match (key, chain) {
            (Some(key), Some(chain)) => Some(SealFiles { key, chain }),
            (None, None) => None,
            _ => {
                reader.wrong("seal", "key and chain belong together: set both");
                None
            }
        };
        if let Some(url) = &public_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            reader.wrong("public_url", "must begin with https:// (or http:// in development)");
        }
        if !workers.is_none_or(|workers: usize| (1..=64).contains(&workers)) {
            reader.wrong("workers", "must be from 1 to 64");
        }
        if profile == Profile::Production {
            if clock.is_some() {
                reader.wrong("clock", "production shows the real time: remove it");
            }
            require_for_production(&mut reader, public_url.as_deref(), master_key.as_ref(), seal.as_ref());
            home::require_for_production(&mut reader, &home);
            smtp::require_for_production(&mut reader, smtp.as_ref());
        }
        reader.finish();
        let policies = read_policies(policy_file.as_deref(), mistakes);
        let regimes = regimes::read(&regime_files, mistakes);
        Some(Self {
            profile,
            listen: overrides.listen.or(listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            metrics_listen,
            public_url,
            home,
            data: overrides.data.clone().or(data).unwrap_or_else(|| PathBuf::from("data")),
            master_key: master_key.unwrap_or(MasterKey::DEVELOPMENT),
            seal,
            trust,
            workers: workers.unwrap_or_else(|| (4 * cores()).min(64)),
            clock,
            trusted_proxies,
            limits,
            sms,
            smtp,
            policies: policies?,
            regimes: regimes?,
            stamps,
            free_floor_mib: free_floor_mib.unwrap_or(256),
        })
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Production has no defaults that weaken it.
fn require_for_production(
    reader: &mut Reader<'_>,
    public_url: Option<&str>,
    master_key: Option<&MasterKey>,
    seal: Option<&SealFiles>,
) {
    if !public_url.is_some_and(|url| url.starts_with("https://")) {
        reader.wrong("public_url", "production needs an https:// address, as https://verify.example.org");
    }
    if master_key.is_none() {
        reader.wrong(
            "master_key_file",
            "production needs a master key of its own: openssl rand -base64 32 > FILE",
        );
    }
    if master_key == Some(&MasterKey::DEVELOPMENT) {
        reader.wrong("master_key", "production refuses the development master key");
    }
    if seal.is_none() {
        reader.wrong("seal", "production needs a seal key and chain; it refuses those of keys-dev/");
    }
}

fn read_table(file: &Path, mistakes: &mut Vec<String>) -> Table {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            mistakes.push(format!("{}: cannot be read: {error}", file.display()));
            return Table::new();
        }
    };
    text.parse::<Table>().unwrap_or_else(|error| {
        mistakes.push(format!("{}: {}", file.display(), error.message()));
        Table::new()
    })
}

/// The API key of `import`: a variable that is no setting.
pub(crate) const API_KEY: &str = "VERMILION_API_KEY";

/// `VERMILION_SEAL__KEY` sets `seal.key`: two underscores are a dot.
fn overlay(table: &mut Table, environment: impl Iterator<Item = (String, String)>) {
    for (name, value) in environment.filter(|(name, _)| name != API_KEY) {
        let Some(name) = name.strip_prefix("VERMILION_") else { continue };
        let name = name.to_ascii_lowercase();
        let mut target = &mut *table;
        let mut parts = name.split("__").peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                target.insert(part.to_owned(), Value::String(value));
                break;
            }
            let inner = target.entry(part.to_owned()).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else { break };
            target = inner;
        }
    }
}

fn master_key(reader: &mut Reader<'_>) -> Option<MasterKey> {
    let inline = reader.text("master_key");
    let file = reader.text("master_key_file");
    let text = match (inline, file) {
        (Some(_), Some(_)) => {
            reader.wrong("master_key", "set it or master_key_file, not both");
            return None;
        }
        (Some(text), None) => text,
        (None, Some(file)) => match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                reader.wrong("master_key_file", format_args!("{file} cannot be read: {error}"));
                return None;
            }
        },
        (None, None) => return None,
    };
    let key = STANDARD.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    if key.is_none() {
        // Never the text itself: it is a secret.
        reader.wrong("master_key", "32 bytes in base64 are wanted: openssl rand -base64 32");
    }
    key.map(MasterKey)
}

fn stamps(reader: &mut Reader<'_>) -> BTreeMap<CreditCode, StampText> {
    let mut stamps = BTreeMap::new();
    reader.section("stamps", |issuers| {
        for name in issuers.names() {
            let stamp = issuers.section(&name, stamp);
            match (name.parse::<CreditCode>(), stamp) {
                (Ok(uscc), Some(stamp)) => drop(stamps.insert(uscc, stamp)),
                (Err(_), _) => issuers.wrong(&name, "a seal's section is named by its issuer's credit code"),
                (_, None) => {}
            }
        }
    });
    stamps
}

/// One seal (国发〔1999〕25号: ministries 50 mm, others at most 45 mm).
fn stamp(reader: &mut Reader<'_>) -> Option<StampText> {
    let (arc, purpose) = (reader.text("arc"), reader.text("purpose"));
    let diameter_mm = reader.parse("diameter_mm", "a whole number of millimetres").unwrap_or(42);
    if !(30..=50).contains(&diameter_mm) {
        reader.wrong("diameter_mm", "must be from 30 to 50");
    }
    match (arc, purpose) {
        (Some(arc), Some(purpose)) => Some(StampText { arc, purpose, diameter_mm }),
        _ => {
            reader.wrong("arc", "arc and purpose are both wanted");
            None
        }
    }
}

fn read_policies(file: Option<&Path>, mistakes: &mut Vec<String>) -> Option<PolicyBook> {
    let text = match file {
        None => policies::DEFAULT.to_owned(),
        Some(file) => match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                mistakes.push(format!("policies: {} cannot be read: {error}", file.display()));
                return None;
            }
        },
    };
    policies::read(&text, mistakes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::http::limits::Rate;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Mistakes> {
        let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(None, environment, &Overrides::default())
    }

    #[test]
    fn nothing_set_is_development() {
        let settings = read(&[("PATH", "/bin")]).unwrap();
        assert_eq!((settings.profile, settings.clock), (Profile::Development, None));
        assert!((4..=64).contains(&settings.workers));
        assert_eq!(settings.policies.otherwise.quota, 3);
    }

    #[test]
    fn production_names_everything_that_is_missing_at_once() {
        let Err(Mistakes(mistakes)) = read(&[
            ("VERMILION_PROFILE", "production"),
            ("VERMILION_LISTEN", "here"),
            ("VERMILION_CLOCK", "2026-11-21T15:00:00+08:00"),
        ]) else {
            unreachable!("production without settings must be refused")
        };
        for part in ["public_url", "master_key_file", "seal", "listen: `here`", "clock"] {
            assert!(mistakes.iter().any(|mistake| mistake.contains(part)), "{part} in {mistakes:?}");
        }
    }

    #[test]
    fn a_store_on_postgresql_needs_a_place_for_documents_and_no_secret_is_repeated() {
        let Err(mistakes) = read(&[("VERMILION_POSTGRES__URL", "postgres://u:hunter2@db/v")]) else {
            unreachable!("documents have no place")
        };
        assert!(mistakes.to_string().contains("documents: a store on PostgreSQL needs"), "{mistakes}");
        let Err(mistakes) = read(&[
            ("VERMILION_POSTGRES__URL", "hunter2"),
            ("VERMILION_POSTGRES__CONNECTIONS", "1"),
            ("VERMILION_DOCUMENTS__ENDPOINT", "s3"),
            ("VERMILION_DOCUMENTS__BUCKET", "copies"),
            ("VERMILION_DOCUMENTS__ACCESS_KEY", "a"),
            ("VERMILION_DOCUMENTS__SECRET_KEY", "hunter3"),
        ]) else {
            unreachable!("three settings are wrong")
        };
        let text = mistakes.to_string();
        for part in ["postgres.url", "postgres.connections", "documents.endpoint"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("hunter"), "{text}");
    }

    #[test]
    fn a_rate_that_is_set_takes_the_place_of_the_usual_one_and_none_is_no_rate() {
        let settings = read(&[("VERMILION_LIMITS__AGENCY__BURST", "5")]).unwrap();
        let usual = Limits::development();
        assert_eq!(settings.limits.agency, Rate { burst: 5, ..usual.agency });
        assert_eq!(settings.limits.public, usual.public);
        let codes = read(&[("VERMILION_LIMITS__CODES__PER_HOUR", "7")]).unwrap().limits.codes;
        assert_eq!(codes, Rate::per_hour(7, usual.codes.burst));
        let Err(mistakes) =
            read(&[("VERMILION_LIMITS__PUBLIC__PER_SECOND", "0"), ("VERMILION_LIMITS__PAGES__BURST", "1")])
        else {
            unreachable!("two settings are wrong")
        };
        let text = mistakes.to_string();
        for part in ["limits.public.per_second: `0` is not", "limits.pages: no such setting"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn the_key_of_the_import_is_no_setting() {
        assert!(read(&[("VERMILION_API_KEY", "vk_1")]).is_ok());
    }

    #[test]
    fn an_unknown_setting_is_a_mistake_and_a_secret_is_never_repeated() {
        let Err(mistakes) = read(&[("VERMILION_MASTERKEY", "a"), ("VERMILION_MASTER_KEY", "hunter2")]) else {
            unreachable!("an unknown setting must be refused")
        };
        let text = mistakes.to_string();
        assert!(text.contains("masterkey: no such setting") && text.contains("master_key: 32 bytes"));
        assert!(!text.contains("hunter2"));
    }

    #[test]
    fn two_underscores_reach_into_a_section() {
        let settings = read(&[("VERMILION_SEAL__KEY", "k.pem"), ("VERMILION_SEAL__CHAIN", "c.pem")]).unwrap();
        assert_eq!(settings.seal.unwrap().key, PathBuf::from("k.pem"));
    }
}
