//! Why a file is not genuine, in words that an employer without any knowledge of signatures understands.

use super::Finding;
use crate::domain::language::Language;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $finding:ident $chinese:literal $english:literal)*) => {
        /// One thing wrong with a file. The code is stable; the message may be worded better one day.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable word of the interface, in kebab-case.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What the reason means, in the reader's language.
            pub fn message(self, language: Language) -> &'static str {
                match self { $(Self::$name => language.pick($chinese, $english),)* }
            }

            /// What the reason alone makes of a file that otherwise speaks for us.
            pub(super) fn finding(self) -> Finding {
                match self { $(Self::$name => Finding::$finding,)* }
            }
        }
    };
}

reasons! {
    /// More than 10 MiB.
    TooLarge "too-large" Unreadable
        "文件超过 10 MB，未作核验。本平台签发的证书文件不会这么大。"
        "The file is larger than 10 MB and was not checked. Files issued here are never that large."
    /// No header of a PDF within the first kilobyte.
    NotAPdf "not-a-pdf" Unreadable
        "这不是 PDF 文件。请上传持证人下载的原始 PDF 文件，不要上传截图、照片、扫描件或压缩包。"
        "This is not a PDF file. Upload the original PDF as downloaded by the holder, not a screenshot, photo, scan or archive."
    /// No end of a PDF, or nothing in between.
    Incomplete "incomplete" Unreadable
        "文件不完整或已损坏，可能是下载或传输中断。请让持证人重新下载后再核验。"
        "The file is incomplete or damaged, perhaps by an interrupted download. Ask the holder to download it again."
    /// The trailer asks for decryption.
    Encrypted "encrypted" Unreadable
        "文件被加密或设有密码，无法核验。本平台签发的证书文件从不加密，请索取未经处理的原始文件。"
        "The file is encrypted or has a password, so it cannot be checked. Files issued here never are; ask for the untouched original."
    /// A PDF without any signature.
    NoSignature "no-signature" Unsigned
        "文件里没有电子签章。它可能是打印成 PDF、扫描或另存的副本，不能证明证书是真的。请索取原始 PDF 文件，或扫描证书上的二维码查验。"
        "The file carries no electronic seal. It may be a print, scan or saved copy, which proves nothing. Ask for the original PDF or scan the QR code on it."
    /// More than one signature.
    SeveralSignatures "several-signatures" Tampered
        "文件里有不止一个签章。本平台签发的证书文件只有一个签章，说明文件在签章之后被加工过。"
        "The file holds more than one signature. Files issued here hold exactly one, so this one was worked on after it was sealed."
    /// `/ByteRange` is missing, is no range, or leaves the file.
    ByteRangeMalformed "byte-range-malformed" Tampered
        "签章没有正确写明它保护哪些内容，文件被改动或损坏。"
        "The seal does not properly say what it protects; the file was altered or damaged."
    /// The part left out of the range is not exactly the signature.
    ByteRangeGap "byte-range-gap" Tampered
        "签章没有保护文件的全部内容，有一部分可能被人替换。"
        "The seal does not protect the whole file; a part of it could have been replaced."
    /// The file goes on after the signed range, without a new revision.
    BytesAfterSignature "bytes-after-signature" Tampered
        "签章之后，文件末尾又被添加了内容。"
        "Something was added at the end of the file after it was sealed."
    /// A revision was appended.
    LaterRevision "later-revision" Tampered
        "签章之后，文件又被编辑并保存过（例如批注、填写、旋转页面或再次签名），现在看到的可能不是签发时的内容。请索取未经编辑的原始文件。"
        "The file was edited and saved again after it was sealed (a comment, a rotation, another signature …). What it shows may not be what was issued. Ask for the untouched original."
    /// The hole holds only zeros.
    ContentsEmpty "contents-empty" Tampered
        "文件里留有签章的位置，但签章是空的或已被清除。"
        "There is a place for a seal in the file, but the seal is empty or was wiped out."
    /// The hole is not lower-case hexadecimal, one DER value, then zeros.
    ContentsMalformed "contents-malformed" Tampered
        "签章数据的写法与本平台的不同，签章被改动或不是本平台所盖。"
        "The data of the seal is not written as ours is; the seal was altered or is not ours."
    /// No CMS SignedData in DER.
    CmsMalformed "cms-malformed" Tampered
        "签章数据已损坏或被改动，无法读出。"
        "The data of the seal is damaged or altered and cannot be read."
    /// A CMS that holds more, or other things, than ours do.
    CmsNotPlain "cms-not-plain" Tampered
        "签章数据里有本平台的签章不会包含的内容，签章被加工过或不是本平台所盖。"
        "The seal holds data that our seals never hold; it was worked on or is not ours."
    /// The signed digest is not that of the file.
    DigestMismatch "digest-mismatch" Tampered
        "文件内容在签章之后被改动过。阅读器此时会提示“至少一个签名有问题”或“签名无效”。请不要采信，并向持证人索取原始文件。"
        "The content of the file was changed after it was sealed. PDF readers then say “at least one signature has problems” or “signature is invalid”. Do not rely on it; ask for the original."
    /// The signature does not verify under the certificate's key.
    SignatureInvalid "signature-invalid" Tampered
        "签章与签章证书对不上，签章是伪造的或已损坏。阅读器此时会提示“至少一个签名有问题”或“签名无效”。"
        "The seal does not match its certificate: it is forged or damaged. PDF readers then say “at least one signature has problems” or “signature is invalid”."
    /// An algorithm that is not used for seals, or one that does not fit the key.
    AlgorithmNotAllowed "algorithm-not-allowed" Tampered
        "签章使用了本平台不采用的算法。"
        "The seal uses an algorithm that is not used here."
    /// The CMS does not contain the signer's certificate.
    CertificateNotInCms "certificate-not-in-cms" Tampered
        "签章里没有附带签章证书，无法确认是谁盖的章。"
        "The seal does not carry its certificate, so nobody can tell who applied it."
    /// The signed reference names another certificate.
    SigningCertificateMismatch "signing-certificate-mismatch" Tampered
        "签章里附带的证书与盖章时指明的证书不一致，证书可能被替换。"
        "The certificate in the seal is not the one that was named when sealing; it may have been exchanged."
    /// The objects, the table of contents and the trailer are not in the one order in which we write them.
    StructureNotOurs "structure-not-ours" Tampered
        "文件的内部结构与本平台签发的不同，文件被改动、损坏或由其他软件重新生成。"
        "The inner structure of the file is not that of files issued here; it was altered, damaged or written anew by other software."
    /// Arrays or dictionaries nested deeper than any real file needs.
    TooDeep "too-deep" Tampered
        "文件的内部结构嵌套过深，不是本平台签发的样子。"
        "The inner structure of the file is nested deeper than that of files issued here."
    /// More objects than any file of ours has.
    TooComplex "too-complex" Tampered
        "文件的内部结构过于庞杂，不是本平台签发的样子。"
        "The inner structure of the file is far larger than that of files issued here."
    /// A certificate of the chain does not certify the next.
    ChainBroken "chain-broken" NotOurs
        "签章证书与它的上级证书对不上，不能证明盖章的机构是谁。"
        "The seal certificate does not link to the authority it names, so it does not prove who applied the seal."
    /// The chain does not end at a root that is trusted here.
    RootNotTrusted "root-not-trusted" NotOurs
        "签章不是本平台认可的机构所盖：任何人都可以自制一个写着同样名称的签章证书。阅读器此时会提示“至少一个签名有问题”。"
        "The seal was not applied by an authority recognised here: anybody can make a certificate with the same name on it. PDF readers then say “at least one signature has problems”."
    /// A certificate of the chain was not valid when the seal says that it was applied.
    CertificateNotValidAtSigning "certificate-not-valid-at-signing" NotOurs
        "盖章时，签章证书还没有生效或已经过期。"
        "When the seal was applied, its certificate was not yet valid or had expired."
    /// The seal says that it is applied more than a day from now.
    SignedInTheFuture "signed-in-the-future" NotOurs
        "签章上写的时间还没有到，不可采信。"
        "The time written in the seal has not come yet, so it cannot be relied on."
    /// The signature dictionary has no readable `/M`.
    SigningTimeMissing "signing-time-missing" NotOurs
        "签章没有写明盖章时间。"
        "The seal does not say when it was applied."
    /// A certificate is used for what it was not issued for, or demands something unknown to us.
    KeyUsage "key-usage" NotOurs
        "签章使用的证书不是用来盖章的证书。"
        "The certificate behind the seal was not issued for sealing documents."
    /// A certificate demands something that this check does not know.
    CertificateExtension "certificate-extension" NotOurs
        "签章证书附有本平台不认识的强制条件，不能采信。"
        "The certificate behind the seal carries a mandatory condition unknown here, so it is not relied on."
    /// No certification signature that forbids every change (DocMDP, P 1).
    NotCertified "not-certified" NotOurs
        "签章没有声明“禁止任何修改”。本平台签发的证书文件都带有这项声明。"
        "The seal does not forbid later changes. Every file issued here does."
    /// Not `ETSI.CAdES.detached` of `Adobe.PPKLite`.
    SubfilterNotAllowed "subfilter-not-allowed" NotOurs
        "签章的格式不是本平台采用的格式（PAdES）。"
        "The seal is not in the format used here (PAdES)."
}

