//! Puts the signature into its hole (ISO 32000-2, 12.8.1): first the range that it covers, then itself.

use std::fmt::Write as _;

use ring::digest::{Context, SHA256};

use super::SealError;
use super::cms::sign_digest;
use super::key::SealKey;
use crate::render::Hole;

/// Fills both places of the hole; no other byte changes and none is added.
pub(crate) fn embed(mut bytes: Vec<u8>, hole: &Hole, key: &dyn SealKey) -> Result<Vec<u8>, SealError> {
    let (contents, range) = (hole.contents.clone(), hole.byte_range.clone());
    let brackets = |place: &std::ops::Range<usize>, open, close| {
        let place = bytes.get(place.clone()).unwrap_or_default();
        place.len() >= 2 && place.first() == Some(&open) && place.last() == Some(&close)
    };
    let apart = range.end <= contents.start || contents.end <= range.start;
    if !brackets(&contents, b'<', b'>') || !brackets(&range, b'[', b']') || !apart {
        return Err(SealError::HoleMisplaced);
    }

    let (a, b, n) = (contents.start, contents.end, bytes.len() - contents.end);
    let mut covered = format!("[0 {a} {b} {n}");
    while covered.len() + 1 < range.len() {
        covered.push(' ');
    }
    covered.push(']');
    if covered.len() != range.len() {
        return Err(SealError::HoleTooSmall);
    }
    bytes[range].copy_from_slice(covered.as_bytes());

    let mut context = Context::new(&SHA256);
    context.update(&bytes[..a]);
    context.update(&bytes[b..]);
    // From here the key is used.
    let signature = sign_digest(key, context.finish().as_ref())?;

    let mut digits = String::with_capacity(2 * signature.len());
    for byte in &signature {
        let _ = write!(digits, "{byte:02x}"); // writing to a String cannot fail
    }
    let digits_room = &mut bytes[a + 1..b - 1];
    let (filled, padding) = digits_room.split_at_mut_checked(digits.len()).ok_or(SealError::HoleTooSmall)?;
    filled.copy_from_slice(digits.as_bytes());
    padding.fill(b'0');
    Ok(bytes)
}
