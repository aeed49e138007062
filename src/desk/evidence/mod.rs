//! Evidence for a court: one bundle with the sealed file, the ledger entries of its life with their hash chain, the chain
//! of the seal certificate, and a page in plain Chinese that says how a third party checks it all.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::desk::order::{Document, about};
use crate::desk::{Caller, Desk, DeskError};
use crate::domain::annotation::{Annotation, Sealed};
use crate::domain::calendar::in_shanghai;
use crate::domain::certificate::Certificate;
use crate::domain::event::{Deed, Event};
use crate::domain::ids::AnnotationId;
use crate::domain::key::Scope;
use crate::domain::ledger::{Entry, Link, Proof};
use crate::domain::query::EntryQuery;
use crate::domain::refusal::Refusal;
use crate::seal::check::{SignatureParts, take_apart};
use crate::seal::cms::sign_detached;
use crate::store::Fault;

const PAGE: &str = include_str!("page.html");
const CHAIN_CHECK: &str = include_str!("check-chain.py");

impl Desk {
    /// Makes the evidence bundle (ZIP) of a copy that was sealed, whatever became of it.
    ///
    /// # Errors
    /// `annotation-not-ready` or `annotation-failed` where nothing was sealed.
    pub async fn evidence(&self, caller: &Caller, id: AnnotationId) -> Result<Document, DeskError> {
        caller.needs(Scope::AuditRead)?;
        let (dossier, annotation) = self.annotated(caller, id).await?;
        let certificate = &dossier.certificate;
        let sealed = annotation.sealed().ok_or(Refusal::AnnotationNotReady)?.clone();
        let file = self.fetch(sealed.document).await?;
        // Making the bundle is part of the copy's life, so it is written down first and stands in the bundle.
        self.remember(about(&annotation, certificate, self.event(Deed::EvidenceMade, caller.actor))).await?;
        let life = self.life(certificate, id).await?;
        let seqs: Vec<u64> = life.iter().map(|entry| entry.seq).collect();
        let proof = self.store.proof(&seqs).await?;

        let statement = self.statement(&annotation, certificate, &sealed, &proof);
        let key = self.key.clone();
        let signed = statement.clone();
        let signature = tokio::task::spawn_blocking(move || sign_detached(&*key, signed.as_bytes()))
            .await
            .map_err(|error| Fault::new("signing the statement of a bundle", error))?
            .map_err(|error| Fault::new("signing the statement of a bundle", error))?;
        let parts = take_apart(&file.bytes)
            .ok_or_else(|| Fault::new("reading the signature of a copy", "the kept copy carries none"))?;
        let page = page(&annotation, certificate, &sealed, &parts, &proof);
        let files = [
            ("说明.html", page.into_bytes()),
            ("sealed.pdf", file.bytes.clone()),
            ("signature.der", parts.cms.clone()),
            ("seal-chain.pem", pem(self.key.chain()).into_bytes()),
            ("root.pem", pem(self.key.chain().get(1..).unwrap_or_default()).into_bytes()),
            ("statement.json", statement.into_bytes()),
            ("statement.p7s", signature),
            ("events.json", events(&life).to_string().into_bytes()),
            ("chain.txt", chain(&proof).into_bytes()),
            ("check-chain.py", CHAIN_CHECK.as_bytes().to_vec()),
        ];
        let bytes = bundle(&files, &proof).map_err(|error| Fault::new("writing a bundle", error))?;
        Ok(Document { digest: super::digest(&bytes), bytes })
    }

    /// The entries about this copy and its certificate; those about the certificate's other copies are left out.
    async fn life(&self, certificate: &Certificate, id: AnnotationId) -> Result<Vec<Entry>, DeskError> {
        let mut life = Vec::new();
        let mut query = EntryQuery { certificate: Some(certificate.id), limit: 500, ..EntryQuery::default() };
        loop {
            let page = self.store.entries(&query).await?;
            query.after = page.items.last().map(|entry| entry.seq);
            for mut entry in page.items {
                entry.events.retain(|event| event.annotation.is_none_or(|about| about == id));
                entry.events.retain(|event| event.certificate == Some(certificate.id));
                if !entry.events.is_empty() {
                    life.push(entry);
                }
            }
            if !page.more {
                return Ok(life);
            }
        }
    }

