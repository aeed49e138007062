//! What is wrong with a file that somebody hands in.

use crate::domain::language::Language;

/// Why a file cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFault {
    /// Fewer bytes than wanted.
    TooSmall {
        /// The least.
        least: u64,
    },
    /// More bytes than taken, where nothing can be done about it.
    TooLarge {
        /// The most.
        most: u64,
    },
    /// None of the kinds that are taken, by its content.
    OfAnotherKind,
    /// It cannot be read.
    Damaged,
    /// A picture of more pixels than a camera's, or one that cannot be fitted into its place.
    CannotFit,
    /// A PDF that is encrypted.
    Encrypted,
    /// A PDF that does more than show pages, or is too long or too intricate.
    NotPlain,
    /// No ink on white paper, or more than a signature.
    NoSignature,
}

impl FileFault {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooSmall { .. } => "file-too-small",
            Self::TooLarge { .. } => "file-too-large",
            Self::OfAnotherKind => "file-of-another-kind",
            Self::Damaged => "file-damaged",
            Self::CannotFit => "picture-cannot-fit",
            Self::Encrypted => "pdf-encrypted",
            Self::NotPlain => "pdf-not-plain",
            Self::NoSignature => "no-signature",
        }
    }

    /// What is wrong and what to do.
    pub fn message(self, language: Language) -> String {
        let (chinese, english) = match self {
            Self::TooSmall { least } => {
                let least = least.div_ceil(1024);
                return match language {
                    Language::Chinese => format!("文件小于 {least} KB，请上传更清晰的扫描件或照片。"),
                    Language::English => format!("Smaller than {least} KB; send a clearer scan or photo."),
                };
            }
            Self::TooLarge { most } => {
                let most = most / 1024;
                return match language {
                    Language::Chinese => format!("文件大于 {most} KB，请压缩后重新上传。"),
                    Language::English => format!("Larger than {most} KB; make it smaller."),
                };
            }
            Self::OfAnotherKind => (
                "文件类型不符（按内容判断，与文件名无关），请上传此处接受的类型。",
                "Of another kind, told by its content and not its name; send one that is taken here.",
            ),
            Self::Damaged => {
                ("文件无法读取，请重新扫描或另存后上传。", "It cannot be read; scan or save it anew.")
            }
            Self::CannotFit => (
                "图片过大，压缩后无法辨认，请降低分辨率或裁剪后上传。",
                "The picture is too large and would not be legible if it were fitted; crop it or lower its resolution.",
            ),
            Self::Encrypted => {
                ("PDF 已加密，请去除密码后上传。", "The PDF is encrypted; remove the password.")
            }
            Self::NotPlain => (
                "PDF 含有脚本、附件等内容，或页数过多，请打印为普通 PDF 后上传。",
                "The PDF holds scripts, files or too many pages; print it to a plain PDF.",
            ),
            Self::NoSignature => (
                "没有识别出签名，请在白纸上用黑色笔签名，拍摄清楚后上传。",
                "No signature can be told from it; sign with a black pen on white paper and take a sharp picture.",
            ),
        };
        language.pick(chinese, english).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_code_of_its_own_and_speaks_both_languages() {
        let all = [
            FileFault::TooSmall { least: 204_800 },
            FileFault::TooLarge { most: 512_000 },
            FileFault::OfAnotherKind,
            FileFault::Damaged,
            FileFault::CannotFit,
            FileFault::Encrypted,
            FileFault::NotPlain,
            FileFault::NoSignature,
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(|fault| fault.code()).collect();
        assert_eq!(codes.len(), all.len());
        for fault in all {
            assert!(fault.message(Language::Chinese).ends_with('。'));
            assert!(fault.message(Language::English).ends_with('.'));
        }
        assert!(all[0].message(Language::Chinese).contains("200 KB"));
        assert!(all[1].message(Language::English).contains("500 KB"));
    }
}
