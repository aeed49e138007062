//! Where the store lies: a folder of this machine, or a PostgreSQL and a place for documents that many nodes share.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::config::reader::Reader;
use crate::seal::pem;

/// Where the store lies.
#[derive(Clone, Debug)]
pub enum Home {
    /// In the folder `data`.
    Embedded,
    /// In a database, its documents beside it.
    Postgres(Shared),
}

/// A database and a place for documents that every node reaches.
#[derive(Clone)]
pub struct Shared {
    /// `postgres://user:password@host/database?sslmode=verify-full`
    pub url: Zeroizing<String>,
    /// Connections of one node at most.
    pub connections: u32,
    /// Where the documents lie.
    pub documents: Documents,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared({:?}, {} connections)", self.documents, self.connections)
    }
}

/// Where documents lie.
#[derive(Clone)]
pub enum Documents {
    /// In a folder that every node sees.
    Folder(PathBuf),
    /// In a bucket of an S3-compatible server.
    S3 {
        /// Address of the server.
        endpoint: String,
        /// The bucket.
        bucket: String,
        /// Its region.
        region: String,
        /// Who asks.
        access_key: String,
        /// The secret of it.
        secret_key: Zeroizing<String>,
        /// Certificates in PEM of the only authorities that may vouch for the server; where none, those of the system.
        authorities: Option<String>,
    },
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "Folder({})", folder.display()),
            Self::S3 { endpoint, bucket, .. } => write!(f, "S3({bucket} of {endpoint})"),
        }
    }
}

/// The sections `postgres` and `documents`.
pub(super) fn home(reader: &mut Reader<'_>) -> Home {
    let postgres = reader.section("postgres", |postgres| {
        (secret(postgres, "url"), postgres.parse("connections", "a whole number"))
    });
    let documents = reader.section("documents", documents);
    match (postgres, documents) {
        ((None, None), None) => Home::Embedded,
        ((Some(url), connections), Some(documents)) => {
            let connections = connections.unwrap_or(16);
            if !(6..=200).contains(&connections) {
                reader.wrong("postgres.connections", "must be from 6 to 200");
            }
            if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
                // Never the text itself: it holds a password.
                reader.wrong("postgres.url", "must be as postgres://user:password@host/database");
            }
            Home::Postgres(Shared { url, connections, documents })
        }
        ((Some(_), _), None) => {
            reader.wrong(
                "documents",
                "a store on PostgreSQL needs a place for documents: set documents.folder, or documents.endpoint and \
                 documents.bucket",
            );
            Home::Embedded
        }
        ((None, _), _) => {
            reader
                .wrong("postgres.url", "missing: documents and connections belong to a store on PostgreSQL");
            Home::Embedded
        }
    }
}

/// What production asks: whoever stands between this machine and another neither reads along nor answers instead.
pub(super) fn require_for_production(reader: &mut Reader<'_>, home: &Home) {
    let Home::Postgres(shared) = home else { return };
    if !Address::of(&shared.url).is_private() {
        reader.wrong(
            "postgres.url",
            "production knows a database on another machine by its certificate: add ?sslmode=verify-full, and \
             &sslrootcert=FILE where its authority is one's own",
        );
    }
    if let Documents::S3 { endpoint, .. } = &shared.documents
        && endpoint.starts_with("http://")
        && !Address::of(endpoint).is_near()
    {
        reader.wrong(
            "documents.endpoint",
            "production reaches an object store on another machine by https:// only",
        );
    }
}

/// What an address says of the way to a server: `scheme://user:password@host:port/name?parameter=value`.
pub(super) struct Address<'a> {
    /// Every host that it names; the last of them counts.
    hosts: Vec<&'a str>,
    /// What it asks of TLS; the last of them counts.
    modes: Vec<&'a str>,
}

impl<'a> Address<'a> {
    pub(super) fn of(url: &'a str) -> Self {
        let url = url.split('#').next().unwrap_or_default();
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        let place = authority.rsplit('@').next().unwrap_or_default();
        let host = match place.split_once(']') {
            Some((numbers, _)) => numbers.trim_start_matches('['),
            None => place.split(':').next().unwrap_or_default(),
        };
        let values = |names: [&'a str; 2]| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(move |(name, _)| names.contains(name)).map(|(_, value)| value)
        };
        let hosts = [host].into_iter().filter(|host| !host.is_empty()).chain(values(["host", "hostaddr"]));
        Self { hosts: hosts.collect(), modes: values(["sslmode", "ssl-mode"]).collect() }
    }

    /// Whether it leads to this machine: by loopback, or by a socket.
    pub(super) fn is_near(&self) -> bool {
        let is_near = |host: &&str| {
            let is_loopback = || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
            *host == "localhost"
                || ["/", "%2F", "%2f"].iter().any(|root| host.starts_with(root))
                || is_loopback()
        };
        // Without a host it leads where the environment says.
        !self.hosts.is_empty() && self.hosts.iter().all(is_near)
    }

    /// Whether nobody can stand between.
    fn is_private(&self) -> bool {
        let is_verified = |mode: &&str| ["verify-full", "verify-ca"].contains(mode);
        self.is_near() || (!self.modes.is_empty() && self.modes.iter().all(is_verified))
    }
}

