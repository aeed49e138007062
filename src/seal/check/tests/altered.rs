//! Sealed files that somebody touched afterwards.

use std::time::{Duration, Instant};

use ::cms::cert::CertificateChoices;
use ::cms::content_info::{CmsVersion, ContentInfo};
use ::cms::signed_data::{SignedData, SignerInfo};
use der::asn1::SetOfVec;
use der::{Any, Decode as _, Encode as _};

use super::*;

/// A small generator (SplitMix64), so that a run can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as usize % sides
    }
}

#[test]
fn no_single_altered_byte_passes() {
    let scene = Scene::of(&Draft::with_hole(900));
    assert_eq!(scene.judge(&scene.sealed).0, Finding::Sound);
    let trust = scene.root.trust();
    let mut bytes = scene.sealed.clone();
    let mut verdicts = std::collections::BTreeMap::<_, usize>::new();
    for place in 0..bytes.len() {
        // The lowest bit, the case of letters, and the highest bit.
        for flip in [0x01, 0x20, 0x80] {
            bytes[place] ^= flip;
            let report = check(&bytes, &trust, signed_at());
            assert!(report.finding != Finding::Sound, "byte {place} ^ {flip:#x} passes");
            assert!(!report.reasons.is_empty());
            *verdicts.entry(format!("{:?}", report.finding)).or_default() += 1;
            bytes[place] ^= flip;
        }
    }
    // Almost all are told for what they are: ours, but altered. The rest no longer look like a PDF.
    let tampered = verdicts.get("Tampered").copied().unwrap_or_default();
    assert!(tampered * 1000 >= bytes.len() * 3 * 990, "{verdicts:?}");
}

#[test]
fn no_byte_may_follow() {
    let scene = Scene::new();
    for more in ["x", "\n", " ", "\0", "%", "%%EOF\n"] {
        let longer = [scene.sealed.as_slice(), more.as_bytes()].concat();
        scene.expect(&longer, Finding::Tampered, Reason::BytesAfterSignature);
        let report = check(&longer, &scene.root.trust(), signed_at());
        assert!(report.signature.is_some_and(|facts| !facts.covers_whole_file));
    }
    let shorter = &scene.sealed[..scene.sealed.len() - 1];
    scene.expect(shorter, Finding::Tampered, Reason::ByteRangeMalformed);
}

#[test]
fn a_later_revision_is_seen() {
    let scene = Scene::new();
    let sealed = String::from_utf8_lossy(&scene.sealed).into_owned();
    let table = sealed.rsplit("startxref\n").next().and_then(|rest| rest.split('\n').next()).unwrap();
    let at = scene.sealed.len();
    let page =
        "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Rotate 90>>\nendobj\n";
    let revision = format!(
        "{page}xref\n3 1\n{at:010} 00000 n \ntrailer\n<</Size 8/Root 1 0 R/Prev {table}>>\nstartxref\n{}\n%%EOF\n",
        at + page.len()
    );
    let bytes = [scene.sealed.as_slice(), revision.as_bytes()].concat();
    scene.expect(&bytes, Finding::Tampered, Reason::LaterRevision);
}

#[test]
fn a_range_that_is_moved_shortened_or_gone_is_seen() {
    let scene = Scene::new();
    let start = find(&scene.sealed, b"/ByteRange[").unwrap() + 11;
    let end = start + scene.sealed[start..].iter().position(|byte| *byte == b']').unwrap();
    let range = String::from_utf8(scene.sealed[start..end].to_vec()).unwrap();
    let numbers: Vec<usize> = range.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let with = |numbers: [usize; 4]| {
        let text = numbers.map(|number| number.to_string()).join(" ");
        patch(&scene.sealed, &range, &format!("{text:<width$}", width = range.len()))
    };
    let [a, b, n] = [numbers[1], numbers[2], numbers[3]];
    scene.expect(&with([1, a - 1, b, n]), Finding::Tampered, Reason::ByteRangeMalformed);
    scene.expect(&with([0, a - 1, b, n]), Finding::Tampered, Reason::ByteRangeGap);
    scene.expect(&with([0, a, b + 1, n - 1]), Finding::Tampered, Reason::ByteRangeGap);
    scene.expect(&with([0, a, b, n - 1]), Finding::Tampered, Reason::BytesAfterSignature);
    scene.expect(&with([0, a, b, n + 1]), Finding::Tampered, Reason::ByteRangeMalformed);
    scene.expect(&with([0, a, a, n]), Finding::Tampered, Reason::ByteRangeGap);
    scene.expect(
        &patch(&scene.sealed, "/ByteRange[", "/ByteRangf["),
        Finding::Tampered,
        Reason::ByteRangeMalformed,
    );
}

#[test]
fn a_hole_that_is_emptied_or_gone_is_seen() {
    let scene = Scene::new();
    let digits = hole(&scene.sealed);
    let mut emptied = scene.sealed.clone();
    emptied[digits].fill(b'0');
    scene.expect(&emptied, Finding::Tampered, Reason::ContentsEmpty);
    let renamed = patch(&scene.sealed, "/Contents<30", "/Contemts<30");
    scene.expect(&renamed, Finding::Tampered, Reason::ContentsMalformed);
    let (unsealed, _) = Draft::new().lay_out();
    scene.expect(&unsealed, Finding::Tampered, Reason::ContentsEmpty);
}

