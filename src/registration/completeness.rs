//! How complete a profile is: three blocks, and what is missing in each.

use crate::domain::refusal::filing::Word;
use crate::registration::registrant::Profile;

/// A block of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Block {
    /// 个人信息
    Personal,
    /// 聘用单位
    Employer,
    /// 照片与签名
    PhotoAndSignature,
}

impl Block {
    /// Every one, in the order in which they are filled in.
    pub const ALL: [Self; 3] = [Self::Personal, Self::Employer, Self::PhotoAndSignature];

    /// Its word, and what it is called.
    pub fn word(self) -> Word {
        let (word, chinese, english) = match self {
            Self::Personal => ("personal", "个人信息", "Personal data"),
            Self::Employer => ("employer", "聘用单位", "Employer"),
            Self::PhotoAndSignature => ("photo_and_signature", "照片与签名", "Photo and signature"),
        };
        Word { word, chinese, english }
    }
}

/// How complete a profile is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completeness {
    /// Each block with what is missing in it.
    pub blocks: [(Block, Vec<Word>); 3],
    /// How much is there, 0 to 100.
    pub percent: u8,
}

impl Completeness {
    /// Judges a profile. A degree (学位) counts as missing only where the person says nothing: 无 is an answer.
    pub fn of(profile: &Profile) -> Self {
        let employment = profile.employment.as_ref();
        let items = [
            (Block::Personal, profile.ethnicity.is_some(), "ethnicity", "民族", "ethnicity"),
            (Block::Personal, profile.education.is_some(), "education", "学历", "education"),
            (Block::Personal, profile.degree.is_some(), "degree", "学位", "degree"),
            (Block::Personal, profile.school.is_some(), "school", "毕业院校", "school"),
            (Block::Employer, employment.is_some(), "employment", "聘用单位", "employer"),
            (
                Block::Employer,
                employment.is_some_and(|employment| employment.contact.is_some()),
                "contact",
                "单位联系人手机号码",
                "mobile of the employer's contact",
            ),
            (Block::PhotoAndSignature, profile.photo.is_some(), "photo", "证件照", "photo"),
            (Block::PhotoAndSignature, profile.signature.is_some(), "signature", "手写签名", "signature"),
        ];
        let missing_in = |block| {
            let missing = items.iter().filter(|(of, there, ..)| *of == block && !there);
            let words = missing.map(|(_, _, word, chinese, english)| Word { word, chinese, english });
            (block, words.collect())
        };
        let there = items.iter().filter(|(_, there, ..)| *there).count();
        Self {
            blocks: Block::ALL.map(missing_in),
            percent: u8::try_from(there * 100 / items.len()).unwrap_or(100),
        }
    }

    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.blocks.iter().all(|(_, missing)| missing.is_empty())
    }

    /// Everything that is missing.
    pub fn missing(&self) -> Vec<Word> {
        self.blocks.iter().flat_map(|(_, missing)| missing.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::domain::ids::Sha256;
    use crate::registration::sample;

    #[test]
    fn an_empty_profile_misses_everything() {
        let empty = Completeness::of(&Profile::default());
        assert_eq!((empty.percent, empty.missing().len(), empty.is_complete()), (0, 8, false));
    }

    #[test]
    fn what_is_missing_is_named_in_its_block() {
        let mut profile = sample::registrant().profile;
        assert_eq!(Completeness::of(&profile).percent, 100);
        profile.signature = None;
        let without = Completeness::of(&profile);
        assert_eq!(without.percent, 87);
        assert_eq!(without.blocks[2].1.iter().map(|word| word.word).collect::<Vec<_>>(), ["signature"]);
        profile.signature = Some(Sha256::new([1; 32]));
        profile.employment.as_mut().unwrap().contact = None;
        assert_eq!(Completeness::of(&profile).missing()[0].word, "contact");
    }
}
