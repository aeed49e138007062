//! Every refusal has one code, and says in two languages what happened and what to do.

use std::collections::BTreeSet;

use super::*;
use crate::domain::refusal::filing::Unmet;

/// One of each. A new refusal does not compile until it has its number here and stands in the list of examples.
fn number(refusal: &Refusal) -> usize {
    match refusal {
        Refusal::Invalid(_) => 0,
        Refusal::ValidityTooLong { .. } => 1,
        Refusal::ValidityTooShort => 2,
        Refusal::ScenarioNotAllowed { .. } => 3,
        Refusal::QuotaExceeded { .. } => 4,
        Refusal::CertificateNotValid { .. } => 5,
        Refusal::StatusFinal { .. } => 6,
        Refusal::AnnotationRequired => 7,
        Refusal::AnnotationNotReady => 8,
        Refusal::AnnotationExpired { .. } => 9,
        Refusal::AnnotationRevoked => 10,
        Refusal::AnnotationFailed => 11,
        Refusal::AnnotationNotLive { .. } => 12,
        Refusal::NotParked => 13,
        Refusal::Unprintable { .. } => 14,
        Refusal::KeyReused => 15,
        Refusal::NoticeNotAccepted => 16,
        Refusal::WrongCredentials => 17,
        Refusal::CaptchaWrong => 18,
        Refusal::CodeWrong => 19,
        Refusal::IdentityNotMatched => 20,
        Refusal::SecondFactorWrong => 21,
        Refusal::SecondFactorCompulsory => 22,
        Refusal::InvitationOver => 23,
        Refusal::LoginTaken => 24,
        Refusal::OwnPost => 25,
        Refusal::Applying(_) => 26,
        Refusal::Filing(_) => 27,
    }
}

fn refusals() -> Vec<Refusal> {
    let all = examples::refusals();
    assert!(all.iter().map(number).eq(0..all.len()), "one of each, in order");
    all
}

fn fault_number(fault: &FieldFault) -> usize {
    match fault {
        FieldFault::Missing => 0,
        FieldFault::UnknownField => 1,
        FieldFault::WrongKind(_) => 2,
        FieldFault::Empty => 3,
        FieldFault::TooLong(_) => 4,
        FieldFault::ControlCharacter => 5,
        FieldFault::NotOneOf(_) => 6,
        FieldFault::NotACitizenNumber => 7,
        FieldFault::NoSuchBirthDate => 8,
        FieldFault::CheckDigit => 9,
        FieldFault::NotThreeDigits => 10,
        FieldFault::NotADocumentNumber => 11,
        FieldFault::NotACreditCode => 12,
        FieldFault::NotAManagementNumber => 13,
        FieldFault::NotACertificateType => 14,
        FieldFault::NotADay => 15,
        FieldFault::DayContradicts(_) => 16,
        FieldFault::ContradictsIdNumber => 17,
        FieldFault::BadPhoto(_) => 18,
        FieldFault::NotBase64 => 19,
        FieldFault::NotAName => 20,
        FieldFault::OutOfRange(_) => 21,
        FieldFault::ForeignIssuer => 22,
        FieldFault::NotAMobile => 23,
        FieldFault::NotALoginName => 24,
        FieldFault::NotARegion => 25,
        FieldFault::PasswordTooShort(_) => 26,
        FieldFault::PasswordGuessable => 27,
        FieldFault::BadScan(_) => 28,
        FieldFault::NotAnEmail => 29,
        FieldFault::EndsBeforeItBegins => 30,
        FieldFault::BeyondOwnPost => 31,
        FieldFault::UnknownUnit => 32,
        FieldFault::BadFile(_) => 33,
    }
}

fn faults() -> Vec<FieldFault> {
    let all = examples::faults();
    assert!(all.iter().map(fault_number).eq(0..all.len()), "one of each, in order");
    all
}

fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Chinese text speaks Chinese and ends as a Chinese sentence; English text holds none of it, begins with a capital
/// where it is a sentence, and ends with a full stop.
fn assert_speaks(text: &str, language: Language, of: &str) {
    match language {
        Language::Chinese => {
            assert!(text.chars().any(is_han), "{of}: no Chinese in {text:?}");
            assert!(text.ends_with('。'), "{of}: no sentence: {text:?}");
            assert_chinese_marks(text, of);
        }
        Language::English => {
            assert!(!text.chars().any(is_han), "{of}: Chinese in {text:?}");
            assert!(text.ends_with('.'), "{of}: no sentence: {text:?}");
            let begins_well = |sentence: &str| sentence.chars().next().is_none_or(|c| !c.is_lowercase());
            assert!(text.split(". ").all(begins_well), "{of}: a sentence begins small in {text:?}");
            assert!(!text.contains("  "), "{of}: two spaces in {text:?}");
        }
    }
}

/// Beside Chinese characters stand Chinese punctuation marks (GB/T 15834).
fn assert_chinese_marks(text: &str, of: &str) {
    let is_foreign = |c: char| ",;:?!()".contains(c);
    let chars: Vec<char> = text.chars().collect();
    for pair in chars.windows(2) {
        let mixed = is_han(pair[0]) && is_foreign(pair[1]) || is_foreign(pair[0]) && is_han(pair[1]);
        assert!(!mixed, "{of}: a Latin mark in {text:?}");
    }
}

fn assert_kebab(code: &str) {
    let parts_are_words = code
        .split('-')
        .all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    assert!(parts_are_words, "{code:?} is not kebab-case");
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    let refusals = refusals();
    refusals.iter().for_each(|refusal| assert_kebab(refusal.code()));
    let codes: BTreeSet<_> = refusals.iter().map(Refusal::code).collect();
    assert_eq!(codes.len(), refusals.len());
}

#[test]
fn every_fault_of_a_field_has_a_code_of_its_own() {
    let faults = faults();
    faults.iter().for_each(|fault| assert_kebab(fault.code()));
    let codes: BTreeSet<_> = faults.iter().map(FieldFault::code).collect();
    assert_eq!(codes.len(), faults.len());
}

#[test]
fn every_refusal_speaks_both_languages() {
    for refusal in refusals() {
        let code = refusal.code();
        let (zh, en) = (refusal.title(Language::Chinese), refusal.title(Language::English));
        assert!(zh.chars().any(is_han) && !en.chars().any(is_han) && !en.is_empty(), "{code}: {zh} / {en}");
        assert_chinese_marks(zh, code);
        assert_speaks(&refusal.detail(Language::Chinese), Language::Chinese, code);
        if !matches!(refusal, Refusal::Invalid(_)) {
            assert_speaks(&refusal.detail(Language::English), Language::English, code);
        }
    }
}

#[test]
fn every_application_that_is_not_taken_says_why_in_both_languages() {
    let codes: BTreeSet<_> = Applying::ALL.iter().map(|applying| applying.code()).collect();
    assert_eq!(codes.len(), Applying::ALL.len());
    for applying in Applying::ALL {
        assert_kebab(applying.code());
        for language in [Language::Chinese, Language::English] {
            assert!(!applying.title(language).is_empty());
            assert_speaks(applying.detail(language), language, applying.code());
        }
    }
    for fault in [ScanFault::TooLarge, ScanFault::UnknownKind, ScanFault::Broken] {
        for language in [Language::Chinese, Language::English] {
            assert_speaks(fault.message(language), language, "bad-scan");
        }
    }
}

/// One of each act that is not taken: a new one does not compile until it has its number here.
fn filing_number(filing: &Filing) -> usize {
    match filing {
        Filing::CaseAlreadyOpen { .. } => 0,
        Filing::ConditionNotMet(_) => 1,
        Filing::ActNotAllowed { .. } => 2,
        Filing::NotAskedFor { .. } => 3,
        Filing::SocialInsuranceAnomaly => 4,
        Filing::CommitmentNotRead { .. } => 5,
        Filing::CommitmentOutdated { .. } => 6,
    }
}

