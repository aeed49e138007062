//! What a verdict is called, what it means and what to do about it, in plain words; with its colour and its icon.

use crate::desk::standing::FileFinding;
use crate::domain::certificate::Status;
use crate::domain::language::Language;
use crate::domain::verdict::Verdict;
use crate::pages::icons;

/// A verdict as a page says it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wording {
    /// One word.
    pub(crate) word: &'static str,
    /// One sentence: what it means.
    pub(crate) meaning: &'static str,
    /// What to do.
    pub(crate) advice: &'static str,
    /// Class of the stylesheet: jade holds, ochre is over, vermilion is wrong, slate is not known.
    pub(crate) tone: &'static str,
    /// Content of the icon.
    pub(crate) icon: &'static str,
    /// The word for how the certificate stands, where that is the reason.
    pub(crate) status: Option<&'static str>,
    /// Whether asking again soon makes sense.
    pub(crate) again: bool,
}

type Pair = (&'static str, &'static str);

fn wording(
    language: Language,
    tone: &'static str,
    icon: &'static str,
    [word, meaning, advice]: [Pair; 3],
) -> Wording {
    let [word, meaning, advice] =
        [word, meaning, advice].map(|(chinese, english)| language.pick(chinese, english));
    Wording { word, meaning, advice, tone, icon, status: None, again: false }
}

/// The field's own word for a status, and the English one.
pub(crate) fn status_word(status: Status, language: Language) -> &'static str {
    let english = match status {
        Status::Valid => "Valid",
        Status::Suspended => "Suspended",
        Status::Revoked => "Revoked",
        Status::Cancelled => "Cancelled",
        Status::Lapsed => "Lapsed",
        Status::Superseded => "Superseded",
    };
    language.pick(status.chinese(), english)
}

const WORD_GENUINE: Pair = ("真实有效", "Genuine");
const WORD_UNKNOWN: Pair = ("查无此件", "Not found");

const WORD_NO_CERTIFICATE: Pair = ("查无此证", "Not found");

/// The verdict on a code. `status` is how the certificate stands, where the public may know.
pub(crate) fn of_code(verdict: Verdict, status: Option<Status>, language: Language) -> Wording {
    let say = |tone, icon, words| wording(language, tone, icon, words);
    match verdict {
        Verdict::Genuine => say(
            "jade",
            icons::GENUINE,
            [
                WORD_GENUINE,
                (
                    "这份加注件登记在册，今天仍在有效期内。",
                    "This annotated copy is on the register and in force today.",
                ),
                (
                    "请把手中的纸面与下面各项逐一核对，有一项不符就不要采信。",
                    "Compare the paper with every line below. If one differs, do not rely on it.",
                ),
            ],
        ),
        Verdict::Pending => Wording {
            again: true,
            ..say(
                "slate",
                icons::PENDING,
                [
                    ("生成中", "Being made"),
                    (
                        "加注件正在制作，通常只需几秒，最长不超过 24 小时。",
                        "The annotated copy is being made. This mostly takes seconds, and 24 hours at most.",
                    ),
                    (
                        "加注件尚未签发；如果您已经拿到纸面或文件，先不要采信，请稍后再次查验。",
                        "Nothing has been issued yet. If you already hold a paper or a file, do not rely on it; check again later.",
                    ),
                ],
            )
        },
        Verdict::Expired => {
            let ended = status.filter(|status| *status != Status::Valid);
            let expired = say(
                "ochre",
                icons::EXPIRED,
                [
                    ("已过期", "Expired"),
                    (
                        "这份加注件登记在册，但授权使用的期限已过。",
                        "This annotated copy is on the register, but the time for which it was authorised is over.",
                    ),
                    match ended {
                        None => (
                            "不要再作为有效证明使用。过期的是这份加注件，不是证书本身；请持证人重新申请加注。",
                            "Do not accept it any more. The copy is over, not the certificate itself: ask the holder for a new copy.",
                        ),
                        Some(_) => (
                            "不要采信；证书本身现在也不是有效状态。",
                            "Do not rely on it; the certificate itself is not valid now either.",
                        ),
                    },
                ],
            );
            Wording { status: ended.map(|status| status_word(status, language)), ..expired }
        }
        Verdict::Revoked => say(
            "vermilion",
            icons::REVOKED,
            [
                ("已撤销", "Revoked"),
                (
                    "这份加注件已被撤销，不再授权任何人使用。",
                    "This annotated copy was revoked; nobody is authorised to use it any more.",
                ),
                (
                    "不要采信。如仍有需要，请持证人提供新的加注件。",
                    "Do not rely on it. If you still need one, ask the holder for a new copy.",
                ),
            ],
        ),
        Verdict::Superseded => say(
            "ochre",
            icons::SUPERSEDED,
            [
                ("已被更新", "Superseded"),
                (
                    "证书已有更新的版本，这份加注件依据的是旧版本。",
                    "The certificate has a newer version; this annotated copy rests on the old one.",
                ),
                (
                    "不要采信旧版本，请持证人用更新后的证书重新申请加注。",
                    "Do not rely on the old version. Ask the holder for a copy of the new one.",
                ),
            ],
        ),
        Verdict::CertificateRevoked => {
            let ended = say("vermilion", icons::CERTIFICATE_REVOKED, certificate_ended(status));
            Wording { status: status.map(|status| status_word(status, language)), ..ended }
        }
        Verdict::Unknown => say(
            "vermilion",
            icons::UNKNOWN,
            [
                WORD_UNKNOWN,
                (
                    "登记中没有与这个编号对应的加注件。",
                    "There is no annotated copy with this code on the register.",
                ),
                (
                    "请逐位核对编号或重新扫码；仍然查不到的，不要采信，并向持证人或发证机构核实。",
                    "Check every character of the code or scan again. If it is still not found, do not rely on the paper and ask the holder or the issuer.",
                ),
            ],
        ),
    }
}

