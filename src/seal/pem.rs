//! Text armour around keys and certificates (RFC 7468): taken off, put on, nothing judged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// One armoured block.
pub(crate) struct Block<'a> {
    /// What the armour says is inside, as `CERTIFICATE`.
    pub(crate) label: &'a str,
    /// What is inside; wiped when dropped, for it may be a key.
    pub(crate) content: Zeroizing<Vec<u8>>,
}

/// The armour is broken, or there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not well-formed PEM text")]
pub(crate) struct MalformedPem;

/// All blocks of the text; what stands between them is skipped. Fails where a block is damaged, or there is none.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block<'_>>, MalformedPem> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(MalformedPem)?;
        let (body, after) = after.split_once("-----END ").ok_or(MalformedPem)?;
        rest = after.strip_prefix(label).and_then(|rest| rest.strip_prefix("-----")).ok_or(MalformedPem)?;
        let digits: Zeroizing<Vec<u8>> =
            Zeroizing::new(body.bytes().filter(|c| !c.is_ascii_whitespace()).collect());
        // Headers as in `Proc-Type: 4,ENCRYPTED` are no Base64; such a block is told by its label alone.
        let content = match STANDARD.decode(digits.as_slice()) {
            Ok(content) => content,
            Err(_) if body.contains(':') => Vec::new(),
            Err(_) => return Err(MalformedPem),
        };
        found.push(Block { label, content: Zeroizing::new(content) });
    }
    if found.is_empty() { Err(MalformedPem) } else { Ok(found) }
}

/// The certificates of the text, in its order; other blocks are not looked at.
pub(crate) fn certificates(text: &str) -> Result<Vec<Vec<u8>>, MalformedPem> {
    let blocks = blocks(text)?;
    let found: Vec<_> = blocks.iter().filter(|block| block.label == "CERTIFICATE").collect();
    if found.is_empty() {
        Err(MalformedPem)
    } else {
        Ok(found.iter().map(|block| block.content.to_vec()).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_are_found_between_other_text() {
        let text = "subject=示例\n-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\r\n\n-----BEGIN PRIVATE KEY-----\r\nBAUG\r\n-----END PRIVATE KEY-----";
        let found = blocks(text).unwrap();
        assert_eq!(found.iter().map(|block| block.label).collect::<Vec<_>>(), ["CERTIFICATE", "PRIVATE KEY"]);
        assert_eq!(certificates(text).unwrap(), [[1, 2, 3]]);
    }

    #[test]
    fn damaged_armour_is_refused() {
        for text in [
            "",
            "AQID",
            "-----BEGIN A-----\nAQID\n",
            "-----BEGIN A-----\nAQID\n-----END B-----",
            "-----BEGIN A-----\n*\n-----END A-----",
        ] {
            assert!(blocks(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(-----BEGIN |-----END |-----|A|=|\\PC|\n){0,12}") {
            let _ = certificates(&text);
        }
    }
}
