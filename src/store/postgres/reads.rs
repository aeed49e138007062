//! Reading the register: each call one statement, which brings the person's key along with the record, so that what
//! was erased is not read, whoever erased it.

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::domain::annotation::Annotation;
use crate::domain::certificate::{Certificate, CertificateType, ManagementNo};
use crate::domain::ids::{AnnotationId, CertificateId, KeyId, Malformed, Sha256};
use crate::domain::key::ApiKey;
use crate::store::cipher::{Cipher, DataKey, Kind};
use crate::store::postgres::connect::again;
use crate::store::postgres::group::{array, unsigned};
use crate::store::postgres::keys::key_in;
use crate::store::postgres::life::Core;
use crate::store::postgres::rows::{moment, uuid};
use crate::store::record::{read_annotation, read_certificate};
use crate::store::{Answer, AnswerKey, DocumentOwner, Dossier, Fault, Outcome, Revision};

const READING: &str = "reading a record";

pub(crate) fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::new(READING, error)
}

pub(crate) fn id_in(row: &PgRow, column: &str) -> Result<[u8; 16], Fault> {
    let id: Uuid = row.try_get(column).map_err(fault)?;
    Ok(*id.as_bytes())
}

/// The certificate in a row of `id`, `sealed` and its key; none where its person was erased.
pub(crate) fn certificate_in(cipher: &Cipher, row: &PgRow) -> Result<Option<Certificate>, Fault> {
    key_in(cipher, row)?.map(|key| certificate_under(cipher, row, ["id", "sealed"], &key)).transpose()
}

/// The annotation in a row of `id`, `sealed` and its key; none where its person was erased.
pub(crate) fn annotation_in(cipher: &Cipher, row: &PgRow) -> Result<Option<Annotation>, Fault> {
    key_in(cipher, row)?.map(|key| annotation_under(cipher, row, ["id", "sealed"], &key)).transpose()
}

/// The certificate in a row that names its id and ciphertext so.
pub(crate) fn certificate_under(
    cipher: &Cipher,
    row: &PgRow,
    [id, sealed]: [&str; 2],
    key: &DataKey,
) -> Result<Certificate, Fault> {
    let id = CertificateId::from_bytes(id_in(row, id)?);
    let mut sealed: Vec<u8> = row.try_get(sealed).map_err(fault)?;
    let plain = cipher.open(key, Kind::Certificate, id.as_bytes(), &mut sealed)?;
    read_certificate(id, plain).map_err(fault)
}

/// The annotation in a row that names its id and ciphertext so.
pub(crate) fn annotation_under(
    cipher: &Cipher,
    row: &PgRow,
    [id, sealed]: [&str; 2],
    key: &DataKey,
) -> Result<Annotation, Fault> {
    let id = AnnotationId::from_bytes(id_in(row, id)?);
    let mut sealed: Vec<u8> = row.try_get(sealed).map_err(fault)?;
    let plain = cipher.open(key, Kind::Annotation, id.as_bytes(), &mut sealed)?;
    read_annotation(id, plain).map_err(fault)
}

fn key_row(row: &PgRow) -> Result<ApiKey, Fault> {
    let scopes: &str = row.try_get("scopes").map_err(fault)?;
    let issuer: Option<&str> = row.try_get("issuer").map_err(fault)?;
    let revoked_at: Option<i64> = row.try_get("revoked_at").map_err(fault)?;
    Ok(ApiKey {
        id: KeyId::from_bytes(id_in(row, "id")?),
        secret: Sha256::new(array(row, "secret").map_err(fault)?),
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        issuer: issuer.map(str::parse).transpose().map_err(|_| fault(Malformed("credit code")))?,
        label: row.try_get("label").map_err(fault)?,
        created_at: moment(row.try_get("created_at").map_err(fault)?),
        revoked_at: revoked_at.map(moment),
    })
}