fn documents(reader: &mut Reader<'_>) -> Option<Documents> {
    let folder = reader.text("folder").map(PathBuf::from);
    let (endpoint, bucket) = (reader.text("endpoint"), reader.text("bucket"));
    let region = reader.text("region");
    let (access_key, secret_key) = (reader.text("access_key"), secret(reader, "secret_key"));
    let authorities = reader.text("ca_file").and_then(|file| authorities(reader, &file));
    match (folder, endpoint, bucket) {
        (None, None, None) => None,
        (Some(folder), None, None) => Some(Documents::Folder(folder)),
        (None, Some(endpoint), Some(bucket)) => {
            if !(endpoint.starts_with("https://") || endpoint.starts_with("http://")) {
                reader.wrong(
                    "endpoint",
                    "must begin with https:// (or http:// on this machine or in development)",
                );
            }
            let (Some(access_key), Some(secret_key)) = (access_key, secret_key) else {
                reader.wrong("access_key", "access_key and secret_key (or secret_key_file) are both wanted");
                return None;
            };
            let region = region.unwrap_or_else(|| "us-east-1".to_owned());
            Some(Documents::S3 { endpoint, bucket, region, access_key, secret_key, authorities })
        }
        (Some(_), _, _) => {
            reader.wrong("folder", "set it, or endpoint and bucket, not both");
            None
        }
        _ => {
            reader.wrong("endpoint", "endpoint and bucket belong together: set both");
            None
        }
    }
}

/// The certificates of a file.
pub(super) fn authorities(reader: &mut Reader<'_>, file: &str) -> Option<String> {
    match std::fs::read_to_string(file) {
        Ok(text) if pem::certificates(&text).is_ok() => Some(text),
        Ok(_) => {
            reader.wrong("ca_file", format_args!("{file} holds no certificate in PEM"));
            None
        }
        Err(error) => {
            reader.wrong("ca_file", format_args!("{file} cannot be read: {error}"));
            None
        }
    }
}

/// A secret, or the file that holds it (`<name>_file`).
pub(super) fn secret(reader: &mut Reader<'_>, name: &str) -> Option<Zeroizing<String>> {
    let file_name = format!("{name}_file");
    match (reader.text(name), reader.text(&file_name)) {
        (Some(_), Some(_)) => {
            reader.wrong(name, format_args!("set it or {file_name}, not both"));
            None
        }
        (Some(text), None) => Some(Zeroizing::new(text)),
        (None, Some(file)) => match std::fs::read_to_string(&file) {
            Ok(text) => Some(Zeroizing::new(text.trim().to_owned())),
            Err(error) => {
                reader.wrong(&file_name, format_args!("{file} cannot be read: {error}"));
                None
            }
        },
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn the_way_to_another_machine_is_private_only_if_its_certificate_is_looked_at() {
        for private in [
            "postgres://u:p@db.example.org/v?sslmode=verify-full",
            "postgres://u:p@db.example.org:6432/v?sslrootcert=/etc/ca.pem&sslmode=verify-ca",
            "postgres://u:p@localhost/v",
            "postgres://u:p%40q@127.0.0.1:5432/v?sslmode=disable",
            "postgres://u@[::1]:5432/v",
            "postgres://u@%2Frun%2Fpostgresql/v",
            "postgres:///v?host=/run/postgresql",
        ] {
            assert!(Address::of(private).is_private(), "{private}");
        }
        for open in [
            "postgres://u:p@db.example.org/v",
            "postgres://u:p@db.example.org/v?sslmode=require",
            "postgres://u:p@db.example.org/v?sslmode=verify-full&sslmode=disable",
            "postgres://u:localhost@10.0.0.7/v",
            "postgres://localhost@db.example.org/v#sslmode=verify-full",
            "postgres://u:p@localhost/v?hostaddr=10.0.0.7",
            "postgres://u@[2001:db8::1]/v",
            "postgres://u@localhost.example.org/v",
            "postgres:///v",
        ] {
            assert!(!Address::of(open).is_private(), "{open}");
        }
    }

    #[test]
    fn production_wants_tls_to_the_object_store_and_the_database_unless_they_are_here() {
        let asked = |database: &str, endpoint: &str| {
            let documents = Documents::S3 {
                endpoint: endpoint.to_owned(),
                bucket: "copies".to_owned(),
                region: "us-east-1".to_owned(),
                access_key: "a".to_owned(),
                secret_key: Zeroizing::new("hunter3".to_owned()),
                authorities: None,
            };
            let url = Zeroizing::new(database.to_owned());
            let mut mistakes = Vec::new();
            let home = Home::Postgres(Shared { url, connections: 16, documents });
            require_for_production(&mut Reader::new("", toml::Table::new(), &mut mistakes), &home);
            mistakes
        };
        let near = asked("postgres://u:hunter2@localhost/v", "http://127.0.0.1:9000");
        assert_eq!(near, [""; 0]);
        let tls = asked("postgres://u:hunter2@db/v?sslmode=verify-full", "https://s3.example.org");
        assert_eq!(tls, [""; 0]);
        let open = asked("postgres://u:hunter2@db/v?sslmode=prefer", "http://s3.example.org").join("\n");
        assert!(open.contains("postgres.url: ") && open.contains("documents.endpoint: "), "{open}");
        assert!(!open.contains("hunter"), "{open}");
    }

    #[test]
    fn a_file_without_a_certificate_is_no_authority() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let mut mistakes = Vec::new();
            let mut reader = Reader::new("documents.", toml::Table::new(), &mut mistakes);
            (authorities(&mut reader, file.to_str().unwrap()), mistakes)
        };
        let (none, mistakes) = read("-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n");
        assert!(none.is_none() && mistakes.concat().starts_with("documents.ca_file: "), "{mistakes:?}");
        assert!(read("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n").0.is_some());
    }
}