/// The verdict on a certificate itself, that somebody asked about by what stands on it.
pub(crate) fn of_certificate(verdict: Verdict, status: Option<Status>, language: Language) -> Wording {
    let say = |tone, icon, words| wording(language, tone, icon, words);
    match verdict {
        Verdict::Genuine => say(
            "jade",
            icons::GENUINE,
            [
                WORD_GENUINE,
                (
                    "登记中有一本与这三项都相符的证书，今天有效。",
                    "The register holds a certificate with all three, and it is valid today.",
                ),
                (
                    "请把手中的证书与下面各项逐一核对。这说的是证书本身；某份加注件能否使用，要扫描它的二维码。",
                    "Compare it with every line below. This speaks of the certificate itself; whether a copy may be used, its QR code tells.",
                ),
            ],
        ),
        Verdict::Superseded => say(
            "ochre",
            icons::SUPERSEDED,
            [
                ("已被更新", "Superseded"),
                (
                    "与这三项相符的是旧版本，证书已有更新的版本。",
                    "All three fit an old version; the certificate has a newer one.",
                ),
                (
                    "不要采信旧版本，请持证人出示更新后的证书。",
                    "Do not rely on the old version. Ask the holder for the new certificate.",
                ),
            ],
        ),
        Verdict::Unknown => say(
            "vermilion",
            icons::UNKNOWN,
            [
                WORD_NO_CERTIFICATE,
                ("登记中没有与这三项都相符的证书。", "No certificate on the register has all three."),
                (
                    "请对照证书逐项检查后再查一次；仍然查不到的，不要采信，并向持证人或发证机构核实。",
                    "Check each of them against the certificate and ask again. If it is still not found, do not rely on it and ask the holder or the issuer.",
                ),
            ],
        ),
        // What else is said of a copy does not arise.
        verdict => of_code(verdict, status, language),
    }
}

fn certificate_ended(status: Option<Status>) -> [Pair; 3] {
    let (meaning, advice) = match status {
        Some(Status::Suspended) => (
            (
                "发证机构已暂停这本证书，暂停期间它的加注件不能使用。",
                "The issuer has suspended this certificate; until that is lifted, its copies cannot be used.",
            ),
            (
                "暂停解除之前不要采信。可以稍后再查，或向发证机构了解。",
                "Do not rely on it before then. Check again later, or ask the issuer.",
            ),
        ),
        Some(Status::Revoked) => (
            (
                "发证机构已撤销这本证书，它的加注件随之失效。",
                "The issuer has revoked this certificate, and its copies with it.",
            ),
            ("不要采信。如有疑问，请联系发证机构。", "Do not rely on it. If in doubt, ask the issuer."),
        ),
        Some(Status::Cancelled) => (
            (
                "这本证书已经注销，它的加注件随之失效。",
                "This certificate has been cancelled, and its copies with it.",
            ),
            ("不要采信。如有疑问，请联系发证机构。", "Do not rely on it. If in doubt, ask the issuer."),
        ),
        Some(Status::Lapsed) => (
            (
                "这本证书的注册有效期已过，它的加注件不能使用。",
                "The registration behind this certificate has lapsed; its copies cannot be used.",
            ),
            (
                "不要采信。请持证人办理延续注册后重新申请加注。",
                "Do not rely on it. Ask the holder to renew the registration and order a new copy.",
            ),
        ),
        Some(Status::Valid | Status::Superseded) | None => (
            (
                "这份加注件所依据的证书已经失效，加注件随之失效。",
                "The certificate behind this copy ended, and the copy with it.",
            ),
            (
                "不要采信。如有需要，请持证人提供新的加注件。",
                "Do not rely on it. If you need one, ask the holder for a new copy.",
            ),
        ),
    };
    [("证书已失效", "Certificate not valid"), meaning, advice]
}