#[test]
fn a_second_signature_is_seen() {
    let scene = Scene::of(&Draft::new().add("<</Type/Sig/Filter/Adobe.PPKLite/Contents<00>>>"));
    scene.expect(&scene.sealed, Finding::Tampered, Reason::SeveralSignatures);
    let inside = Scene::of(&Draft::new().add("<</X[<</ByteRange[0 1 2 3]>>]>>"));
    inside.expect(&inside.sealed, Finding::Tampered, Reason::SeveralSignatures);
}

#[test]
fn nothing_may_stand_between_the_objects() {
    let scene = Scene::new();
    let hidden = patch(&scene.sealed, "endobj\n2 0 obj", "endobj\n%hid\n2 0 obj");
    scene.expect(&hidden, Finding::Tampered, Reason::StructureNotOurs);
    // Sealed by us by mistake, they are still refused.
    for (from, to) in [
        ("/Count 1>>", "/Count 1/Count 2>>"),
        ("/Count 1>>", "/Count 1>>\nendobj\n2 0 obj\n<</Type/Pages>>"),
        ("<</Type/Font", "%\n<</Type/Font"),
        ("<</Length 39>>", "<</Length 6 0 R>>"),
        ("<</Length 39>>", "<</Length 38>>"),
    ] {
        let scene = Scene::of(&Draft::new().reword(from, to));
        assert_ne!(scene.judge(&scene.sealed).0, Finding::Sound, "{to}");
    }
    let scene = Scene::of(&Draft::new().add(&"[".repeat(1000)));
    scene.expect(&scene.sealed, Finding::Tampered, Reason::TooDeep);
    let scene = Scene::of(&Draft::new().add(&format!("[{}]", "0 ".repeat(200_000))));
    scene.expect(&scene.sealed, Finding::Tampered, Reason::TooComplex);
}

#[test]
fn what_is_not_certified_against_every_change_is_refused() {
    for (from, to, reason) in [
        ("/P 1/", "/P 2/", Reason::NotCertified),
        ("/TransformMethod/DocMDP", "/TransformMethod/FieldMDP", Reason::NotCertified),
        ("/Perms<</DocMDP 7 0 R>>", "", Reason::NotCertified),
        ("/Perms<</DocMDP 7 0 R>>", "/Perms<</DocMDP 6 0 R>>", Reason::NotCertified),
        ("/Fields[5 0 R]", "/Fields[]", Reason::NotCertified),
        ("/Fields[5 0 R]", "/Fields[5 0 R 5 0 R]", Reason::NotCertified),
        ("/V 7 0 R", "", Reason::NotCertified),
        ("/SubFilter/ETSI.CAdES.detached", "/SubFilter/adbe.pkcs7.detached", Reason::SubfilterNotAllowed),
        ("/Filter/Adobe.PPKLite", "/Filter/Another", Reason::SubfilterNotAllowed),
        ("/M(D:", "/Date(D:", Reason::SigningTimeMissing),
    ] {
        let scene = Scene::of(&Draft::new().reword(from, to));
        assert_eq!(scene.judge(&scene.sealed), (Finding::NotOurs, vec![reason]), "{from} {to}");
    }
}

/// The digits of the hole.
fn hole(bytes: &[u8]) -> std::ops::Range<usize> {
    let start = find(bytes, b"/Contents<").unwrap() + 10;
    start..start + bytes[start..].iter().position(|byte| *byte == b'>').unwrap()
}

/// The file with its CMS changed and put back into the hole.
fn with_cms(bytes: &[u8], change: impl FnOnce(&mut SignedData)) -> Vec<u8> {
    let place = hole(bytes);
    let signature = contents::read(&bytes[place.start - 1..place.end + 1]).unwrap();
    let mut info = ContentInfo::from_der(&signature).unwrap();
    let mut data = info.content.decode_as::<SignedData>().unwrap();
    change(&mut data);
    info.content = Any::encode_from(&data).unwrap();
    let digits: String = info.to_der().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut out = bytes.to_vec();
    out[place.clone()].fill(b'0');
    out[place.start..place.start + digits.len()].copy_from_slice(digits.as_bytes());
    out
}

