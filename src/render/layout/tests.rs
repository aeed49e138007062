//! What stands where on the page: nothing overflows, nothing overlaps.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use super::*;
use crate::render::signature::tests::signature;
use crate::render::tests::{block, day, photo, samples, sheet};

/// The frame's inner edge: nothing may come nearer to it than a millimetre.
const INNER: f32 = 36.0 + mm(1.0);

fn boxes(layout: &Layout) -> Vec<(String, Place)> {
    let mut boxes = Vec::new();
    let mut add = |line: &Line| {
        let place = Place {
            x: line.x,
            y: line.y - line.size * 0.12,
            width: width(&line.text, line.weight, line.size, line.tracking),
            height: line.size * 0.98,
        };
        boxes.push((line.text.clone(), place));
    };
    for part in &layout.parts {
        match part {
            Part::Words { lines, .. } => lines.iter().for_each(&mut add),
            Part::Table(rows) => {
                for (label, value) in rows {
                    add(label);
                    value.iter().for_each(&mut add);
                }
            }
            Part::Picture { .. } => {}
        }
    }
    for part in &layout.parts {
        if let Part::Picture { alt, place, .. } = part {
            boxes.push((alt.clone(), *place));
        }
    }
    boxes
}

fn assert_sound(layout: &Layout) {
    let boxes = boxes(layout);
    for (number, (text, place)) in boxes.iter().enumerate() {
        let (right, top) = (place.x + place.width, place.y + place.height);
        assert!(place.x >= INNER && right <= PAGE.0 - INNER, "{text} leaves the page: {place:?}");
        assert!(place.y >= INNER && top <= PAGE.1 - INNER, "{text} leaves the page: {place:?}");
        for (other_text, other) in &boxes[number + 1..] {
            let apart = other.x >= right - 0.05
                || place.x >= other.x + other.width - 0.05
                || other.y >= top - 0.05
                || place.y >= other.y + other.height - 0.05;
            assert!(apart, "{text} and {other_text} overlap: {place:?} {other:?}");
        }
    }
    let seal = layout.seal;
    assert!(seal.x >= INNER && seal.x + seal.width <= PAGE.0 - INNER);
    assert!(seal.y >= layout.rule.2, "the seal covers the annotation");
}

/// Texts of `count` characters of several kinds.
fn texts(count: usize) -> Vec<String> {
    ["示例工程，", "阿依古丽·买买提", "Wolfeschlegelsteinhausen", "Ann Lee ", "（港口与航道）", "W", "，"]
        .iter()
        .map(|seed| seed.chars().cycle().take(count).collect())
        .collect()
}

#[test]
fn every_sample_keeps_inside_the_frame_without_overlaps() {
    for sheet in samples() {
        assert_sound(&arrange(&sheet).unwrap());
        let sheet = Sheet { photo: Some(photo()), ..sheet };
        assert_sound(&arrange(&sheet).unwrap());
        let sheet = Sheet { signature: Some(signature()), ..sheet };
        assert_sound(&arrange(&sheet).unwrap());
        assert_sound(&arrange(&Sheet { hand_signature: true, ..sheet }).unwrap());
    }
}

#[test]
fn names_of_forty_and_recipients_of_a_hundred_characters_find_their_place() {
    for name in texts(40) {
        for photo in [None, Some(photo())] {
            let copy =
                |recipient: String| CopyKind::Annotated(Annotation { recipient: Some(recipient), ..block() });
            for recipient in texts(100) {
                let sheet = Sheet {
                    holder_name: name.clone(),
                    level: Some("一级".into()),
                    specialty: Some("港口与航道工程".into()),
                    valid_until: Some(day("2027-11-01")),
                    photo: photo.clone(),
                    copy: copy(recipient.clone()),
                    ..sheet()
                };
                match arrange(&sheet) {
                    Ok(layout) => assert_sound(&layout),
                    // A hundred of the widest Latin letter are wider than a hundred characters ever are.
                    Err(refusal) => panic!("{name} / {recipient}: {refusal:?}"),
                }
            }
        }
    }
}

