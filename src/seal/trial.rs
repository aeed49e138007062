//! Tests only: a minimal PDF with a hole, and chains of every shape.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use chrono::{DateTime, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, date_time_ymd,
};

use super::check::Trust;
use super::key::file::FileKey;
use super::{SealError, SealedPdf, seal_bytes};
use crate::render::Hole;

/// When the drafts say that they are signed.
pub(crate) const SIGNED_AT: &str = "2026-11-22T01:30:00Z";

pub(crate) fn signed_at() -> DateTime<Utc> {
    SIGNED_AT.parse().unwrap()
}

/// A one-page PDF whose objects can be worded otherwise before it is laid out.
#[derive(Clone)]
pub(crate) struct Draft {
    objects: Vec<String>,
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self::with_hole(2_400)
    }

    pub(crate) fn with_hole(bytes: usize) -> Self {
        let content = "BT /F1 18 Tf 72 720 Td (Specimen) Tj ET";
        let zeros = "00".repeat(bytes);
        Self {
            objects: vec![
                "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]/SigFlags 3>>/Perms<</DocMDP 7 0 R>>>>"
                    .into(),
                "<</Type/Pages/Kids[3 0 R]/Count 1>>".into(),
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Annots[5 0 R]\
                 /Resources<</Font<</F1 6 0 R>>>>>>"
                    .into(),
                format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
                "<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/Rect[0 0 0 0]/F 132/P 3 0 R/V 7 0 R>>".into(),
                "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".into(),
                format!(
                    "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:20261122093000+08'00')\
                     /Reference[<</Type/SigRef/TransformMethod/DocMDP\
                     /TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]\
                     /ByteRange[0 999999999 999999999 999999999]/Contents<{zeros}>>>"
                ),
            ],
        }
    }

    /// The same with other words in it; they must occur.
    pub(crate) fn reword(mut self, from: &str, to: &str) -> Self {
        assert!(self.objects.iter().any(|object| object.contains(from)), "{from}");
        self.objects.iter_mut().for_each(|object| *object = object.replace(from, to));
        self
    }

    pub(crate) fn add(mut self, object: &str) -> Self {
        self.objects.push(object.into());
        self
    }

    pub(crate) fn lay_out(&self) -> (Vec<u8>, Hole) {
        let mut bytes = b"%PDF-1.7\n%\xE6\x9C\xB1\xE6\n".to_vec();
        let mut offsets = Vec::new();
        for (number, object) in (1..).zip(&self.objects) {
            offsets.push(bytes.len());
            bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").into_bytes());
        }
        let table = bytes.len();
        bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).into_bytes());
        offsets.iter().for_each(|offset| bytes.extend(format!("{offset:010} 00000 n \n").into_bytes()));
        let size = offsets.len() + 1;
        let trailer = format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n");
        bytes.extend(trailer.into_bytes());
        let place = |mark: &[u8], close: u8| {
            let start = find(&bytes, mark).map(|at| at + mark.len() - 1)?;
            Some(start..start + bytes[start..].iter().position(|byte| *byte == close)? + 1)
        };
        let hole = Hole {
            contents: place(b"/Contents<", b'>').unwrap_or_default(),
            byte_range: place(b"/ByteRange[", b']').unwrap_or_default(),
        };
        (bytes, hole)
    }

    pub(crate) fn seal(&self, key: &dyn super::key::SealKey) -> Result<SealedPdf, SealError> {
        let (bytes, hole) = self.lay_out();
        seal_bytes(bytes, &hole, key)
    }

    /// Sealed without the check, as a careless or hostile signer would.
    pub(crate) fn seal_unchecked(&self, key: &dyn super::key::SealKey) -> Vec<u8> {
        let (bytes, hole) = self.lay_out();
        super::embed::embed(bytes, &hole, key).unwrap()
    }
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// The same bytes with other words in one place; they must occur.
pub(crate) fn patch(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = find(bytes, from.as_bytes()).unwrap();
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

/// An authority for tests.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
    above: String,
}

pub(crate) fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2050, 1, 1));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "示例机构");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

pub(crate) fn authority_params(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(crate) fn seal_params() -> CertificateParams {
    let mut params = named("示例专用章（测试）");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params
}

impl Authority {
    pub(crate) fn root(name: &str) -> Self {
        let (params, key) = (authority_params(name), KeyPair::generate().unwrap());
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key), above: String::new() }
    }

    pub(crate) fn certify_authority(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        let above = [self.pem.as_str(), &self.above].concat();
        Self { pem, issuer: Issuer::new(params, key), above }
    }

    pub(crate) fn certify(&self, params: &CertificateParams) -> FileKey {
        self.certify_key(params, &KeyPair::generate().unwrap())
    }

    pub(crate) fn certify_key(&self, params: &CertificateParams, key: &KeyPair) -> FileKey {
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        let chain = [certificate.pem().as_str(), &self.pem, &self.above].concat();
        FileKey::load(&key.serialize_pem(), &chain).unwrap()
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::from_pem(&self.pem).unwrap()
    }
}

pub(crate) fn rsa_key(text: &str) -> KeyPair {
    KeyPair::from_pkcs8_pem_and_sign_algo(text, &PKCS_RSA_SHA256).unwrap()
}

pub(crate) const RSA_2048: &str = include_str!("../../tests/keys/rsa-2048.key.pem");
pub(crate) const RSA_3072: &str = include_str!("../../tests/keys/rsa-3072.key.pem");
pub(crate) const RSA_4096: &str = include_str!("../../tests/keys/rsa-4096.key.pem");
