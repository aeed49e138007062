//! Reading: from the index to places in the ledger, from there to records.

use crate::domain::annotation::{Annotation, Phase};
use crate::domain::certificate::{Certificate, CertificateType, ManagementNo};
use crate::domain::ids::{AnnotationId, CertificateId, Code, KeyId, Sha256};
use crate::domain::key::ApiKey;
use crate::domain::ledger::{Entry, Link, Proof};
use crate::domain::query::{AnnotationQuery, CertificateQuery, EntryQuery, ExpiryQuery, Page};
use crate::domain::queue::Job;
use crate::store::chain::sha256;
use crate::store::cipher::Kind;
use crate::store::embedded::accounts::account_trail;
use crate::store::embedded::fold::{
    Place, TRAIL_BLOCK, annotation_key, answer_key, certificate_in, certificate_key, certificate_of,
    certificate_trail, code_key, document_key, expiry_prefix, id_at_end, issuer_trail, key_key, owner_in,
    photo_key, plain_copy_key, revision_and_slot, secret_key, trail_numbers,
};
use crate::store::embedded::index::{Moment, View};
use crate::store::embedded::ledger::RawEntry;
use crate::store::embedded::writer::Core;
use crate::store::entry::{self, Blind, EventShape, SealedLine, WriteLine, parse_sealed};
use crate::store::record::{read_annotation, read_certificate};
use crate::store::{Answer, AnswerKey, DocumentOwner, Dossier, Fault, Revision};

/// Ids looked at in one go when a list is filtered.
pub(crate) const STRIDE: usize = 256;
const PAGE_MAX: usize = 500;

pub(crate) fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::new("reading a record", error)
}

pub(crate) fn place(value: &[u8]) -> Result<Place, Fault> {
    Place::read(value).ok_or_else(|| fault("the index holds something that is no place"))
}

impl Core {
    fn certificate_at(&self, id: CertificateId, place: &Place) -> Result<Option<Certificate>, Fault> {
        if let Some((slot, certificate)) = self.certificates.find(place) {
            return Ok(if self.vault.is_erased(slot)? { None } else { Some(certificate) });
        }
        let line = self.ledger.line(place)?;
        let SealedLine::Certificate(line) = entry::read_sealed(&line).map_err(fault)? else {
            return Err(fault("another record lies in its place"));
        };
        let mut sealed = parse_sealed(line.sealed).map_err(fault)?;
        match self.vault.read(line.slot, Kind::Certificate, id.as_bytes(), &mut sealed)? {
            Some(plain) => {
                let certificate = read_certificate(id, plain).map_err(fault)?;
                self.certificates.keep(place, || (line.slot, certificate.clone()));
                Ok(Some(certificate))
            }
            None => Ok(None),
        }
    }

    fn annotation_at(&self, id: AnnotationId, place: &Place) -> Result<Option<Annotation>, Fault> {
        if let Some((slot, annotation)) = self.annotations.find(place) {
            return Ok(if self.vault.is_erased(slot)? { None } else { Some(annotation) });
        }
        let line = self.ledger.line(place)?;
        let SealedLine::Annotation(line) = entry::read_sealed(&line).map_err(fault)? else {
            return Err(fault("another record lies in its place"));
        };
        let mut sealed = parse_sealed(line.sealed).map_err(fault)?;
        match self.vault.read(line.slot, Kind::Annotation, id.as_bytes(), &mut sealed)? {
            Some(plain) => {
                let annotation = read_annotation(id, plain).map_err(fault)?;
                self.annotations.keep(place, || (line.slot, annotation.clone()));
                Ok(Some(annotation))
            }
            None => Ok(None),
        }
    }

    /// Destroys the keys of a person.
    pub(crate) fn erase(&self, person: Blind) -> Result<usize, Fault> {
        let erased = self.vault.erase(person).map_err(|error| Fault::new("erasing a person", error));
        self.certificates.clear();
        self.annotations.clear();
        erased
    }

    pub(crate) fn certificate(&self, id: CertificateId) -> Result<Option<Certificate>, Fault> {
        match self.index.now().find(&certificate_key(id))? {
            Some(value) => self.certificate_at(id, &place(&value)?),
            None => Ok(None),
        }
    }