#[test]
fn any_length_of_any_datum_fits_or_is_refused_by_name() {
    for count in (1..240).step_by(17) {
        for text in texts(count) {
            let sheets = [
                Sheet { title: text.clone(), ..sheet() },
                Sheet { issuer: text.clone(), valid_until: Some(day("2027-11-01")), ..sheet() },
                Sheet {
                    specialty: Some(text.clone()),
                    level: Some(text.clone()),
                    photo: Some(photo()),
                    ..sheet()
                },
                Sheet { management_no: text.clone(), licence_id: text.clone(), ..sheet() },
                Sheet {
                    copy: CopyKind::Annotated(Annotation { scenario: text.clone(), ..block() }),
                    ..sheet()
                },
            ];
            for sheet in sheets {
                match arrange(&sheet) {
                    Ok(layout) => assert_sound(&layout),
                    Err(Unprintable::TooLong { .. }) => assert!(count > 20, "{text} is refused"),
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn without_a_photo_no_frame_is_left_and_the_values_move_to_the_middle() {
    let (with, without) =
        (arrange(&Sheet { photo: Some(photo()), ..sheet() }).unwrap(), arrange(&sheet()).unwrap());
    let photos = |layout: &Layout| {
        layout
            .parts
            .iter()
            .filter(|part| matches!(part, Part::Picture { picture: Picture::Photo, .. }))
            .count()
    };
    assert_eq!((photos(&with), photos(&without)), (1, 0));
    let first = |layout: &Layout| {
        layout.parts.iter().find_map(|part| match part {
            Part::Table(rows) => Some(rows[0].0.x),
            _ => None,
        })
    };
    assert!(first(&without) > first(&with));
}

#[test]
fn a_plain_copy_says_that_it_needs_no_annotation_and_carries_none() {
    let layout = arrange(&Sheet { copy: CopyKind::Plain, ..sheet() }).unwrap();
    assert_sound(&layout);
    assert!(layout.watermark.is_none());
    let words: String = boxes(&layout).into_iter().map(|(text, _)| text).collect();
    assert!(words.contains("目前暂无须加注") && !words.contains("使用场景"));
}

/// All words of a page, one after the other.
fn words(sheet: &Sheet) -> String {
    boxes(&arrange(sheet).unwrap()).into_iter().map(|(text, _)| text).collect()
}

#[test]
fn a_print_to_be_signed_has_a_line_to_sign_on_and_says_what_holds_without() {
    for copy in [CopyKind::Plain, CopyKind::Annotated(block())] {
        for signature in [None, Some(signature())] {
            let with_picture = signature.is_some();
            let sheet = Sheet { signature, hand_signature: true, copy: copy.clone(), ..sheet() };
            let layout = arrange(&sheet).unwrap();
            assert_sound(&layout);
            let (left, right, y) = layout.line.unwrap();
            assert!(right - left > mm(35.0), "room for a name");
            assert!(boxes(&layout).iter().all(|(_, place)| {
                place.x >= right
                    || place.x + place.width <= left
                    || place.y >= y
                    || place.y + place.height <= y
            }));
            let words = words(&sheet);
            assert!(words.contains("手写签名") && words.contains("打印件无效"), "{words}");
            assert_eq!(words.contains("与签名图像不一致"), with_picture, "{words}");
        }
    }
    let without = Sheet { signature: Some(signature()), ..sheet() };
    assert!(arrange(&without).unwrap().line.is_none());
    assert!(words(&without).contains("持证人签名") && !words(&without).contains("手写签名"));
}

#[test]
fn a_signature_keeps_its_shape_beside_the_seal() {
    for (mark, hand_signature) in [(signature(), false), (signature(), true)] {
        let ratio = mark.width() as f32 / mark.height() as f32;
        let layout = arrange(&Sheet { signature: Some(mark), hand_signature, ..sheet() }).unwrap();
        let place = layout.parts.iter().find_map(|part| match part {
            Part::Picture { picture: Picture::Signature, place, .. } => Some(*place),
            _ => None,
        });
        let place = place.unwrap();
        assert!((place.width / place.height - ratio).abs() < 0.01);
        assert!(place.width > mm(15.0) && place.x + place.width < layout.seal.x);
    }
}