/// The verdict on a file. `annotated` tells a copy from the plain document of a certificate that needs no annotation.
pub(crate) fn of_file(
    finding: FileFinding,
    status: Option<Status>,
    annotated: bool,
    language: Language,
) -> Wording {
    let say = |tone, icon, words| wording(language, tone, icon, words);
    match finding {
        FileFinding::Ours(Verdict::Genuine) => say(
            "jade",
            icons::GENUINE,
            [
                WORD_GENUINE,
                if annotated {
                    (
                        "文件由本平台签发，一个字节也没有改动，加注件今天仍在有效期内。",
                        "The file was issued here, not one byte was changed, and the annotated copy is in force today.",
                    )
                } else {
                    (
                        "文件由本平台签发，一个字节也没有改动，证书今天有效。这本证书目前无须加注。",
                        "The file was issued here, not one byte was changed, and the certificate is valid today. It needs no annotation.",
                    )
                },
                (
                    "请确认证书属于向您出示它的人，并且授权给了贵单位。",
                    "Make sure that it belongs to the person who shows it, and that it is meant for you.",
                ),
            ],
        ),
        FileFinding::Ours(Verdict::Unknown) => say(
            "vermilion",
            icons::UNKNOWN,
            [
                WORD_UNKNOWN,
                (
                    "文件带有本平台的签章，但登记中没有它，或者它从未完成签发。",
                    "The file carries our seal, but it is not on the register, or was never issued.",
                ),
                (
                    "不要采信，并请把文件提供给发证机构核实。",
                    "Do not rely on it, and hand the file to the issuer for inquiry.",
                ),
            ],
        ),
        FileFinding::Ours(verdict) => of_code(verdict, status, language),
        FileFinding::Tampered => say(
            "vermilion",
            icons::TAMPERED,
            [
                ("已被改动", "Altered"),
                ("文件在签章之后被改动或损坏。", "The file was altered or damaged after it was sealed."),
                (
                    "不要采信。请持证人提供未经编辑的原始 PDF，或扫描上面的二维码查验。",
                    "Do not rely on it. Ask the holder for the untouched original, or scan the QR code on it.",
                ),
            ],
        ),
        FileFinding::NotOurs => say(
            "vermilion",
            icons::NOT_OURS,
            [
                ("非本平台签发", "Not issued here"),
                (
                    "文件上有签章，但不是本平台的签章。",
                    "The file carries a seal, but not one of this service.",
                ),
                (
                    "不能证明它是本平台的证书。如果它自称是，不要采信；如果出自其他机构，请到该机构查验。",
                    "It does not prove a certificate of ours. If it claims to be one, do not rely on it; if another body issued it, check it there.",
                ),
            ],
        ),
        FileFinding::Unsigned => say(
            "slate",
            icons::UNSIGNED,
            [
                ("没有签章", "No seal"),
                (
                    "这是一个没有电子签章的 PDF，可能是打印、扫描或另存的副本。",
                    "This PDF carries no electronic seal. It may be a print, a scan or a saved copy.",
                ),
                (
                    "它什么也证明不了。请索取原始 PDF，或扫描证书上的二维码查验。",
                    "It proves nothing. Ask for the original PDF, or scan the QR code on the certificate.",
                ),
            ],
        ),
        FileFinding::Unreadable => say(
            "slate",
            icons::UNREADABLE,
            [
                ("无法读取", "Unreadable"),
                (
                    "读不出这个文件的内容，所以无从判断真伪。",
                    "The content of this file cannot be read, so nothing can be said about it.",
                ),
                (
                    "请上传持证人下载的原始 PDF，不要上传截图、照片或压缩包。",
                    "Upload the original PDF as downloaded by the holder, not a screenshot, a photo or an archive.",
                ),
            ],
        ),
    }
}