/// The same of each condition.
fn unmet_number(unmet: &Unmet) -> usize {
    match unmet {
        Unmet::PhotoAndSignature => 0,
        Unmet::ProfileComplete { .. } => 1,
        Unmet::RealName => 2,
        Unmet::EmployerRegistered => 3,
        Unmet::Qualification { .. } => 4,
        Unmet::NotEnrolled => 5,
        Unmet::FirstRegistration { .. } => 6,
        Unmet::Registered => 7,
        Unmet::InForce { .. } => 8,
        Unmet::OtherSpecialty => 9,
        Unmet::RegistrationEnded => 10,
        Unmet::RenewalWindow { .. } => 11,
        Unmet::EmployerDiffers => 12,
        Unmet::RulingIfForced => 13,
        Unmet::SomethingToCorrect => 14,
    }
}

#[test]
fn every_act_that_is_not_taken_says_why_in_both_languages() {
    let (filings, unmet) = (examples::filings(), examples::unmet());
    assert!(filings.iter().map(filing_number).eq(0..filings.len()), "one of each, in order");
    assert!(unmet.iter().map(unmet_number).take(15).eq(0..15), "one of each, in order");
    let words: BTreeSet<_> = unmet.iter().map(Unmet::word).collect();
    assert_eq!(words.len(), 15);
    for filing in filings.into_iter().chain(unmet.into_iter().map(Filing::ConditionNotMet)) {
        assert_kebab(filing.code());
        assert_chinese_marks(filing.title(Language::Chinese), filing.code());
        assert!(!filing.title(Language::English).chars().any(is_han));
        for language in [Language::Chinese, Language::English] {
            assert_speaks(&filing.detail(language), language, filing.code());
        }
    }
}

#[test]
fn an_act_that_comes_too_late_is_told_who_did_what() {
    let told = examples::filings()[2].detail(Language::Chinese);
    for part in ["办理中", "审核", "部级主管部门", "省级主管部门于 1970-01-01 08:00 受理"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn every_fault_of_a_field_speaks_both_languages() {
    for fault in faults() {
        assert_speaks(&fault.message(Language::Chinese), Language::Chinese, fault.code());
        assert_speaks(&fault.message(Language::English), Language::English, fault.code());
    }
}

#[test]
fn a_refused_quota_names_the_day_where_there_is_one() {
    let refused = |next_free_on| Refusal::QuotaExceeded { quota: 3, window_days: 90, next_free_on };
    let day = NaiveDate::from_ymd_opt(2027, 2, 19);
    for language in [Language::Chinese, Language::English] {
        assert!(refused(day).detail(language).contains("2027-02-19"));
        assert_speaks(&refused(None).detail(language), language, "quota-exceeded without a day");
    }
}

#[test]
fn every_wrong_field_is_named_with_what_is_wrong() {
    let refusal = Refusal::Invalid(vec![
        FieldError::new("title", FieldFault::Empty),
        FieldError::new("holder.name", FieldFault::TooLong(40)),
    ]);
    assert_eq!(
        refusal.detail(Language::English),
        "title: Must not be empty. holder.name: At most 40 characters; shorten it."
    );
    assert!(refusal.detail(Language::Chinese).contains("holder.name：最多 40 个字符"));
}

#[test]
fn an_unprintable_character_is_named_with_its_number() {
    let refusal = Refusal::Unprintable { field: "recipient", character: '𱁬' };
    for language in [Language::Chinese, Language::English] {
        let detail = refusal.detail(language);
        assert!(
            detail.contains('𱁬') && detail.contains("U+3106C") && detail.contains("recipient"),
            "{detail}"
        );
    }
}
