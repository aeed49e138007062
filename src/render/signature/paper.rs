//! White paper as a camera sees it: brighter here than there. What is darker than the paper around it is ink.

use image::{GrayImage, Luma};

use super::BadSignature;

/// How bright the paper is, in a grid of squares over the picture.
pub(super) struct Paper {
    cells: Vec<f32>,
    columns: u32,
    side: u32,
}

/// Squares along the longer side.
const CELLS: u32 = 16;
/// Paper darker than this is none.
const DARKEST: f32 = 90.0;
/// Paper in shadow, against the brightest.
const SHADOW: f32 = 0.5;
/// How many squares may be too dark for paper: a thumb, the edge of a table.
const DARK_CELLS: f32 = 0.06;
/// Ink that is not at least so much darker than its paper is none.
const FAINTEST: f32 = 0.16;
/// How much of the picture may be ink.
const MOST_INK: f32 = 0.3;

impl Paper {
    /// The paper of a picture.
    pub(super) fn of(grey: &GrayImage) -> Result<Self, BadSignature> {
        let (width, height) = grey.dimensions();
        let side = (width.max(height)).div_ceil(CELLS).max(8);
        let (columns, rows) = (width.div_ceil(side), height.div_ceil(side));
        let mut cells = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                // Strokes cross any square; most of it is still paper, and the upper part of its values says how bright.
                let (x, y) = (column * side, row * side);
                let (right, bottom) = ((x + side).min(width), (y + side).min(height));
                let mut counts = [0_u32; 256];
                for (x, y) in (y..bottom).flat_map(|y| (x..right).map(move |x| (x, y))) {
                    counts[usize::from(grey.get_pixel(x, y).0[0])] += 1;
                }
                cells.push(quantile(&counts, 0.8));
            }
        }
        let mut sorted = cells.clone();
        sorted.sort_by(f32::total_cmp);
        let brightest = sorted[(sorted.len() - 1) * 9 / 10];
        let dark = cells.iter().filter(|cell| **cell < brightest * SHADOW).count() as f32;
        if brightest < DARKEST || dark > DARK_CELLS * cells.len() as f32 {
            return Err(BadSignature::NotLineArt);
        }
        // A dark square is ink, not paper.
        cells.iter_mut().filter(|cell| **cell < brightest * SHADOW).for_each(|cell| *cell = brightest);
        Ok(Self { cells, columns, side })
    }

    /// The opacity of the ink on it, paper and weak shadows gone.
    pub(super) fn ink(&self, grey: &GrayImage) -> Result<GrayImage, BadSignature> {
        let darkness = |x: u32, y: u32, pixel: &Luma<u8>| {
            (1.0 - f32::from(pixel.0[0]) / self.at(x, y).max(1.0)).clamp(0.0, 1.0)
        };
        let mut counts = [0_u32; 256];
        for (x, y, pixel) in grey.enumerate_pixels() {
            counts[(darkness(x, y, pixel) * 255.0) as usize] += 1;
        }
        // How dark the ink is: what the darkest pixels reach, two of a thousand, fewer on a large sheet.
        let pixels = (grey.width() * grey.height()) as f32;
        let strength = quantile(&counts, 1.0 - f32::min(0.002, 400.0 / pixels)) / 255.0;
        if strength < FAINTEST {
            return Err(BadSignature::NoInk);
        }
        let (weak, full) = (strength * 0.3, strength * 0.68);
        let (mut inked, mut ink) = (0_u32, GrayImage::new(grey.width(), grey.height()));
        for (x, y, pixel) in grey.enumerate_pixels() {
            let t = ((darkness(x, y, pixel) - weak) / (full - weak)).clamp(0.0, 1.0);
            // Soft at both ends: edges without steps, and without a halo.
            let opacity = t * t * (3.0 - 2.0 * t);
            inked += u32::from(t >= 0.5);
            ink.put_pixel(x, y, Luma([(opacity * 255.0).round() as u8]));
        }
        if inked as f32 > MOST_INK * pixels {
            return Err(BadSignature::NotLineArt);
        }
        Ok(ink)
    }

    /// How bright the paper is at a pixel, between the middles of the squares around it.
    fn at(&self, x: u32, y: u32) -> f32 {
        let rows = self.cells.len() as u32 / self.columns;
        let place = |at: u32, most: u32| {
            let along = ((at as f32 + 0.5) / self.side as f32 - 0.5).clamp(0.0, (most - 1) as f32);
            let first = along as u32;
            (first, (first + 1).min(most - 1), along - first as f32)
        };
        let ((left, right, across), (top, bottom, down)) = (place(x, self.columns), place(y, rows));
        let cell = |column: u32, row: u32| self.cells[(row * self.columns + column) as usize];
        let line = |row: u32| cell(left, row) * (1.0 - across) + cell(right, row) * across;
        line(top) * (1.0 - down) + line(bottom) * down
    }
}

/// The value below which a share of all counted lies.
fn quantile(counts: &[u32; 256], share: f32) -> f32 {
    let total: u32 = counts.iter().sum();
    let wanted = (total as f32 * share) as u32;
    let mut below = 0;
    for (value, count) in (0..=u8::MAX).zip(counts) {
        below += count;
        if below > wanted {
            return f32::from(value);
        }
    }
    255.0
}