impl Core {
    /// See [`crate::store::Store::certificate`].
    pub(crate) async fn certificate(&self, id: CertificateId) -> Result<Option<Certificate>, Fault> {
        let row = again(READING, || {
            sqlx::query(
                "/* register.certificate */ select c.id, c.sealed, k.slot, k.person, k.wrapped \
                 from certificates c join person_keys k on k.slot = c.slot where c.id = $1",
            )
            .bind(uuid(id.as_bytes()))
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map_or(Ok(None), |row| certificate_in(&self.cipher(), &row))
    }

    /// See [`crate::store::Store::annotation`].
    pub(crate) async fn annotation(&self, id: AnnotationId) -> Result<Option<Annotation>, Fault> {
        let row = again(READING, || {
            sqlx::query(
                "/* register.annotation */ select a.id, a.sealed, k.slot, k.person, k.wrapped \
                 from annotations a join person_keys k on k.slot = a.slot where a.id = $1",
            )
            .bind(uuid(id.as_bytes()))
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map_or(Ok(None), |row| annotation_in(&self.cipher(), &row))
    }

    /// See [`crate::store::Store::newest`].
    pub(crate) async fn newest(
        &self,
        kind: &CertificateType,
        no: &ManagementNo,
    ) -> Result<Option<CertificateId>, Fault> {
        let number = self.cipher().number_key(kind, no);
        let row = again(READING, || {
            sqlx::query(
                "/* register.newest */ select id from certificates where number = $1 and kind = $2 \
                 order by version desc limit 1",
            )
            .bind(&number.0[..16])
            .bind(&number.0[16..])
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map(|row| id_in(&row, "id").map(CertificateId::from_bytes)).transpose()
    }

    /// See [`crate::store::Store::dossier`].
    pub(crate) async fn dossier(&self, id: CertificateId) -> Result<Option<Dossier>, Fault> {
        // One statement, one moment: the revision is that of exactly these annotations.
        let rows = again(READING, || {
            sqlx::query(
                "/* register.dossier */ select 0 as part, c.id, c.sealed, c.revision, k.slot, k.person, k.wrapped \
                 from certificates c join person_keys k on k.slot = c.slot where c.id = $1 \
                 union all select 1, a.id, a.sealed, 0, k.slot, k.person, k.wrapped \
                 from annotations a join person_keys k on k.slot = a.slot where a.certificate = $1 \
                 order by part, id",
            )
            .bind(uuid(id.as_bytes()))
            .fetch_all(&self.pool)
        })
        .await?;
        let Some((first, orders)) = rows.split_first() else { return Ok(None) };
        if first.try_get::<i32, _>("part").map_err(fault)? != 0 {
            return Err(fault("annotations without their certificate"));
        }
        let cipher = self.cipher();
        let Some(certificate) = certificate_in(&cipher, first)? else { return Ok(None) };
        let revision = Revision(unsigned(first, "revision").map_err(fault)?);
        let mut annotations = Vec::with_capacity(orders.len());
        for row in orders {
            annotations.extend(annotation_in(&cipher, row)?);
        }
        Ok(Some(Dossier { certificate, annotations, revision }))
    }

    /// See [`crate::store::Store::document_owner`].
    pub(crate) async fn document_owner(&self, document: Sha256) -> Result<Option<DocumentOwner>, Fault> {
        let row = again(READING, || {
            sqlx::query(
                "/* register.owner */ select annotation, certificate from documents where digest = $1",
            )
            .bind(&document.as_bytes()[..])
            .fetch_optional(&self.pool)
        })
        .await?;
        let Some(row) = row else { return Ok(None) };
        let annotation: Option<Uuid> = row.try_get("annotation").map_err(fault)?;
        let certificate: Option<Uuid> = row.try_get("certificate").map_err(fault)?;
        let annotation =
            annotation.map(|id| DocumentOwner::Annotation(AnnotationId::from_bytes(*id.as_bytes())));
        let certificate =
            certificate.map(|id| DocumentOwner::Certificate(CertificateId::from_bytes(*id.as_bytes())));
        Ok(annotation.or(certificate))
    }

    /// See [`crate::store::Store::plain_copy`].
    pub(crate) async fn plain_copy(&self, id: CertificateId) -> Result<Option<Sha256>, Fault> {
        let row = again(READING, || {
            sqlx::query("/* register.plain_copy */ select document from plain_copies where certificate = $1")
                .bind(uuid(id.as_bytes()))
                .fetch_optional(&self.pool)
        })
        .await?;
        row.map(|row| array(&row, "document").map(Sha256::new).map_err(fault)).transpose()
    }

    /// See [`crate::store::Store::key_by_secret`].
    pub(crate) async fn key_by_secret(&self, secret: Sha256) -> Result<Option<ApiKey>, Fault> {
        let row = again(READING, || {
            sqlx::query(
                "/* keys.by_secret */ select id, secret, scopes, issuer, label, created_at, revoked_at \
                 from api_keys where secret = $1",
            )
            .bind(&secret.as_bytes()[..])
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map(|row| key_row(&row)).transpose()
    }

    /// See [`crate::store::Store::keys`].
    pub(crate) async fn keys(&self) -> Result<Vec<ApiKey>, Fault> {
        let rows = again(READING, || {
            sqlx::query(
                "/* keys.all */ select id, secret, scopes, issuer, label, created_at, revoked_at \
                 from api_keys order by id",
            )
            .fetch_all(&self.pool)
        })
        .await?;
        rows.iter().map(key_row).collect()
    }

    /// See [`crate::store::Store::answer`].
    pub(crate) async fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, Fault> {
        let row = again(READING, || {
            sqlx::query(
                "/* answers.find */ select request, at, annotation, place, certificate, status \
                 from answers where caller = $1 and key = $2",
            )
            .bind(uuid(key.caller.as_bytes()))
            .bind(&key.key.as_bytes()[..])
            .fetch_optional(&self.pool)
        })
        .await?;
        let Some(row) = row else { return Ok(None) };
        let annotation: Option<Uuid> = row.try_get("annotation").map_err(fault)?;
        let outcome = match annotation {
            Some(id) => Outcome::Ordered {
                annotation: AnnotationId::from_bytes(*id.as_bytes()),
                place: unsigned(&row, "place").map_err(fault)?,
            },
            None => Outcome::Entered {
                certificate: CertificateId::from_bytes(id_in(&row, "certificate")?),
                status: row.try_get("status").map_err(fault)?,
            },
        };
        let request = Sha256::new(array(&row, "request").map_err(fault)?);
        Ok(Some(Answer { request, outcome, at: moment(row.try_get("at").map_err(fault)?) }))
    }
}