impl Reason {
    /// Whether the reason only says that a file is not written as ours are.
    pub(super) fn is_about_form(self) -> bool {
        use Reason::*;
        matches!(
            self,
            AlgorithmNotAllowed
                | CmsMalformed
                | CmsNotPlain
                | ContentsMalformed
                | NotCertified
                | SigningTimeMissing
                | StructureNotOurs
                | SubfilterNotAllowed
                | TooComplex
                | TooDeep
        )
    }
}

/// What the warning of PDF readers means, for readers who meet it on a genuine file too.
pub fn reader_warning(language: Language) -> &'static str {
    language.pick(
        "有的 PDF 阅读器会提示“至少一个签名有问题”。它可能只是说阅读器还不认识签章机构的根证书，也可能是文件真的被改动过；阅读器分不清时，请以本页的核验结论为准。",
        "Some PDF readers say “at least one signature has problems”. That may only mean that the reader does not know the sealing authority's root certificate, or that the file was really altered; go by the verdict on this page.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_kebab_case_and_unlike_each_other() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(codes.iter().all(|code| code.bytes().all(|c| c.is_ascii_lowercase() || c == b'-')));
    }

    #[test]
    fn every_reason_speaks_both_languages() {
        for reason in Reason::ALL {
            let (chinese, english) = (reason.message(Language::Chinese), reason.message(Language::English));
            assert!(chinese.ends_with('。') && english.ends_with('.'), "{}", reason.code());
            assert!(
                english.is_ascii() || english.contains('“') || english.contains('…'),
                "{}",
                reason.code()
            );
        }
    }

    #[test]
    fn no_reason_leaves_a_file_sound() {
        assert!(Reason::ALL.iter().all(|reason| reason.finding() != Finding::Sound));
    }
}
