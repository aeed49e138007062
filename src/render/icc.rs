//! The sRGB colour profile (IEC 61966-2-1) that the file's output intent names: built here, so nobody's to license.

/// An ICC profile of version 4.2 (ISO 15076-1): three primaries adapted to D50, and sRGB's curve as a formula.
pub(crate) fn srgb() -> Vec<u8> {
    let xyz = |values: [f64; 3]| [b"XYZ \0\0\0\0".to_vec(), numbers(&values)].concat();
    let curve = [
        b"para\0\0\0\0\0\x03\0\0".to_vec(),
        numbers(&[2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.04045]),
    ]
    .concat();
    // Bradford's adaptation from D65 to D50.
    let adaptation = [
        b"sf32\0\0\0\0".to_vec(),
        numbers(&[
            1.0478112, 0.0228866, -0.050127, 0.0295424, 0.9904844, -0.0170491, -0.0092345, 0.0150436,
            0.7521316,
        ]),
    ]
    .concat();
    let data = [
        (vec![*b"desc"], words("sRGB")),
        (vec![*b"cprt"], words("CC0")),
        (vec![*b"wtpt"], xyz([0.9642, 1.0, 0.8249])),
        (vec![*b"chad"], adaptation),
        (vec![*b"rXYZ"], xyz([0.4360747, 0.2225045, 0.0139322])),
        (vec![*b"gXYZ"], xyz([0.3850649, 0.7168786, 0.0971045])),
        (vec![*b"bXYZ"], xyz([0.1430804, 0.0606169, 0.7141733])),
        (vec![*b"rTRC", *b"gTRC", *b"bTRC"], curve),
    ];
    let count: usize = data.iter().map(|(names, _)| names.len()).sum();
    let (mut tags, mut body) = (long(count), Vec::new());
    for (names, mut content) in data {
        let offset = 128 + 4 + 12 * count + body.len();
        for name in names {
            tags.extend([name.to_vec(), long(offset), long(content.len())].concat());
        }
        content.resize(content.len().next_multiple_of(4), 0);
        body.extend(content);
    }
    let size = 128 + tags.len() + body.len();
    let mut profile = [long(size), vec![0; 4], vec![4, 0x20, 0, 0], b"mntrRGB XYZ ".to_vec()].concat();
    // A fixed date: 1 January 2026.
    profile.extend([0x07, 0xEA, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    profile.extend(b"acsp");
    profile.resize(68, 0);
    profile.extend(numbers(&[0.9642, 1.0, 0.8249]));
    profile.resize(128, 0);
    profile.extend(tags);
    profile.extend(body);
    profile
}

fn long(value: usize) -> Vec<u8> {
    u32::try_from(value).unwrap_or(0).to_be_bytes().to_vec()
}

/// s15Fixed16Number (ISO 15076-1, 4.6).
fn numbers(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| ((value * 65536.0).round() as i32).to_be_bytes()).collect()
}

/// multiLocalizedUnicodeType with one record, English of the United States.
fn words(text: &str) -> Vec<u8> {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    [b"mluc\0\0\0\0".to_vec(), long(1), long(12), b"enUS".to_vec(), long(utf16.len()), long(28), utf16]
        .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_says_its_own_size_and_every_tag_lies_inside_it() {
        let profile = srgb();
        let word = |at: usize| {
            u32::from_be_bytes([profile[at], profile[at + 1], profile[at + 2], profile[at + 3]]) as usize
        };
        assert_eq!(word(0), profile.len());
        assert_eq!(&profile[36..40], b"acsp");
        for tag in 0..word(128) {
            let entry = 132 + 12 * tag;
            assert_eq!(word(entry + 4) % 4, 0);
            assert!(word(entry + 4) + word(entry + 8) <= profile.len());
        }
    }
}
