//! Text as filled shapes: what must be seen but not be found when the page's text is extracted.

use std::fmt::Write;

use ttf_parser::OutlineBuilder;

use super::fonts::{self, Weight};

/// How far a polygon may leave the true curve, in units.
const SLACK: f32 = 0.9;

/// Writes the shape of one character under the matrix `place` (`[a b c d e f]`, the em as unit), drawn with
/// `grid` units to the em: the coarser, the shorter. Nothing where no face holds it.
pub(crate) fn write(content: &mut String, weight: Weight, character: char, place: [f32; 6], grid: f32) {
    let Some(glyph) = fonts::find(weight, character) else { return };
    let Some(face) = fonts::face(glyph.face) else { return };
    let mut tracer = Tracer { scale: grid / f32::from(face.outlines.units_per_em()), ..Tracer::default() };
    if face.outlines.outline_glyph(glyph.id, &mut tracer).is_none() {
        return;
    }
    // Writing to a string cannot fail.
    let [a, b, c, d, e, f] = place;
    let _ = writeln!(
        content,
        "q {:.5} {:.5} {:.5} {:.5} {:.2} {:.2} cm",
        a / grid,
        b / grid,
        c / grid,
        d / grid,
        e,
        f
    );
    for ring in &tracer.rings {
        let mut operator = 'm';
        for (x, y) in thin(ring) {
            let _ = writeln!(content, "{} {} {operator}", x.round(), y.round());
            operator = 'l';
        }
        content.push_str("h\n");
    }
    content.push_str("f Q\n");
}

/// The rings of one character with `size` units to the em, upright, its origin at the left end of the line that it
/// stands on. None where no face holds it.
pub(crate) fn trace(weight: Weight, character: char, size: f32) -> Option<Vec<Vec<(f32, f32)>>> {
    let glyph = fonts::find(weight, character)?;
    let outlines = &fonts::face(glyph.face)?.outlines;
    let mut tracer = Tracer { scale: size / f32::from(outlines.units_per_em()), ..Tracer::default() };
    outlines.outline_glyph(glyph.id, &mut tracer)?;
    Some(tracer.rings)
}

#[derive(Default)]
struct Tracer {
    scale: f32,
    rings: Vec<Vec<(f32, f32)>>,
}

impl Tracer {
    fn last(&self) -> (f32, f32) {
        self.rings.last().and_then(|ring| ring.last()).copied().unwrap_or_default()
    }

    fn push(&mut self, point: (f32, f32)) {
        if let Some(ring) = self.rings.last_mut() {
            ring.push(point);
        }
    }

    fn scaled(&self, x: f32, y: f32) -> (f32, f32) {
        (x * self.scale, y * self.scale)
    }
}

impl OutlineBuilder for Tracer {
    fn move_to(&mut self, x: f32, y: f32) {
        let point = self.scaled(x, y);
        self.rings.push(vec![point]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.push(self.scaled(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x0, y0), (x1, y1), (x2, y2)) = (self.last(), self.scaled(x1, y1), self.scaled(x, y));
        for step in 1..=6 {
            let t = step as f32 / 6.0;
            let u = 1.0 - t;
            self.push((
                u * u * x0 + 2.0 * u * t * x1 + t * t * x2,
                u * u * y0 + 2.0 * u * t * y1 + t * t * y2,
            ));
        }
    }

    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, x: f32, y: f32) {
        // The faces are TrueType: no cubic curves.
        self.line_to(x, y);
    }

    fn close(&mut self) {
        let ring = self.rings.last_mut();
        if let Some(ring) = ring.filter(|ring| ring.len() > 1 && ring.first() == ring.last()) {
            ring.pop();
        }
    }
}

/// Leaves out the points of a ring that lie within the slack of what remains (Douglas and Peucker).
fn thin(ring: &[(f32, f32)]) -> Vec<(f32, f32)> {
    if ring.len() < 4 {
        return ring.to_vec();
    }
    let far = |from: (f32, f32), to: (f32, f32)| (from.0 - to.0).hypot(from.1 - to.1);
    // A ring has no ends: cut it at its leftmost point and the one farthest from that.
    let first =
        (0..ring.len()).min_by(|a, b| ring[*a].partial_cmp(&ring[*b]).unwrap_or(std::cmp::Ordering::Equal));
    let first = first.unwrap_or(0);
    let points: Vec<_> = ring[first..].iter().chain(&ring[..=first]).copied().collect();
    let end = points.len() - 1;
    let other = (1..end)
        .max_by(|a, b| far(points[*a], points[0]).total_cmp(&far(points[*b], points[0])))
        .unwrap_or(0);
    let mut kept = vec![false; points.len()];
    (kept[0], kept[other]) = (true, true);
    let mut todo = vec![(0, other), (other, end)];
    while let Some((from, to)) = todo.pop() {
        let ((x0, y0), (x1, y1)) = (points[from], points[to]);
        let length = far(points[from], points[to]);
        let off = |at: usize| {
            let (x, y) = points[at];
            if length == 0.0 {
                far(points[at], points[from])
            } else {
                ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)).abs() / length
            }
        };
        let worst = (from + 1..to).max_by(|a, b| off(*a).total_cmp(&off(*b))).filter(|at| off(*at) > SLACK);
        if let Some(at) = worst {
            kept[at] = true;
            todo.extend([(from, at), (at, to)]);
        }
    }
    points.into_iter().zip(kept).filter_map(|(point, keep)| keep.then_some(point)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_keeps_its_corners_and_loses_the_rest() {
        let ring = [(0.0, 0.0), (5.0, 0.2), (10.0, 0.0), (10.0, 10.0), (5.0, 10.0), (0.0, 10.0), (0.0, 4.0)];
        assert_eq!(thin(&ring), [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]);
    }

    #[test]
    fn a_character_becomes_a_filled_path_and_a_missing_one_nothing() {
        let mut content = String::new();
        write(&mut content, Weight::Bold, '章', [10.0, 0.0, 0.0, 10.0, 0.0, 0.0], 128.0);
        assert!(content.ends_with("f Q\n") && content.matches('h').count() > 3);
        content.clear();
        write(&mut content, Weight::Bold, '\u{1f600}', [1.0, 0.0, 0.0, 1.0, 0.0, 0.0], 128.0);
        assert!(content.is_empty());
    }
}