    pub(crate) fn annotation(&self, id: AnnotationId) -> Result<Option<Annotation>, Fault> {
        match self.index.now().find(&annotation_key(id))? {
            Some(value) => self.annotation_at(id, &place(&value)?),
            None => Ok(None),
        }
    }

    pub(crate) fn newest(
        &self,
        kind: &CertificateType,
        no: &ManagementNo,
    ) -> Result<Option<CertificateId>, Fault> {
        let prefix = [b"n", &self.vault.number_key(kind, no).0[..]].concat();
        let newest = self.index.read(|now| now.last(&prefix))?;
        Ok(newest.and_then(|(_, id)| id.try_into().ok()).map(CertificateId::from_bytes))
    }

    pub(crate) fn dossier(&self, id: CertificateId) -> Result<Option<Dossier>, Fault> {
        let prefix = [b"d", &id.as_bytes()[..]].concat();
        let found = self.index.read(|now| {
            let Some(value) = now.find(&certificate_key(id))? else { return Ok(None) };
            let mut annotations = Vec::new();
            now.walk(&prefix, None, |key, _| {
                annotations.extend(id_at_end(key).map(AnnotationId::from_bytes));
                Ok(true)
            })?;
            let mut places = Vec::with_capacity(annotations.len());
            for id in annotations {
                if let Some(value) = now.find(&annotation_key(id))? {
                    places.push((id, place(&value)?));
                }
            }
            Ok(Some((value, places)))
        })?;
        let Some((value, places)) = found else { return Ok(None) };
        let (revision, _) = revision_and_slot(&value).ok_or_else(|| fault("a revision is missing"))?;
        let Some(certificate) = self.certificate_at(id, &place(&value)?)? else { return Ok(None) };
        let mut annotations = Vec::with_capacity(places.len());
        for (id, place) in places {
            annotations.extend(self.annotation_at(id, &place)?);
        }
        Ok(Some(Dossier { certificate, annotations, revision: Revision(revision) }))
    }