#[test]
fn a_cms_with_anything_more_or_less_than_ours_is_refused() {
    let scene = Scene::new();
    assert_eq!(scene.judge(&with_cms(&scene.sealed, |_| {})).0, Finding::Sound);
    let signer = |data: &mut SignedData, change: &dyn Fn(&mut SignerInfo)| {
        let mut info = data.signer_infos.0.as_slice()[0].clone();
        change(&mut info);
        data.signer_infos.0 = SetOfVec::try_from(vec![info]).unwrap();
    };
    let refused = |bytes: Vec<u8>, reason| scene.expect(&bytes, Finding::Tampered, reason);

    let unsigned = with_cms(&scene.sealed, |data| {
        signer(data, &|info| info.unsigned_attrs = info.signed_attrs.clone());
    });
    refused(unsigned, Reason::CmsNotPlain);
    let stranger = Authority::root("另一个根").certify(&seal_params());
    let extra = with_cms(&scene.sealed, |data| {
        let certificate = Certificate::from_der(&stranger.chain()[0]).unwrap();
        data.certificates.as_mut().unwrap().0.insert(CertificateChoices::Certificate(certificate)).unwrap();
    });
    refused(extra, Reason::CmsNotPlain);
    refused(with_cms(&scene.sealed, |data| data.certificates = None), Reason::CertificateNotInCms);
    let twice = with_cms(&scene.sealed, |data| {
        let mut second = data.signer_infos.0.as_slice()[0].clone();
        second.version = CmsVersion::V3;
        data.signer_infos.0.insert(second).unwrap();
    });
    refused(twice, Reason::CmsNotPlain);
    let content = with_cms(&scene.sealed, |data| data.encap_content_info.econtent = Some(Any::null()));
    refused(content, Reason::CmsNotPlain);
    let fewer = with_cms(&scene.sealed, |data| {
        signer(data, &|info| {
            let attributes = info.signed_attrs.clone().unwrap();
            info.signed_attrs =
                Some(attributes.iter().take(2).cloned().collect::<Vec<_>>().try_into().unwrap());
        });
    });
    refused(fewer, Reason::SignatureInvalid);
    let none = with_cms(&scene.sealed, |data| signer(data, &|info| info.signed_attrs = None));
    refused(none, Reason::CmsNotPlain);
    let relabelled = with_cms(&scene.sealed, |data| {
        signer(data, &|info| {
            info.signature_algorithm.oid = chain::RSA_SHA256;
            info.signature_algorithm.parameters = Some(Any::null());
        });
    });
    refused(relabelled, Reason::AlgorithmNotAllowed);
    let padded = with_cms(&scene.sealed, |data| {
        signer(data, &|info| info.digest_alg.parameters = Some(Any::null()));
    });
    refused(padded, Reason::CmsNotPlain);
}

#[test]
fn a_certificate_exchanged_for_another_of_the_same_key_is_seen() {
    // Same issuer, serial number and key, so that the signature itself verifies under both.
    let root = Authority::root("示例根");
    let pair = rcgen::KeyPair::generate().unwrap();
    let mut params = seal_params();
    params.serial_number = Some(7.into());
    let sealed = Draft::new().seal_unchecked(&root.certify_key(&params, &pair));
    params.distinguished_name.push(rcgen::DnType::CommonName, "别的章");
    let other = Certificate::from_der(&root.certify_key(&params, &pair).chain()[0]).unwrap();
    let exchanged = with_cms(&sealed, |data| {
        let choice = CertificateChoices::Certificate(other);
        data.certificates = Some(vec![choice].try_into().unwrap());
    });
    let report = check(&exchanged, &root.trust(), signed_at());
    assert_eq!(
        (report.finding, report.reasons),
        (Finding::Tampered, vec![Reason::SigningCertificateMismatch])
    );
}

#[test]
fn the_hole_has_one_spelling_only() {
    let scene = Scene::new();
    let place = hole(&scene.sealed);
    let mut capitals = scene.sealed.clone();
    capitals[place.clone()].make_ascii_uppercase();
    scene.expect(&capitals, Finding::Tampered, Reason::ContentsMalformed);
    let mut padding = scene.sealed.clone();
    padding[place.end - 1] = b'1';
    scene.expect(&padding, Finding::Tampered, Reason::ContentsMalformed);
}

#[test]
fn ten_thousand_mutations_never_pass_never_panic_and_are_quick() {
    const SEED: u64 = 20261122;
    let scene = Scene::new();
    let trust = scene.root.trust();
    let mut dice = Dice(SEED);
    let mut slowest = Duration::ZERO;
    for round in 0..10_000 {
        let mut bytes = scene.sealed.clone();
        for _ in 0..=dice.roll(3) {
            let (place, length) = (dice.roll(bytes.len()), 1 + dice.roll(40));
            let end = (place + length).min(bytes.len());
            match dice.roll(6) {
                0 => bytes[place] = dice.roll(256) as u8,
                1 => drop(bytes.drain(place..end)),
                2 => drop(
                    bytes.splice(place..place, scene.sealed[place..end.min(scene.sealed.len())].to_vec()),
                ),
                3 => bytes.truncate(place.max(1)),
                4 => bytes[place..end].reverse(),
                _ => bytes[place..end].fill(b"<[(/9 >"[dice.roll(7)]),
            }
        }
        if bytes == scene.sealed {
            continue;
        }
        let started = Instant::now();
        let report = check(&bytes, &trust, signed_at());
        slowest = slowest.max(started.elapsed());
        assert_ne!(report.finding, Finding::Sound, "seed {SEED}, round {round}");
    }
    // Far above what it takes here, for machines under load.
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}
