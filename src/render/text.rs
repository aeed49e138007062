//! Widths of texts and where they may be broken into lines (after GB/T 15834 and the usual rules of Chinese type).

use super::fonts::{self, Weight};

/// Width of a text in points, with `tracking` points between its characters. A character that no face holds
/// counts as one em: it is refused elsewhere.
pub(crate) fn width(text: &str, weight: Weight, size: f32, tracking: f32) -> f32 {
    let (sum, count) =
        text.chars().fold((0.0, 0.0), |(sum, count), c| (sum + advance(c, weight) * size, count + 1.0));
    sum + tracking * f32::max(count - 1.0, 0.0)
}

fn advance(character: char, weight: Weight) -> f32 {
    fonts::find(weight, character).map_or(1.0, |glyph| glyph.advance)
}

/// Marks that must not begin a line.
const CLOSING: &str = "，。、；：！？）》」』】〉〕”’·…—,.;:!?)]}%";
/// Marks that must not end a line.
const OPENING: &str = "（《「『【〈〔“‘([{";

fn may_break(before: char, after: char) -> bool {
    if before == ' ' {
        return after != ' ';
    }
    if after == ' ' || CLOSING.contains(after) || OPENING.contains(before) {
        return false;
    }
    let word = |c: char| c.is_alphanumeric() && (c as u32) < 0x2E80 || c == '\'';
    // Identifiers of many parts break at their dots and slashes, names at their hyphens.
    !(word(before) && word(after))
}

/// Breaks a text into lines of at most `measure` points, the first shorter by `indent`. A word longer than a
/// line is broken where the line ends.
pub(crate) fn wrap(text: &str, weight: Weight, size: f32, measure: f32, indent: f32) -> Vec<String> {
    let characters: Vec<char> = text.trim().chars().collect();
    let (mut lines, mut start, mut chance, mut used) = (Vec::new(), 0, None, indent);
    let mut at = 0;
    while at < characters.len() {
        let step = advance(characters[at], weight) * size;
        if at > start && may_break(characters[at - 1], characters[at]) {
            chance = Some(at);
        }
        if used + step > measure && at > start && characters[at] != ' ' {
            let end = chance.unwrap_or(at);
            lines.push(line(&characters[start..end]));
            (start, at, chance, used) = (end, end, None, 0.0);
            continue;
        }
        used += step;
        at += 1;
    }
    if start < characters.len() {
        lines.push(line(&characters[start..]));
    }
    lines
}

fn line(characters: &[char]) -> String {
    characters.iter().collect::<String>().trim().to_owned()
}

/// The first of `sizes` (points, falling) at which a text needs at most `lines` lines of `measure` points,
/// and those lines. `None` where it is too long for all of them.
pub(crate) fn fit(
    text: &str,
    weight: Weight,
    sizes: &[f32],
    measure: f32,
    lines: usize,
) -> Option<(f32, Vec<String>)> {
    sizes.iter().find_map(|&size| {
        let broken = wrap(text, weight, size, measure, 0.0);
        (broken.len() <= lines).then_some((size, broken))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use super::*;

    fn broken(text: &str, ems: f32) -> Vec<String> {
        wrap(text, Weight::Regular, 10.0, ems * 10.0, 0.0)
    }

    #[test]
    fn chinese_breaks_anywhere_but_before_closing_and_after_opening_marks() {
        assert_eq!(broken("表明持证人，取得", 5.0), ["表明持证", "人，取得"]);
        assert_eq!(broken("电气（供配电）", 3.0), ["电气", "（供配", "电）"]);
        assert_eq!(broken("阿依古丽·买买提", 4.2), ["阿依古", "丽·买买", "提"]);
    }

    #[test]
    fn latin_words_stay_whole_where_they_can() {
        assert_eq!(broken("Maria Fernandes", 5.3), ["Maria", "Fernandes"]);
        let parts = broken("Wolfeschlegelsteinhausenbergerdorff", 6.0);
        assert!(parts.len() > 1);
        assert_eq!(parts.concat(), "Wolfeschlegelsteinhausenbergerdorff");
    }

    #[test]
    fn identifiers_break_after_their_dots() {
        let id = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U";
        let parts = broken(id, 20.0);
        assert_eq!(parts.concat(), id);
        assert!(parts[..parts.len() - 1].iter().all(|part| part.ends_with('.')));
    }

    #[test]
    fn no_line_is_wider_than_its_measure() {
        for text in [
            "中文与Latin混排，数字2026年。",
            "a b c d e f g h i j k l m n",
            "示例建设集团有限公司第一工程分公司",
        ] {
            for tenths in 20..120 {
                let measure = f32::from(u8::try_from(tenths).unwrap());
                for part in wrap(text, Weight::Regular, 10.0, measure, 0.0) {
                    assert!(
                        width(&part, Weight::Regular, 10.0, 0.0) <= measure + 0.01,
                        "{part} in {measure}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_text_shrinks_before_it_is_refused() {
        let text = "示".repeat(12);
        assert_eq!(fit(&text, Weight::Bold, &[20.0, 10.0], 120.0, 1).map(|(size, _)| size), Some(10.0));
        assert!(fit(&text, Weight::Bold, &[20.0, 11.0], 120.0, 1).is_none());
    }
}
