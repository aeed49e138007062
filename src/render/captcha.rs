//! The picture of a captcha: a few letters, bent and crossed by lines. A function of its arguments.

use image::{ExtendedColorType, ImageEncoder as _};

use super::Unprintable;
use super::fonts::Weight;
use super::outline;

/// Size of the picture, in dots.
const WIDTH: usize = 200;
const HEIGHT: usize = 72;

/// Rows and columns per dot that are looked at.
const FINE: usize = 3;

/// The em of a letter, in dots.
const EM: f32 = 52.0;

type Point = (f32, f32);

/// Draws a text of letters and digits as a PNG.
pub(crate) fn draw(text: &str, chance: [u8; 32]) -> Result<Vec<u8>, Unprintable> {
    let mut chance = Chance::new(chance);
    let bend = Bend::draw(&mut chance);
    let mut canvas = Canvas::new();
    let count = text.chars().count().max(1);
    let pitch = (WIDTH as f32 - 24.0) / count as f32;
    for (at, letter) in text.chars().enumerate() {
        let turn = chance.between(-0.35, 0.35);
        let size = EM * chance.between(0.85, 1.1);
        let middle = (12.0 + pitch * (at as f32 + 0.5), HEIGHT as f32 / 2.0 + chance.between(-7.0, 7.0));
        let mut rings = outline::trace(Weight::Bold, letter, size)
            .ok_or(Unprintable::Fault("a letter of a captcha has no outline"))?;
        let own_middle = middle_of(&rings);
        for point in rings.iter_mut().flatten() {
            let (x, y) = (point.0 - own_middle.0, own_middle.1 - point.1);
            let turned = (x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos());
            *point = bend.at((middle.0 + turned.0, middle.1 + turned.1));
        }
        canvas.fill(&rings, 0.15 + chance.between(0.0, 0.2));
    }
    for _ in 0..4 {
        let line = stroke(&mut chance, &bend);
        canvas.fill(&[line], chance.between(0.2, 0.5));
    }
    canvas.speckle(&mut chance);
    canvas.encode()
}

/// The middle of what a shape covers.
fn middle_of(rings: &[Vec<Point>]) -> Point {
    let points = || rings.iter().flatten();
    let span = |of: fn(&Point) -> f32| {
        let (least, most) =
            points().map(of).fold((f32::MAX, f32::MIN), |(least, most), at| (least.min(at), most.max(at)));
        (least + most) / 2.0
    };
    (span(|point| point.0), span(|point| point.1))
}

/// A thin band from edge to edge.
fn stroke(chance: &mut Chance, bend: &Bend) -> Vec<Point> {
    let (from, to) = (chance.between(8.0, 64.0), chance.between(8.0, 64.0));
    let thick = chance.between(0.7, 1.6);
    let along = |step: usize, side: f32| {
        let share = step as f32 / 40.0;
        bend.at((WIDTH as f32 * share, from + (to - from) * share + side))
    };
    let there = (0..=40).map(|step| along(step, -thick));
    there.chain((0..=40).rev().map(|step| along(step, thick))).collect()
}

/// Waves that every shape is bent by.
struct Bend {
    across: (f32, f32, f32),
    down: (f32, f32, f32),
}

impl Bend {
    fn draw(chance: &mut Chance) -> Self {
        let turn = std::f32::consts::TAU;
        let mut wave = |high: f32| {
            (chance.between(high / 2.0, high), chance.between(0.05, 0.09), chance.between(0.0, turn))
        };
        Self { across: wave(4.0), down: wave(6.0) }
    }

    fn at(&self, (x, y): Point) -> Point {
        let wave = |(high, often, from): (f32, f32, f32), along: f32| high * (along * often + from).sin();
        (x + wave(self.across, y), y + wave(self.down, x))
    }
}

/// Ink by dot, from 0 to 1.
struct Canvas {
    ink: Vec<f32>,
}

impl Canvas {
    fn new() -> Self {
        Self { ink: vec![0.0; WIDTH * HEIGHT] }
    }

