//! The faces: which of them holds a character, how wide it is there, and the part of each that a page needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use subsetter::GlyphRemapper;
use ttf_parser::GlyphId;

use super::Unprintable;
use super::fingerprint::fingerprint;

/// How heavy a text is set. A character that the bold face lacks is set in the regular one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// One embedded face.
pub(crate) struct Face {
    /// Name as the file will carry it, without its subset tag.
    pub(crate) name: &'static str,
    bytes: &'static [u8],
    pub(crate) outlines: ttf_parser::Face<'static>,
}

/// Where a character was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glyph {
    /// Index into [`face`].
    pub(crate) face: usize,
    pub(crate) id: GlyphId,
    /// Advance width in ems.
    pub(crate) advance: f32,
}

/// The part of a face that one page shows.
pub(crate) struct Cut {
    /// `ABCDEF+Name` (ISO 32000-1, 9.6.4).
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Per character: glyph of the cut face, advance width in thousandths of an em.
    pub(crate) glyphs: BTreeMap<char, (u16, u16)>,
    /// Ascent and descent, in thousandths of an em.
    pub(crate) rise: (i16, i16),
    /// Left, bottom, right and top of all glyphs of the face, in thousandths of an em.
    pub(crate) bounds: [i16; 4],
    /// Weight from 100 to 900.
    pub(crate) weight: u16,
}

const REGULAR: usize = 0;
const BOLD: usize = 1;
const BEYOND: usize = 2;

static FACES: LazyLock<Vec<Face>> = LazyLock::new(|| {
    let sources: [(&'static str, &'static [u8]); 3] = [
        ("NotoSerifSC-Regular", include_bytes!("../../fonts/NotoSerifSC-Regular.ttf")),
        ("NotoSerifSC-Bold", include_bytes!("../../fonts/NotoSerifSC-Bold.ttf")),
        ("HanaMinB-256", include_bytes!("../../fonts/HanaMinB-256.ttf")),
    ];
    let read = |(name, bytes)| Some(Face { name, bytes, outlines: ttf_parser::Face::parse(bytes, 0).ok()? });
    sources.into_iter().filter_map(read).collect()
});

/// The face of that index, as [`Glyph::face`] has it.
pub(crate) fn face(index: usize) -> Option<&'static Face> {
    FACES.get(index)
}

/// Looks for a character, in the face asked for and then in those that stand in for it. `None` where no face
/// holds it, or none can show it as it stands: what has no width (marks that combine, controls) or no outline
/// (except the spaces) would be printed wrong or not at all, and nothing is shaped here.
pub(crate) fn find(weight: Weight, character: char) -> Option<Glyph> {
    let order: &[usize] = match weight {
        Weight::Regular => &[REGULAR, BEYOND],
        Weight::Bold => &[BOLD, REGULAR, BEYOND],
    };
    if joins(character) {
        return None;
    }
    order.iter().find_map(|&index| {
        let outlines = &face(index)?.outlines;
        let id = outlines.glyph_index(character).filter(|id| id.0 != 0)?;
        let advance = outlines.glyph_hor_advance(id).filter(|advance| *advance > 0)?;
        let shown = matches!(character, ' ' | '\u{3000}')
            || outlines.tables().glyf.is_some_and(|glyf| glyf.bbox(id).is_some());
        shown.then(|| Glyph {
            face: index,
            id,
            advance: f32::from(advance) / f32::from(outlines.units_per_em()),
        })
    })
}

/// Marks that a shaper would set upon their neighbour, and the hyphen that shows only where a line breaks there.
fn joins(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}' | '\u{302a}'..='\u{302f}' | '\u{3099}' | '\u{309a}')
}

