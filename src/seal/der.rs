//! The little DER that sealing needs (ITU-T X.690): values written inside out, certificates taken apart without
//! being re-encoded. The checker does not use it.

/// SEQUENCE and SEQUENCE OF, constructed.
pub(crate) const SEQUENCE: u8 = 0x30;
/// SET and SET OF, constructed.
pub(crate) const SET: u8 = 0x31;
/// INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// BIT STRING, primitive.
pub(crate) const BIT_STRING: u8 = 0x03;
/// OCTET STRING, primitive.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// NULL.
pub(crate) const NULL: u8 = 0x05;

/// One value: tag, length in its shortest form, and the parts one after the other.
pub(crate) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    if let Ok(short @ 0..=127) = u8::try_from(length) {
        out.push(short);
    } else {
        let bytes = length.to_be_bytes();
        let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        out.push(0x80 | digits.len() as u8);
        out.extend(digits);
    }
    parts.iter().for_each(|part| out.extend(*part));
    out
}

/// A SET OF: its members in the order that DER prescribes (X.690, 11.6).
pub(crate) fn set_of(tag: u8, mut members: Vec<Vec<u8>>) -> Vec<u8> {
    members.sort();
    value(tag, &members.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A value that was read.
#[derive(Debug, PartialEq)]
struct Value<'a> {
    tag: u8,
    /// Tag, length and content.
    whole: &'a [u8],
    content: &'a [u8],
}

/// The first value of the input, and what follows it. `None` where the input does not begin with a complete value
/// of one tag byte and definite length.
fn first(input: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (&tag, &length) = (input.first()?, input.get(1)?);
    let (header, length) = match length {
        0..=0x7f => (2, usize::from(length)),
        0x81..=0x84 => {
            let digits = input.get(2..2 + usize::from(length & 0x7f))?;
            (2 + digits.len(), digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)))
        }
        _ => return None,
    };
    let end = header.checked_add(length)?;
    Some((Value { tag, whole: input.get(..end)?, content: input.get(header..end)? }, input.get(end..)?))
}

/// The parts of a certificate that its holder's signatures quote, byte for byte as they stand in it
/// (RFC 5280, section 4.1).
#[derive(Clone, Copy)]
pub(crate) struct Quoted<'a> {
    /// `Name` of the issuer, with tag and length.
    pub(crate) issuer: &'a [u8],
    /// Serial number, with tag and length.
    pub(crate) serial: &'a [u8],
    /// `Name` of the subject, with tag and length.
    pub(crate) subject: &'a [u8],
    /// `SubjectPublicKeyInfo`, with tag and length.
    pub(crate) key: &'a [u8],
    /// The public key itself: a point, or an `RSAPublicKey`.
    pub(crate) key_bits: &'a [u8],
}

/// Takes a certificate apart; `None` where the bytes are not one.
pub(crate) fn quote(certificate: &[u8]) -> Option<Quoted<'_>> {
    let (certificate, []) = first(certificate)? else { return None };
    let (body, _) = first(certificate.content)?;
    let mut rest = body.content;
    let mut take = |wanted: u8| {
        let (value, after) = first(rest)?;
        rest = after;
        (value.tag == wanted).then_some(value)
    };
    const EXPLICIT_0: u8 = 0xa0;
    take(EXPLICIT_0)?; // version
    let serial = take(INTEGER)?.whole;
    take(SEQUENCE)?; // signature algorithm
    let issuer = take(SEQUENCE)?.whole;
    take(SEQUENCE)?; // validity
    let subject = take(SEQUENCE)?.whole;
    let key = take(SEQUENCE)?;
    let (_, bits) = first(key.content)?;
    let (Value { tag: BIT_STRING, content: [0, key_bits @ ..], .. }, []) = first(bits)? else { return None };
    let key = key.whole;
    Some(Quoted { issuer, serial, subject, key, key_bits })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_take_their_shortest_form() {
        for (length, header) in
            [(0, vec![4, 0]), (127, vec![4, 127]), (128, vec![4, 0x81, 128]), (256, vec![4, 0x82, 1, 0])]
        {
            let written = value(OCTET_STRING, &[&vec![7; length]]);
            assert_eq!(written[..header.len()], header);
            assert_eq!(written.len(), header.len() + length);
        }
    }

    #[test]
    fn members_of_a_set_stand_in_the_order_of_their_bytes() {
        let members = vec![vec![4, 1, 9], vec![2, 1, 9], vec![4, 1, 3]];
        assert_eq!(set_of(SET, members), [0x31, 9, 2, 1, 9, 4, 1, 3, 4, 1, 9]);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(tag: u8, content: Vec<u8>, after: Vec<u8>) {
            let written = value(tag, &[&content]);
            let input = [written.as_slice(), &after].concat();
            let read = Value { tag, whole: &written, content: &content };
            prop_assert_eq!(first(&input), Some((read, after.as_slice())));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = quote(&bytes);
        }
    }
}
