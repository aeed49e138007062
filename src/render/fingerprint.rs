//! Sixteen bytes that name a content inside a file: the same content, the same name. Not a cryptographic digest.

/// The 128-bit FNV-1a hash (draft-eastlake-fnv). Names subsets and revisions; protects nothing.
pub(crate) fn fingerprint(bytes: &[u8]) -> [u8; 16] {
    const BASIS: u128 = 0x6c62272e07bb014262b821756295c58d;
    const PRIME: u128 = 0x0000000001000000000000000000013b;
    bytes.iter().fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_values() {
        assert_eq!(u128::from_be_bytes(fingerprint(b"")), 0x6c62272e07bb014262b821756295c58d);
        assert_eq!(u128::from_be_bytes(fingerprint(b"foobar")), 0x343e1662793c64bf6f0d3597ba446f18);
    }
}