    pub(crate) fn copy_by_code(&self, code: Code) -> Result<Option<(Annotation, Certificate)>, Fault> {
        let key = code_key(self.vault.blind_code(code));
        let found = self.index.read(|now| {
            let Some(id) = now.find(&key)?.and_then(|id| id.try_into().ok()) else { return Ok(None) };
            let id = AnnotationId::from_bytes(id);
            let Some(annotation) = now.find(&annotation_key(id))? else { return Ok(None) };
            let Some(certificate) = certificate_in(&annotation) else { return Ok(None) };
            let Some(value) = now.find(&certificate_key(certificate))? else { return Ok(None) };
            Ok(Some((id, place(&annotation)?, certificate, place(&value)?)))
        })?;
        let Some((id, annotation, certificate, value)) = found else { return Ok(None) };
        match (self.annotation_at(id, &annotation)?, self.certificate_at(certificate, &value)?) {
            // The blind key is a hash; the record has the last word.
            (Some(annotation), Some(certificate)) if annotation.code == code => {
                Ok(Some((annotation, certificate)))
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn document_owner(&self, document: Sha256) -> Result<Option<DocumentOwner>, Fault> {
        Ok(self.index.now().find(&document_key(document))?.and_then(|value| owner_in(&value)))
    }

    pub(crate) fn plain_copy(&self, id: CertificateId) -> Result<Option<Sha256>, Fault> {
        let digest = self.index.now().find(&plain_copy_key(id))?;
        Ok(digest.and_then(|digest| digest.try_into().ok()).map(Sha256::new))
    }

    pub(crate) fn is_named(&self, document: Sha256) -> Result<bool, Fault> {
        let now = self.index.now();
        Ok(now.find(&document_key(document))?.is_some() || now.find(&photo_key(document))?.is_some())
    }

    pub(crate) fn certificates(&self, query: &CertificateQuery) -> Result<Page<Certificate>, Fault> {
        let load =
            |id| Ok(self.certificate(CertificateId::from_bytes(id))?.filter(|found| query.fits(found)));
        let after = query.after.map(|id| *id.as_bytes());
        if let Some(no) = &query.management_no {
            // Kept under the number first: found with and without the type. Few, so sorted here.
            let prefix = [b"n", &self.vault.blind_number(no).0[..]].concat();
            let mut ids = self.index.read(|now| {
                let mut ids = Vec::new();
                now.walk(&prefix, None, |_, id| {
                    ids.extend(<[u8; 16]>::try_from(id));
                    Ok(true)
                })?;
                Ok(ids)
            })?;
            ids.sort_unstable();
            ids.retain(|id| after.is_none_or(|after| *id > after));
            return page(query.limit, ids.into_iter().map(load));
        }
        let prefix = match (&query.person, &query.issuer) {
            (Some(person), _) => [b"p", &self.vault.blind_person(person).0[..]].concat(),
            (None, Some(issuer)) => [b"i", issuer.as_str().as_bytes()].concat(),
            (None, None) => b"c".to_vec(),
        };
        page(query.limit, self.ids(prefix, after).map(|id| load(id?)))
    }

    pub(crate) fn annotations(&self, query: &AnnotationQuery) -> Result<Page<Annotation>, Fault> {
        let issuer = query.issuer;
        let load = |id| -> Result<Option<Annotation>, Fault> {
            let id = AnnotationId::from_bytes(id);
            let foreign = match (issuer, query.certificate) {
                (Some(issuer), Some(_)) => {
                    let key = [b"b", issuer.as_str().as_bytes(), id.as_bytes()].concat();
                    self.index.now().find(&key)?.is_none()
                }
                _ => false,
            };
            Ok(if foreign { None } else { self.annotation(id)?.filter(|found| query.is_in_phase(found)) })
        };
        let after = query.after.map(|id| *id.as_bytes());
        let failed = matches!(query.phase, Some((Phase::Failed, _)));
        let prefix = match (query.certificate, issuer) {
            (Some(certificate), _) => [b"d", &certificate.as_bytes()[..]].concat(),
            (None, Some(issuer)) if failed => [b"f", issuer.as_str().as_bytes()].concat(),
            (None, Some(issuer)) => [b"b", issuer.as_str().as_bytes()].concat(),
            (None, None) => b"a".to_vec(),
        };
        page(query.limit, self.ids(prefix, after).map(|id| load(id?)))
    }

    /// See [`crate::store::Store::expiring`].
    pub(crate) fn expiring(&self, query: &ExpiryQuery) -> Result<Page<Annotation>, Fault> {
        let limit = query.limit.clamp(1, PAGE_MAX);
        let mut after = match query.after {
            Some((day, id)) => [&expiry_prefix(day)[..], id.as_bytes()].concat(),
            None => expiry_prefix(query.from).to_vec(),
        };
        // Of the first day that is too late.
        let end = query.until.succ_opt().map(expiry_prefix);
        let mut items = Vec::new();
        loop {
            let keys = self.index.read(|now| {
                let mut keys = Vec::new();
                now.walk(b"ed", Some(&after), |key, _| {
                    let within = end.is_none_or(|end| key < &end[..]);
                    keys.extend(within.then(|| key.to_vec()));
                    Ok(within && keys.len() < STRIDE)
                })?;
                Ok(keys)
            })?;
            for id in keys.iter().filter_map(|key| id_at_end(key)) {
                let found = self.annotation(AnnotationId::from_bytes(id))?;
                items.extend(found.filter(|found| query.fits(found)));
                if items.len() > limit {
                    return Ok(cut(items, limit));
                }
            }
            match keys.last().filter(|_| keys.len() == STRIDE) {
                Some(last) => after.clone_from(last),
                None => return Ok(cut(items, limit)),
            }
        }
    }

    /// The names at the end of the keys with a prefix, after one of them, in order.
    pub(crate) fn ids(
        &self,
        prefix: Vec<u8>,
        after: Option<[u8; 16]>,
    ) -> impl Iterator<Item = Result<[u8; 16], Fault>> {
        let mut last = after;
        let mut ahead = Vec::new().into_iter();
        let mut ended = false;
        std::iter::from_fn(move || {
            if ahead.len() == 0 && !ended {
                let from = last.map(|id| [&prefix[..], &id].concat());
                let look = |now: &Moment<'_>| {
                    let mut ids = Vec::with_capacity(STRIDE);
                    now.walk(&prefix, from.as_deref(), |key, _| {
                        ids.extend(id_at_end(key));
                        Ok(ids.len() < STRIDE)
                    })?;
                    Ok(ids)
                };
                match self.index.read(look) {
                    Ok(ids) => {
                        ended = ids.len() < STRIDE;
                        last = ids.last().copied().or(last);
                        ahead = ids.into_iter();
                    }
                    Err(fault) => {
                        ended = true;
                        return Some(Err(fault));
                    }
                }
            }
            ahead.next().map(Ok)
        })
    }

    /// The job in its record, whatever the queue says.
    pub(crate) fn job_at(&self, value: &[u8]) -> Result<Job, Fault> {
        let line = self.ledger.checked_line(&place(value)?)?;
        match entry::read_write(&line).map_err(fault)? {
            WriteLine::Job(line) => Ok(line.into()),
            _ => Err(fault("another record lies in its place")),
        }
    }

    fn key_at(&self, id: KeyId, value: &[u8]) -> Result<ApiKey, Fault> {
        let line = self.ledger.checked_line(&place(value)?)?;
        match entry::read_write(&line).map_err(fault)? {
            WriteLine::Key(line) if line.id == id => Ok(line.into()),
            _ => Err(fault("another record lies in its place")),
        }
    }

    pub(crate) fn key_by_secret(&self, secret: Sha256) -> Result<Option<ApiKey>, Fault> {
        let now = self.index.now();
        let id = now.find(&secret_key(secret))?.and_then(|id| id.try_into().ok());
        let Some(id) = id.map(KeyId::from_bytes) else { return Ok(None) };
        let Some(value) = now.find(&key_key(id))? else { return Ok(None) };
        self.key_at(id, &value).map(|key| Some(key).filter(|key| key.secret == secret))
    }

    pub(crate) fn keys(&self) -> Result<Vec<ApiKey>, Fault> {
        let values = self.index.read(|now| {
            let mut values = Vec::new();
            now.walk(b"k", None, |key, value| {
                values.extend(id_at_end(key).map(|id| (KeyId::from_bytes(id), value.to_vec())));
                Ok(true)
            })?;
            Ok(values)
        })?;
        values.iter().map(|(id, value)| self.key_at(*id, value)).collect()
    }

    pub(crate) fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, Fault> {
        let Some(value) = self.index.now().find(&answer_key(key))? else { return Ok(None) };
        let line = self.ledger.checked_line(&place(&value)?)?;
        match entry::read_write(&line).map_err(fault)? {
            WriteLine::Answer(line) if line.caller == key.caller && line.key == key.key => {
                Ok(Some(line.into()))
            }
            _ => Err(fault("another record lies in its place")),
        }
    }

    pub(crate) fn entries(&self, query: &EntryQuery) -> Result<Page<Entry>, Fault> {
        let after = query.after.unwrap_or(0);
        let trail = match (query.certificate, query.annotation, query.account) {
            (Some(id), _, _) => Some(certificate_trail(id)),
            (None, Some(annotation), _) => {
                let certificate = self.index.read(|now| certificate_of(now, annotation))?;
                let Some(id) = certificate else { return Ok(Page { items: Vec::new(), more: false }) };
                Some(certificate_trail(id))
            }
            (None, None, Some(account)) => Some(account_trail(account)),
            (None, None, None) => query.issuer.as_ref().map(issuer_trail),
        };
        let limit = query.limit.clamp(1, PAGE_MAX);
        let mut items = Vec::new();
        let Some(trail) = trail else {
            self.ledger.walk(after + 1, |raw| {
                items.push(self.entry(&raw)?);
                Ok(items.len() <= limit)
            })?;
            return Ok(cut(items, limit));
        };
        let mut block = after / TRAIL_BLOCK;
        loop {
            // One block at a time: an issuer's trail may be as long as the ledger.
            let from = [&trail[..], &block.to_be_bytes()].concat();
            let found = self.index.read(|now| {
                let mut found = now.find(&from)?.map(|value| (from.clone(), value));
                if found.is_none() {
                    now.walk(&trail, Some(&from), |key, value| {
                        found = Some((key.to_vec(), value.to_vec()));
                        Ok(false)
                    })?;
                }
                Ok(found)
            })?;
            let Some((key, value)) = found else { break };
            for seq in trail_numbers(&key, &value).into_iter().filter(|seq| *seq > after) {
                let Some(raw) = self.ledger.entry(seq)? else { continue };
                if is_about(&raw.payload, query)? {
                    items.push(self.entry(&raw)?);
                }
                if items.len() > limit {
                    return Ok(cut(items, limit));
                }
            }
            block = key.last_chunk().copied().map_or(0, u64::from_be_bytes) + 1;
        }
        Ok(cut(items, limit))
    }

    fn entry(&self, raw: &RawEntry) -> Result<Entry, Fault> {
        let events = entry::read_events(&raw.payload).map_err(fault)?;
        let events =
            events.into_iter().map(|shape| self.vault.read_event(shape)).collect::<Result<_, _>>()?;
        Ok(Entry {
            seq: raw.seq,
            events,
            digest: Sha256::new(sha256(&raw.payload)),
            chain: Sha256::new(raw.chain),
        })
    }

    /// See [`crate::store::Store::proof`].
    pub(crate) fn proof(&self, seqs: &[u64]) -> Result<Proof, Fault> {
        let head = self.ledger.head();
        let mut asked: Vec<u64> = seqs.iter().copied().filter(|seq| (1..=head.seq).contains(seq)).collect();
        asked.sort_unstable();
        let Some(first) = asked.first().copied() else {
            return Ok(Proof { before: head.chain, links: Vec::new(), head });
        };
        let before = match first {
            1 => Sha256::new([0; 32]),
            _ => {
                let entry = self.ledger.entry(first - 1)?;
                Sha256::new(entry.ok_or_else(|| fault("an entry is missing"))?.chain)
            }
        };
        let mut links = Vec::with_capacity((head.seq - first + 1) as usize);
        self.ledger.walk(first, |raw| {
            let seq = raw.seq;
            links.push(match asked.binary_search(&seq) {
                Ok(_) => Link::Whole { seq, payload: raw.payload },
                Err(_) => Link::Digest { seq, digest: Sha256::new(sha256(&raw.payload)) },
            });
            Ok(seq < head.seq)
        })?;
        Ok(Proof { before, links, head })
    }
}

/// Whether an entry is about all that a query names.
fn is_about(payload: &[u8], query: &EntryQuery) -> Result<bool, Fault> {
    let events = entry::read_events(payload).map_err(fault)?;
    let issued = query.issuer.is_none_or(|issuer| events.iter().any(|event| event.issuer == Some(issuer)));
    let account = query.account;
    let known =
        account.is_none_or(|asked| events.iter().flat_map(EventShape::accounts).any(|id| id == asked));
    if !issued || !known {
        return Ok(false);
    }
    let Some(annotation) = query.annotation else { return Ok(true) };
    if events.iter().any(|event| event.annotation == Some(annotation)) {
        return Ok(true);
    }
    for write in entry::read_writes(payload) {
        if let (_, WriteLine::Annotation(line)) = write.map_err(fault)?
            && line.id == annotation
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first `limit` of what is found.
pub(crate) fn page<T>(
    limit: usize,
    found: impl Iterator<Item = Result<Option<T>, Fault>>,
) -> Result<Page<T>, Fault> {
    let limit = limit.clamp(1, PAGE_MAX);
    let mut items = Vec::new();
    for item in found {
        items.extend(item?);
        if items.len() > limit {
            break;
        }
    }
    Ok(cut(items, limit))
}

fn cut<T>(mut items: Vec<T>, limit: usize) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    Page { items, more }
}
