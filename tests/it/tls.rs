//! TLS to the database and to the object store: it works with the certificates of an authority of one's own, and who
//! shows another certificate is refused at the start, with words that say what to do.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use tempfile::TempDir;

use crate::command::{Ran, ran};
use crate::kill::world::{Dice, Door, World, act, verify_all};
use crate::servers::authority::Authority;
use crate::servers::node::{self, Node};
use crate::servers::{postgres, seaweed};

/// A database and an object store that show certificates for `localhost`, and two authorities: the one that made them,
/// and another.
struct Ground {
    folder: TempDir,
    postgres: postgres::Server,
    objects: seaweed::Server,
}

fn ground() -> &'static Ground {
    static GROUND: OnceLock<Ground> = OnceLock::new();
    GROUND.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let (authority, another) = (Authority::new("an authority of one's own"), Authority::new("another"));
        std::fs::write(folder.path().join("authority.pem"), authority.pem()).unwrap();
        std::fs::write(folder.path().join("another.pem"), another.pem()).unwrap();
        let (database, objects) = (authority.certify("localhost"), authority.certify("localhost"));
        let postgres = postgres::Server::start_tls(&database.certificate, &database.key);
        postgres.create("tls");
        let objects = seaweed::Server::start_tls(&objects.certificate, &objects.key);
        Ground { folder, postgres, objects }
    })
}

impl Ground {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of the database, where it is called by this host.
    fn database(&self, host: &str) -> String {
        self.postgres.url("tls").replace("127.0.0.1", host)
    }

    /// ... where its certificate must be of the authority in this file.
    fn verified(&self, host: &str, authority: &str) -> String {
        format!("{}?sslmode=verify-full&sslrootcert={}", self.database(host), self.file(authority).display())
    }

    /// The command that serves from this database and this object store.
    fn command(&self, database: &str, endpoint: &str, authority: &str) -> Command {
        let mut command = node::command();
        command
            .env("VERMILION_POSTGRES__URL", database)
            .env("VERMILION_POSTGRES__CONNECTIONS", "8")
            .env("VERMILION_DOCUMENTS__ENDPOINT", endpoint)
            .env("VERMILION_DOCUMENTS__CA_FILE", self.file(authority))
            .env("VERMILION_DOCUMENTS__BUCKET", "copies")
            .env("VERMILION_DOCUMENTS__ACCESS_KEY", seaweed::KEY)
            .env("VERMILION_DOCUMENTS__SECRET_KEY", seaweed::SECRET);
        command
    }
}

fn refused(mut command: Command, because: &[&str]) {
    let refused: Ran = ran(command.output().unwrap());
    assert_ne!(refused.code, 0, "{refused:?}");
    for word in because {
        assert!(refused.stderr.contains(word), "`{word}` is not said: {}", refused.stderr);
    }
}

#[test]
fn copies_are_made_and_read_with_tls_to_the_database_and_to_the_object_store() {
    let ground = ground();
    let (database, endpoint) =
        (ground.verified("localhost", "authority.pem"), ground.objects.endpoint_tls("localhost"));
    let node = Node::start(ground.command(&database, &endpoint, "authority.pem"), &mut None);
    let (world, mut dice) = (Mutex::new(World::default()), Dice(7));
    while world.lock().unwrap().orders.len() < 10 {
        act(&node.url, &node.key, &world, &mut dice);
    }
    verify_all(&Door::of(&node), &world.into_inner().unwrap());
    node.stop();
}

#[test]
fn a_database_whose_certificate_is_of_another_authority_is_refused() {
    let ground = ground();
    let (database, endpoint) =
        (ground.verified("localhost", "another.pem"), ground.objects.endpoint_tls("localhost"));
    let command = ground.command(&database, &endpoint, "authority.pem");
    refused(command, &["the database cannot be trusted", "sslrootcert", "UnknownIssuer"]);
}

#[test]
fn a_database_whose_certificate_is_for_another_host_is_refused() {
    let ground = ground();
    let (database, endpoint) =
        (ground.verified("127.0.0.1", "authority.pem"), ground.objects.endpoint_tls("localhost"));
    let command = ground.command(&database, &endpoint, "authority.pem");
    refused(command, &["the database cannot be trusted", "postgres.url", "not valid for name"]);
}

#[test]
fn a_database_without_tls_is_refused_where_tls_is_asked_for() {
    let ground = ground();
    let plain = postgres::Server::start();
    let database = format!("{}?sslmode=verify-full", plain.create("plain"));
    let command = ground.command(&database, &ground.objects.endpoint_tls("localhost"), "authority.pem");
    refused(command, &["the database cannot be trusted", "it must speak TLS"]);
}

#[test]
fn an_object_store_whose_certificate_is_of_another_authority_or_for_another_host_is_refused() {
    let ground = ground();
    let database = ground.verified("localhost", "authority.pem");
    for (host, authority, because) in
        [("localhost", "another.pem", "UnknownIssuer"), ("127.0.0.1", "authority.pem", "not valid for name")]
    {
        let command = ground.command(&database, &ground.objects.endpoint_tls(host), authority);
        refused(command, &["the object store cannot be trusted", "documents.ca_file", because]);
    }
}

/// What `sslmode` means where nobody wrote it: encrypted if the server can, and whoever answers is believed. In production
/// such an address is refused unless it leads to the same machine.
#[test]
fn without_sslmode_the_way_is_encrypted_and_nobody_is_asked_for_a_certificate() {
    let ground = ground();
    let (database, endpoint) = (ground.database("127.0.0.1"), ground.objects.endpoint_tls("localhost"));
    // The server takes no connection without TLS.
    Node::start(ground.command(&database, &endpoint, "authority.pem"), &mut None).stop();
    let production = |database: &str| {
        let mut command = ground.command(database, "http://s3.example.org", "authority.pem");
        command.env("VERMILION_PROFILE", "production");
        command
    };
    let far = "postgres://vermilion@db.example.org/vermilion";
    refused(
        production(far),
        &["postgres.url: production knows", "sslmode=verify-full", "documents.endpoint: production"],
    );
}