/// Cuts out of a face what is needed to show `characters`, all of which it holds.
pub(crate) fn cut(index: usize, characters: &BTreeSet<char>) -> Result<Cut, Unprintable> {
    let face = face(index).ok_or(Unprintable::Fault("an embedded face cannot be read"))?;
    let outlines = &face.outlines;
    let thousandths = |units: i16| scaled(i32::from(units), outlines.units_per_em());
    let (mut remapper, mut glyphs) = (GlyphRemapper::new(), BTreeMap::new());
    for &character in characters {
        let id = outlines.glyph_index(character).ok_or(Unprintable::Fault("a face lost a character"))?;
        let advance = outlines.glyph_hor_advance(id).unwrap_or(0);
        let width = scaled(i32::from(advance), outlines.units_per_em());
        glyphs.insert(character, (remapper.remap(id.0), u16::try_from(width).unwrap_or(0)));
    }
    let bytes = subsetter::subset(face.bytes, 0, &remapper)
        .map_err(|_| Unprintable::Fault("a face cannot be cut down to a page's characters"))?;
    let bounds = outlines.global_bounding_box();
    Ok(Cut {
        name: format!("{}+{}", tag(characters), face.name),
        bytes,
        glyphs,
        rise: (thousandths(outlines.ascender()), thousandths(outlines.descender())),
        bounds: [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(thousandths),
        weight: outlines.weight().to_number(),
    })
}

fn scaled(units: i32, per_em: u16) -> i16 {
    let per_em = i32::from(per_em).max(1);
    i16::try_from((units * 1000 + units.signum() * per_em / 2) / per_em).unwrap_or(0)
}

/// Six letters that differ where the set of characters differs.
fn tag(characters: &BTreeSet<char>) -> String {
    let digest = fingerprint(characters.iter().collect::<String>().as_bytes());
    digest.iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

    use super::*;
    use crate::render::judge_glyphs;

    #[test]
    fn all_faces_are_read() {
        assert_eq!(FACES.len(), 3);
        assert_eq!(face(BEYOND).unwrap().outlines.units_per_em(), 256);
    }

    #[test]
    fn names_of_every_style_are_printable() {
        let names = [
            "欧阳明华",
            "阿依古丽·买买提",
            "Jean-François d'Arc",
            "镕喆㛃㼆",
            "\u{20BB7}\u{2A6D6}",
            "\u{2A700}\u{2B740}",
        ];
        for name in names {
            judge_glyphs("holder_name", name).unwrap();
        }
    }

    #[test]
    fn all_of_extension_b_is_printable() {
        let missing: Vec<char> =
            ('\u{20000}'..='\u{2A6D6}').filter(|c| find(Weight::Regular, *c).is_none()).collect();
        assert!(missing.is_empty(), "{} missing, first {:?}", missing.len(), missing.first());
    }

    #[test]
    fn what_cannot_be_shown_as_it_stands_is_named() {
        let bad = [
            '\0',
            '\n',
            '\t',
            '\u{7f}',
            '\u{200b}',
            '\u{200d}',
            '\u{202e}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{e0100}',
            '\u{301}',
            '\u{3099}',
            '\u{20dd}',
            '\u{302a}',
            '\u{302e}',
            '\u{627}',
            '\u{905}',
            '\u{5d0}',
            '\u{e01}',
            '\u{1f600}',
            '\u{e000}',
            '\u{ffff}',
            '\u{10ffff}',
            '\u{ad}',
            '\u{2028}',
            '\u{a0}',
            '\u{2002}',
        ];
        for character in bad {
            let text = format!("张{character}三");
            let refusal = judge_glyphs("recipient", &text);
            assert_eq!(
                refusal,
                Err(Unprintable::NoGlyph { character, field: "recipient" }),
                "U+{:04X}",
                character as u32
            );
        }
    }

    #[test]
    fn a_cut_face_holds_what_was_asked_for_under_a_tag_of_its_own() {
        let some: BTreeSet<char> = "朱批 A".chars().collect();
        let cut_face = cut(REGULAR, &some).unwrap();
        assert_eq!(cut_face.glyphs.keys().copied().collect::<BTreeSet<_>>(), some);
        assert!(cut_face.glyphs.values().all(|(id, width)| *id != 0 && *width > 0));
        let parsed = ttf_parser::Face::parse(&cut_face.bytes, 0).unwrap();
        assert_eq!(usize::from(parsed.number_of_glyphs()), some.len() + 1);
        assert_ne!(cut_face.name, cut(REGULAR, &"朱".chars().collect()).unwrap().name);
    }
}