    /// Fills what lies inside the rings: where they wind around a point. The lighter, the greyer.
    fn fill(&mut self, rings: &[Vec<Point>], light: f32) {
        let share = (1.0 - light) / (FINE * FINE) as f32;
        let mut covered = vec![0.0_f32; WIDTH * HEIGHT];
        for row in 0..HEIGHT * FINE {
            let y = (row as f32 + 0.5) / FINE as f32;
            let mut crossings: Vec<(f32, i32)> = Vec::new();
            for ring in rings {
                for (from, to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                    if (from.1 <= y) != (to.1 <= y) {
                        let x = from.0 + (y - from.1) / (to.1 - from.1) * (to.0 - from.0);
                        crossings.push((x, if from.1 <= y { 1 } else { -1 }));
                    }
                }
            }
            crossings.sort_by(|one, other| one.0.total_cmp(&other.0));
            let mut winding = 0;
            for pair in crossings.windows(2) {
                winding += pair[0].1;
                if winding != 0 {
                    cover(&mut covered[row / FINE * WIDTH..][..WIDTH], pair[0].0, pair[1].0, share);
                }
            }
        }
        for (ink, covered) in self.ink.iter_mut().zip(covered) {
            *ink = ink.max(covered);
        }
    }

    fn speckle(&mut self, chance: &mut Chance) {
        for ink in &mut self.ink {
            let noise = chance.between(0.0, 1.0);
            *ink = if noise > 0.985 { 1.0 - *ink } else { *ink + noise * 0.12 };
        }
    }

    fn encode(&self) -> Result<Vec<u8>, Unprintable> {
        let dots: Vec<u8> = self.ink.iter().map(|ink| (255.0 * (1.0 - ink.clamp(0.0, 1.0))) as u8).collect();
        let mut png = Vec::new();
        image::codecs::png::PngEncoder::new(&mut png)
            .write_image(&dots, WIDTH as u32, HEIGHT as u32, ExtendedColorType::L8)
            .map_err(|_| Unprintable::Fault("a captcha cannot be encoded"))?;
        Ok(png)
    }
}

/// Inks the fine columns of a row between two places.
fn cover(row: &mut [f32], from: f32, to: f32, share: f32) {
    let column = |x: f32| ((x * FINE as f32).round().max(0.0) as usize).min(WIDTH * FINE);
    for fine in column(from)..column(to) {
        row[fine / FINE] += share;
    }
}

/// Numbers drawn from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn new(seed: [u8; 32]) -> Self {
        let words = seed.chunks(8).map(|word| word.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
        Self(words.fold(0, |sum: u64, word| sum.rotate_left(17) ^ word))
    }

    fn between(&mut self, least: f32, most: f32) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        least + (most - least) * (mixed >> 40) as f32 / (1 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_picture_is_small_and_differs_by_text_and_chance() {
        let picture = draw("K7MXP", [1; 32]).unwrap();
        let decoded = image::load_from_memory(&picture).unwrap().to_luma8();
        assert_eq!(decoded.dimensions(), (200, 72));
        assert!(picture.len() < 20_000, "{}", picture.len());
        assert_eq!(picture, draw("K7MXP", [1; 32]).unwrap());
        assert_ne!(picture, draw("K7MXP", [2; 32]).unwrap());
        assert_ne!(picture, draw("K7MXQ", [1; 32]).unwrap());
    }

    #[test]
    fn every_letter_leaves_ink_in_its_part_of_the_picture() {
        for letter in "2345678ABCDEFGHJKMNPQRTUVWXY".chars() {
            let text = letter.to_string().repeat(5);
            let picture = image::load_from_memory(&draw(&text, [7; 32]).unwrap()).unwrap().to_luma8();
            for part in 0..5 {
                let dark = (0..72)
                    .flat_map(|y| (0..36).map(move |x| (12 + part * 35 + x, y)))
                    .filter(|(x, y)| picture.get_pixel(*x, *y).0[0] < 110)
                    .count();
                assert!((60..1_500).contains(&dark), "{letter} in part {part}: {dark} dark dots");
            }
        }
    }
}
