//! One icon per verdict, each with a shape of its own: nobody has to tell them apart by colour.
//! Strokes on a square of 64, without any style of their own.

/// A ring with a tick.
pub(crate) const GENUINE: &str =
    r#"<circle cx="32" cy="32" r="28"/><path class="bold" d="m19 33 9 9 18-20"/>"#;
/// An hourglass that has run out.
pub(crate) const EXPIRED: &str = r#"<path d="M14 6h36M14 58h36M19 6v10c0 8 13 11 13 16S19 40 19 48v10M45 6v10c0 8-13 11-13 16s13 8 13 16v10"/><path class="solid" d="M25 54c0-6 7-7 7-11 0 4 7 5 7 11z"/>"#;
/// A stop sign with a cross.
pub(crate) const REVOKED: &str =
    r#"<path d="M21 4h22l17 17v22L43 60H21L4 43V21z"/><path class="bold" d="m22 22 20 20M42 22 22 42"/>"#;
/// A new sheet over an old one.
pub(crate) const SUPERSEDED: &str =
    r#"<path d="M14 46H7V5h32v7"/><path d="M21 18h36v41H21z"/><path d="M39 49V30M31 37l8-8 8 8"/>"#;
/// A certificate struck through.
pub(crate) const CERTIFICATE_REVOKED: &str = r#"<path d="M46 12h13v38H20M14 50H5V12h27"/><path d="M15 23h11M15 33h5M38 39h11"/><path class="bold" d="M53 4 11 60"/>"#;
/// A broken ring with three dots.
pub(crate) const PENDING: &str = r#"<circle cx="32" cy="32" r="28" stroke-dasharray="9 8.6"/><circle class="solid" cx="19" cy="32" r="4"/><circle class="solid" cx="32" cy="32" r="4"/><circle class="solid" cx="45" cy="32" r="4"/>"#;
/// A magnifying glass with a question mark.
pub(crate) const UNKNOWN: &str = r#"<circle cx="27" cy="27" r="22"/><path class="bold" d="m44 44 15 15"/><path d="M20 22c0-9 14-9 14 0 0 5-7 5-7 9"/><circle class="solid" cx="27" cy="38.5" r="2.8"/>"#;
/// A warning triangle.
pub(crate) const TAMPERED: &str = r#"<path d="M32 6 61 57H3z"/><path class="bold" d="M32 25v14"/><circle class="solid" cx="32" cy="48" r="3.4"/>"#;
/// A diamond with a sign of inequality.
pub(crate) const NOT_OURS: &str =
    r#"<path d="m32 3 29 29-29 29L3 32z"/><path d="M21 27h22M21 38h22M39 19 25 46"/>"#;
/// A sheet with an empty place for a seal.
pub(crate) const UNSIGNED: &str = r#"<path d="M12 4h27l13 13v43H12zM39 4v13h13"/><circle cx="32" cy="40" r="10" stroke-dasharray="5 5.4"/>"#;
/// A torn sheet.
pub(crate) const UNREADABLE: &str =
    r#"<path d="M12 25V4h27l13 13v8M12 42v18h40V42"/><path d="m4 34 8-5 8 9 8-9 8 9 8-9 8 9 8-5"/>"#;

/// A step passed.
pub(crate) const STEP_PASSED: &str = r#"<path class="bold" d="m10 34 15 15 30-34"/>"#;
/// A step failed.
pub(crate) const STEP_FAILED: &str = r#"<path class="bold" d="m13 13 38 38M51 13 13 51"/>"#;
/// A step that was not judged.
pub(crate) const STEP_OPEN: &str = r#"<path class="bold" d="M16 32h32"/>"#;

#[cfg(test)]
pub(crate) const VERDICTS: [&str; 11] = [
    GENUINE,
    EXPIRED,
    REVOKED,
    SUPERSEDED,
    CERTIFICATE_REVOKED,
    PENDING,
    UNKNOWN,
    TAMPERED,
    NOT_OURS,
    UNSIGNED,
    UNREADABLE,
];