    /// What the agency states about the copy, under the seal's key.
    fn statement(
        &self,
        annotation: &Annotation,
        certificate: &Certificate,
        sealed: &Sealed,
        proof: &Proof,
    ) -> String {
        let second =
            |at: chrono::DateTime<chrono::Utc>| in_shanghai(at).to_rfc3339_opts(SecondsFormat::Secs, false);
        let statement = json!({
            "statement": "本文件所附加注件由发证机构于下述时间签章，其全部操作记录已写入不可篡改的操作日志。",
            "made_at": second(self.now()),
            "annotation_id": annotation.id.to_string(),
            "code": annotation.code.to_string(),
            "certificate_id": certificate.id.to_string(),
            "licence_id": certificate.licence_id.to_string(),
            "issuer": { "name": certificate.details.issuer.name.as_str(), "uscc": certificate.details.issuer.uscc.as_str() },
            "sealed_at": second(sealed.intent.at),
            "valid_from": sealed.intent.valid_from.to_string(),
            "valid_until": sealed.intent.valid_until.to_string(),
            "document_sha256": sealed.document.to_string(),
            "ledger": { "entries": proof.head.seq, "chain": proof.head.chain.to_string() },
        });
        format!("{statement:#}\n")
    }
}

fn events(life: &[Entry]) -> Value {
    let event = |event: &Event| {
        json!({
            "deed": event.deed.word(),
            "actor": event.actor.to_string(),
            "at": in_shanghai(event.at).to_rfc3339_opts(SecondsFormat::Millis, false),
            "certificate": event.certificate.map(|id| id.to_string()),
            "annotation": event.annotation.map(|id| id.to_string()),
            "reason": event.reason.as_ref().map(ToString::to_string),
        })
    };
    life.iter()
        .map(|entry| {
            let events: Vec<Value> = entry.events.iter().map(event).collect();
            json!({ "entry": entry.seq, "sha256": entry.digest.to_string(), "chain": entry.chain.to_string(), "events": events })
        })
        .collect()
}

/// `before` the chain value to start from, then a line an entry: its number, the digest of its payload, and the file
/// that holds the payload where it is part of the bundle; last the head.
fn chain(proof: &Proof) -> String {
    let mut text = format!("before {}\n", proof.before);
    for link in &proof.links {
        // Writing to a String cannot fail.
        let _ = match link {
            Link::Whole { seq, payload } => {
                writeln!(text, "{seq} {} entries/{seq}.json", super::digest(payload))
            }
            Link::Digest { seq, digest } => writeln!(text, "{seq} {digest}"),
        };
    }
    text + &format!("head {} {}\n", proof.head.seq, proof.head.chain)
}

fn pem(chain: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for der in chain {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in STANDARD.encode(der).as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

/// The page for the court: plain words, and commands that a third party can type as they stand.
fn page(
    annotation: &Annotation,
    certificate: &Certificate,
    sealed: &Sealed,
    parts: &SignatureParts,
    proof: &Proof,
) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let at = in_shanghai(sealed.intent.at).format("%Y年%m月%d日 %H:%M:%S").to_string();
    PAGE.replace("{title}", &escape(certificate.details.title.as_str()))
        .replace("{issuer}", &escape(certificate.details.issuer.name.as_str()))
        .replace("{code}", &annotation.code.grouped())
        .replace("{sealed_at}", &at)
        .replace("{valid_from}", &sealed.intent.valid_from.to_string())
        .replace("{valid_until}", &sealed.intent.valid_until.to_string())
        .replace("{digest}", &sealed.document.to_string())
        .replace("{head_bytes}", &parts.before.to_string())
        .replace("{tail_bytes}", &parts.after.to_string())
        .replace("{chain}", &proof.head.chain.to_string())
        .replace("{entries}", &proof.head.seq.to_string())
}

fn bundle(files: &[(&str, Vec<u8>)], proof: &Proof) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in files {
        zip.start_file(*name, options)?;
        zip.write_all(bytes)?;
    }
    for link in &proof.links {
        if let Link::Whole { seq, payload } = link {
            zip.start_file(format!("entries/{seq}.json"), options)?;
            zip.write_all(payload)?;
        }
    }
    Ok(zip.finish()?.into_inner())
}
