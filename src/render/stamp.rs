//! The round red seal (国发〔1999〕25号): ring, name on the arc from left to right, star, purpose line.

use std::collections::BTreeMap;
use std::f32::consts::PI;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use super::file::{THOROUGH, deflate};
use super::fonts::Weight;
use super::{Stamp, Unprintable, judge_glyphs, outline, text};

/// Arc, purpose, diameter: all that a seal is.
type Words = (String, String, u8);

/// The seal as deflated drawing operators in points, its centre in the middle of a square of [`side`] points. All of it
/// is shapes: words under the seal stay whole when the page's text is extracted. `/Multiply` must be a graphics
/// state of the form's resources.
pub(crate) fn draw(stamp: &Stamp) -> Result<Arc<[u8]>, Unprintable> {
    // A service has few seals, and drawing one takes longer than the rest of the page.
    static DRAWN: Mutex<BTreeMap<Words, Arc<[u8]>>> = Mutex::new(BTreeMap::new());
    const KEPT: usize = 256;
    let key = (stamp.arc.clone(), stamp.purpose.clone(), stamp.diameter_mm);
    if let Some(content) = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Arc::clone(content));
    }
    let content: Arc<[u8]> = deflate(shapes(stamp)?.as_bytes(), THOROUGH)?.into();
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    if drawn.len() >= KEPT {
        drawn.clear();
    }
    drawn.insert(key, Arc::clone(&content));
    Ok(content)
}

/// A thirtieth of a millimetre at the size of the ring's characters.
const GRID: f32 = 128.0;

/// Side of the square, in points.
pub(crate) fn side(stamp: &Stamp) -> f32 {
    f32::from(stamp.diameter_mm) * 72.0 / 25.4
}

fn shapes(stamp: &Stamp) -> Result<String, Unprintable> {
    if !(30..=50).contains(&stamp.diameter_mm) {
        return Err(Unprintable::Fault("a seal is 30 to 50 mm wide"));
    }
    judge_glyphs("stamp", &stamp.arc)?;
    judge_glyphs("stamp", &stamp.purpose)?;
    let radius = side(stamp) / 2.0;
    let line = radius * 0.052;
    // Writing to a string cannot fail.
    let mut content = String::from("/Multiply gs 0.8 0.1 0.08 rg 0.8 0.1 0.08 RG\n");
    let _ = writeln!(content, "1 0 0 1 {radius:.2} {radius:.2} cm {line:.2} w");
    circle(&mut content, radius - line / 2.0 - 0.2);
    star(&mut content, radius * 0.31);
    arc(&mut content, &stamp.arc, radius)?;
    purpose(&mut content, &stamp.purpose, radius)?;
    Ok(content)
}

fn circle(content: &mut String, radius: f32) {
    let handle = radius * 0.552_285;
    let (r, h) = (radius, handle);
    let _ = writeln!(
        content,
        "{r:.2} 0 m {r:.2} {h:.2} {h:.2} {r:.2} 0 {r:.2} c -{h:.2} {r:.2} -{r:.2} {h:.2} -{r:.2} 0 c \
         -{r:.2} -{h:.2} -{h:.2} -{r:.2} 0 -{r:.2} c {h:.2} -{r:.2} {r:.2} -{h:.2} {r:.2} 0 c s"
    );
}

fn star(content: &mut String, radius: f32) {
    for corner in 0..10_u8 {
        let reach = if corner % 2 == 0 { radius } else { radius * 0.381_966 };
        let angle = PI / 2.0 + f32::from(corner) * PI / 5.0;
        let operator = if corner == 0 { 'm' } else { 'l' };
        let _ = write!(content, "{:.2} {:.2} {operator} ", reach * angle.cos(), reach * angle.sin());
    }
    content.push_str("h f\n");
}

