//! Where the store lies: a folder of this machine, or a PostgreSQL and a place for documents that many nodes share.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::config::reader::Reader;

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

fn documents(reader: &mut Reader<'_>) -> Option<Documents> {
    let folder = reader.text("folder").map(PathBuf::from);
    let (endpoint, bucket) = (reader.text("endpoint"), reader.text("bucket"));
    let region = reader.text("region");
    let (access_key, secret_key) = (reader.text("access_key"), secret(reader, "secret_key"));
    match (folder, endpoint, bucket) {
        (None, None, None) => None,
        (Some(folder), None, None) => Some(Documents::Folder(folder)),
        (None, Some(endpoint), Some(bucket)) => {
            if !(endpoint.starts_with("https://") || endpoint.starts_with("http://")) {
                reader
                    .wrong("endpoint", "must begin with https:// (or http:// within a network of one's own)");
            }
            let (Some(access_key), Some(secret_key)) = (access_key, secret_key) else {
                reader.wrong("access_key", "access_key and secret_key (or secret_key_file) are both wanted");
                return None;
            };
            let region = region.unwrap_or_else(|| "us-east-1".to_owned());
            Some(Documents::S3 { endpoint, bucket, region, access_key, secret_key })
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

/// A secret, or the file that holds it (`<name>_file`).
fn secret(reader: &mut Reader<'_>, name: &str) -> Option<Zeroizing<String>> {
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
