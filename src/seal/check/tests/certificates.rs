//! Who may seal: chains of every shape.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use super::*;
use crate::seal::key::file::FileKey;
use crate::seal::trial::named;

fn judge(key: &dyn SealKey, trust: &Trust) -> (Finding, Vec<Reason>) {
    let report = check(&Draft::new().seal_unchecked(key), trust, signed_at());
    (report.finding, report.reasons)
}

/// What is wrong with a seal under a certificate of these parameters, certified by a trusted root.
fn reasons(params: &CertificateParams) -> Vec<Reason> {
    let root = Authority::root("示例根");
    let (finding, reasons) = judge(&root.certify(params), &root.trust());
    assert_eq!(finding, if reasons.is_empty() { Finding::Sound } else { Finding::NotOurs });
    reasons
}

#[test]
fn another_authority_is_not_ours_even_under_the_same_name() {
    let root = Authority::root("示例根");
    for name in ["另一个根", "示例根"] {
        let other = Authority::root(name).certify(&seal_params());
        assert_eq!(judge(&other, &root.trust()), (Finding::NotOurs, vec![Reason::RootNotTrusted]), "{name}");
    }
}

#[test]
fn a_self_signed_certificate_vouches_only_for_those_who_trust_it() {
    let pair = KeyPair::generate().unwrap();
    let certificate = seal_params().self_signed(&pair).unwrap().pem();
    let key = FileKey::load(&pair.serialize_pem(), &certificate).unwrap();
    let root = Authority::root("示例根");
    assert_eq!(judge(&key, &root.trust()), (Finding::NotOurs, vec![Reason::RootNotTrusted]));
    assert_eq!(judge(&key, &Trust::from_pem(&certificate).unwrap()).0, Finding::Sound);
    assert_eq!(judge(&key, &Trust::new([])), (Finding::NotOurs, vec![Reason::RootNotTrusted]));
}

#[test]
fn a_chain_through_an_authority_in_between_is_sound_from_every_anchor_on_it() {
    let root = Authority::root("示例根");
    let between = root.certify_authority(authority_params("示例中间"));
    let key = between.certify(&seal_params());
    assert_eq!(key.chain().len(), 3);
    for trust in [root.trust(), between.trust(), Trust::new([key.chain()[0].clone()])] {
        assert_eq!(judge(&key, &trust), (Finding::Sound, vec![]));
    }
}

#[test]
fn a_seal_outside_the_validity_of_its_certificate_is_refused() {
    let mut expired = seal_params();
    expired.not_after = rcgen::date_time_ymd(2026, 11, 22);
    assert_eq!(reasons(&expired), [Reason::CertificateNotValidAtSigning]);
    let mut early = seal_params();
    early.not_before = rcgen::date_time_ymd(2026, 11, 23);
    assert_eq!(reasons(&early), [Reason::CertificateNotValidAtSigning]);
    let mut last_day = seal_params();
    last_day.not_after = rcgen::date_time_ymd(2026, 11, 23);
    assert_eq!(reasons(&last_day), []);
}

#[test]
fn a_seal_from_the_future_is_refused_but_clocks_may_differ_by_a_day() {
    let scene = Scene::new();
    let at = |hours| check(&scene.sealed, &scene.root.trust(), signed_at() - TimeDelta::hours(hours)).reasons;
    assert_eq!(at(0), []);
    assert_eq!(at(23), []);
    assert_eq!(at(25), [Reason::SignedInTheFuture]);
    // Long after the certificate has expired, the seal stands.
    let later = check(&scene.sealed, &scene.root.trust(), DateTime::<Utc>::MAX_UTC);
    assert_eq!(later.finding, Finding::Sound);
}

#[test]
fn only_certificates_for_sealing_documents_seal() {
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = seal_params();
        change(&mut params);
        reasons(&params)
    };
    assert_eq!(with(&|params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature]), []);
    assert_eq!(
        with(&|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]),
        [Reason::KeyUsage]
    );
    assert_eq!(with(&|params| params.key_usages.clear()), [Reason::KeyUsage]);
    assert_eq!(with(&|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), [Reason::KeyUsage]);
    let purposes =
        |purpose: ExtendedKeyUsagePurpose| with(&|params| params.extended_key_usages = vec![purpose.clone()]);
    assert_eq!(purposes(ExtendedKeyUsagePurpose::ServerAuth), [Reason::KeyUsage]);
    assert_eq!(purposes(ExtendedKeyUsagePurpose::EmailProtection), []);
}

#[test]
fn a_condition_that_the_check_does_not_know_is_a_refusal() {
    for (critical, expected) in [(true, vec![Reason::CertificateExtension]), (false, vec![])] {
        let mut params = seal_params();
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(critical);
        params.custom_extensions = vec![extension];
        assert_eq!(reasons(&params), expected);
    }
    let mut params = seal_params();
    let twice = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    params.custom_extensions = vec![twice.clone(), twice];
    assert_eq!(reasons(&params), [Reason::CertificateExtension]);
}

#[test]
fn who_may_not_certify_certifies_nothing() {
    let root = Authority::root("示例根");
    let under = |params: CertificateParams| {
        judge(&root.certify_authority(params).certify(&seal_params()), &root.trust())
    };
    let broken = (Finding::NotOurs, vec![Reason::ChainBroken]);
    assert_eq!(under(seal_params()), broken, "a seal certificate as issuer");
    assert_eq!(under(named("无约束")), broken, "no basic constraints");
    let mut wrong_usage = authority_params("用途不符");
    wrong_usage.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    assert_eq!(under(wrong_usage), broken);

    let mut short = authority_params("只许一级");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    assert_eq!(under(short.clone()).0, Finding::Sound);
    let too_long = root.certify_authority(short).certify_authority(authority_params("第二级"));
    assert_eq!(judge(&too_long.certify(&seal_params()), &root.trust()), broken);
}

#[test]
fn trust_is_read_from_pem_or_not_at_all() {
    let root = Authority::root("示例根");
    assert_eq!(
        format!("{:?}", Trust::from_pem(&[root.pem.clone(), root.pem.clone()].concat()).unwrap()),
        "Trust(2 certificates)"
    );
    assert!(Trust::from_pem("nothing").is_err());
    assert!(Trust::from_pem("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----").is_err());
}