/// Sets the name clockwise, the middle of it on top, every character upright on its radius. Long names take more
/// of the circle and narrower characters.
fn arc(content: &mut String, name: &str, radius: f32) -> Result<(), Unprintable> {
    let count = f32::from(u16::try_from(name.chars().count()).unwrap_or(u16::MAX));
    let size = radius * if count > 22.0 { 0.2 } else { 0.215 };
    let foot = radius * 0.9 - size;
    let widest = size * 1.22 / foot;
    let span = f32::min((count - 1.0) * widest, if count > 16.0 { 1.56 * PI } else { 1.36 * PI });
    let step = if count > 1.0 { span / (count - 1.0) } else { 0.0 };
    let narrow = if count > 1.0 { f32::min(1.0, step * (foot + size * 0.35) / size) } else { 1.0 };
    if narrow < 0.42 {
        return Err(Unprintable::TooLong { field: "stamp" });
    }
    for (place, character) in (0_u16..).zip(name.chars()) {
        let turn = span / 2.0 - f32::from(place) * step;
        let (sin, cos) = turn.sin_cos();
        let (wide, high) = (size * narrow, size);
        // The character's foot stands on the circle, its middle on the radius; `descent` of the em is below the foot.
        let half = wide * text::width(&character.to_string(), Weight::Bold, 1.0, 0.0) / 2.0;
        let rise = foot + size * 0.12;
        let (x, y) = (-sin * rise - cos * half, cos * rise - sin * half);
        outline::write(
            content,
            Weight::Bold,
            character,
            [wide * cos, wide * sin, -high * sin, high * cos, x, y],
            GRID,
        );
    }
    Ok(())
}

fn purpose(content: &mut String, line: &str, radius: f32) -> Result<(), Unprintable> {
    let natural = text::width(line, Weight::Bold, 1.0, 0.08);
    let size = f32::min(radius * 0.15, radius * 0.98 / f32::max(natural, 1.0));
    if size < 3.0 {
        return Err(Unprintable::TooLong { field: "stamp" });
    }
    let mut x = -natural * size / 2.0;
    for character in line.chars() {
        outline::write(content, Weight::Bold, character, [size, 0.0, 0.0, size, x, -radius * 0.56], GRID);
        x += size * (text::width(&character.to_string(), Weight::Bold, 1.0, 0.0) + 0.08);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use super::*;

    fn stamp(arc: &str, diameter_mm: u8) -> Stamp {
        Stamp { arc: arc.into(), purpose: "测试专用章".into(), diameter_mm }
    }

    #[test]
    fn the_longest_official_name_fits_on_fifty_millimetres() {
        let name = "中华人民共和国人力资源和社会保障部专业技术人员职业资格证书";
        assert!(draw(&stamp(name, 50)).is_ok());
    }

    #[test]
    fn every_point_lies_inside_the_square() {
        for name in ["示例机构", "示例省人事考试中心证书", "示例省住房和城乡建设执业资格注册管理中心证书"]
        {
            let stamp = stamp(name, 42);
            let (content, side) = (shapes(&stamp).unwrap(), side(&stamp));
            let mut place = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0_f32];
            for line in content.lines().skip(4) {
                let numbers: Vec<f32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
                if line.ends_with("cm") {
                    place = numbers.try_into().unwrap();
                } else if line.ends_with('m') || line.ends_with('l') {
                    let [a, b, c, d, e, f] = place;
                    let (x, y) = (a * numbers[0] + c * numbers[1] + e, b * numbers[0] + d * numbers[1] + f);
                    assert!(x.hypot(y) < side / 2.0 * 0.95, "{name}: {x} {y}");
                }
            }
        }
    }

    #[test]
    fn a_name_too_long_for_the_ring_and_a_missing_character_are_refused() {
        assert_eq!(draw(&stamp(&"示例".repeat(40), 42)), Err(Unprintable::TooLong { field: "stamp" }));
        assert_eq!(
            draw(&stamp("示例\u{301}", 42)),
            Err(Unprintable::NoGlyph { character: '\u{301}', field: "stamp" })
        );
    }
}
