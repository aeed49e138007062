//! Whatever people upload.

use proptest::prelude::*;

use super::*;

fn judge(bytes: &[u8]) -> (Finding, Vec<Reason>) {
    let report = check(bytes, &Authority::root("示例根").trust(), signed_at());
    (report.finding, report.reasons)
}

/// The draft without field and signature.
fn unsigned() -> Vec<u8> {
    Draft::new()
        .reword("/AcroForm<</Fields[5 0 R]/SigFlags 3>>/Perms<</DocMDP 7 0 R>>", "")
        .reword("/Type/Sig/", "/Type/Note/")
        .reword("/ByteRange[0 999999999 999999999 999999999]/Contents<", "/Text<")
        .lay_out()
        .0
}

#[test]
fn what_is_no_pdf_is_unreadable() {
    let unreadable = |bytes: &[u8], reason| assert_eq!(judge(bytes), (Finding::Unreadable, vec![reason]));
    unreadable(b"", Reason::NotAPdf);
    unreadable(b"\xff\xd8\xff\xe0 a photograph", Reason::NotAPdf);
    unreadable(b"PK\x03\x04", Reason::NotAPdf);
    unreadable(b"%PDF-", Reason::Incomplete);
    unreadable(b"%PDF-1.7\n", Reason::Incomplete);
    unreadable(&unsigned()[..300], Reason::Incomplete);
    unreadable(b"%PDF-1.7\nstartxref\n0\n%%EOF\n", Reason::Incomplete);
    unreadable(&vec![b' '; MAX_BYTES + 1], Reason::TooLarge);
}

#[test]
fn a_pdf_without_signature_is_unsigned_however_it_is_laid_out() {
    let plain = unsigned();
    let expected = (Finding::Unsigned, vec![Reason::NoSignature]);
    assert_eq!(judge(&plain), expected, "as ours");
    assert_eq!(judge(&[b"junk\n".as_slice(), &plain].concat()), expected, "junk before");
    assert_eq!(judge(&patch(&plain, "%PDF-1.7", "%PDF-2.0")), expected, "PDF 2.0");
    assert_eq!(judge(&patch(&plain, "/Root 1 0 R", "/Root 1 0 R/Prev 9")), expected, "revisions");
    assert_eq!(judge(&patch(&plain, "/Root 1 0 R", "/XRefStm 9/Root 1 0 R")), expected, "hybrid");
    let stream = "%PDF-1.5\n1 0 obj\n<</Type/XRef/Size 2/W[1 2 1]/Root 2 0 R/Length 4/Filter/FlateDecode>>stream\n\
                  \u{1}\u{2}\u{3}\u{4}\nendstream\nendobj\nstartxref\n9\n%%EOF";
    assert_eq!(judge(stream.as_bytes()), expected, "cross-reference stream");
}

#[test]
fn an_encrypted_pdf_cannot_be_judged() {
    let expected = (Finding::Unreadable, vec![Reason::Encrypted]);
    let plain = unsigned();
    assert_eq!(judge(&patch(&plain, "/Root 1 0 R", "/Root 1 0 R/Encrypt 6 0 R")), expected);
    assert_eq!(judge(&patch(&plain, "/Root 1 0 R", "/Prev 9/Encrypt<</Filter/Standard>>")), expected);
}

#[test]
fn the_signature_of_another_is_not_ours_in_whatever_file() {
    let scene = Scene::new();
    let other = Draft::new().seal_unchecked(&Authority::root("另一个根").certify(&seal_params()));
    let found = |bytes: &[u8]| scene.judge(bytes).0;
    assert_eq!(found(&other), Finding::NotOurs);
    assert_eq!(found(&patch(&other, "Specimen", "Specimem")), Finding::NotOurs, "altered too");
    assert_eq!(found(&[other.as_slice(), b"\n%%EOF"].concat()), Finding::NotOurs, "appended to");
    assert_eq!(found(&patch(&other, "%PDF-1.7\n", "%PDF-2.0\r")), Finding::NotOurs, "laid out otherwise");
    assert_eq!(
        scene.judge(&patch(&other, "Specimen", "Specimem")).1[0],
        Reason::RootNotTrusted,
        "whose it is not comes first"
    );
    let elsewhere = patch(&other, "SubFilter/ETSI.CAdES.detached", "SubFilter/adbe.pkcs7.detached");
    assert!(
        !scene.judge(&elsewhere).1.contains(&Reason::SubfilterNotAllowed),
        "another's form is no reproach"
    );
    let report = check(&other, &scene.root.trust(), signed_at());
    assert_eq!(report.signature.unwrap().issuer, "另一个根", "whose it is can be told");
}

#[test]
fn a_name_claimed_by_a_forger_does_not_make_a_file_ours() {
    let scene = Scene::new();
    let forged = Draft::new().seal_unchecked(&Authority::root("示例根").certify(&seal_params()));
    scene.expect(&forged, Finding::NotOurs, Reason::RootNotTrusted);
    scene.expect(&patch(&forged, "Specimen", "Specimem"), Finding::Tampered, Reason::RootNotTrusted);
}

#[test]
fn the_largest_and_nastiest_uploads_are_judged_in_time() {
    let frame = |body: &str| {
        let room = MAX_BYTES - 100;
        let mut bytes = b"%PDF-1.7\n1 0 obj\n".to_vec();
        bytes.extend(body.as_bytes().iter().cycle().take(room));
        bytes.extend(b"\nstartxref\n9\n%%EOF\n");
        bytes
    };
    let trust = Authority::root("示例根").trust();
    for body in [
        "[",
        "<<",
        "(",
        "(\\",
        "0 ",
        "/ByteRange[",
        "/ByteRange obj ",
        "0 0 R ",
        "ab",
        "<ab",
        "/Encrypt",
        "\0",
        "1 0 obj\n[]\nendobj\n",
    ] {
        let bytes = frame(body);
        let started = std::time::Instant::now();
        let report = check(&bytes, &trust, signed_at());
        assert_ne!(report.finding, Finding::Sound);
        assert!(started.elapsed().as_secs() < 10, "{body}: {:?}", started.elapsed());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_check_panic(bytes: Vec<u8>, cut in 0usize..4000) {
        let trust = Trust::from_pem(crate::seal::key::development::ROOT_PEM).unwrap();
        let _ = check(&bytes, &trust, signed_at());
        let _ = check(&[b"%PDF-1.7\n".as_slice(), &bytes].concat(), &trust, signed_at());
        let (draft, _) = Draft::with_hole(100).lay_out();
        let cut = cut.min(draft.len());
        let inserted = [&draft[..cut], &bytes, &draft[cut..]].concat();
        prop_assert_ne!(check(&inserted, &trust, signed_at()).finding, Finding::Sound);
    }

    #[test]
    fn no_signature_makes_the_check_panic(bytes: Vec<u8>, place in 0usize..1110, with: u8) {
        let key = crate::seal::key::development::key().unwrap();
        let trust = Trust::from_pem(crate::seal::key::development::ROOT_PEM).unwrap();
        let _ = check_detached(b"x", &bytes, &trust, signed_at());
        let mut signature = crate::seal::cms::sign_detached(&key, b"x").unwrap();
        let place = place.min(signature.len() - 1);
        let before = std::mem::replace(&mut signature[place], with);
        let reasons = check_detached(b"x", &signature, &trust, signed_at());
        prop_assert_eq!(reasons.is_empty(), before == with);
    }
}
