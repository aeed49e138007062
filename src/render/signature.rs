//! Signatures (签名): the ink of a photographed, scanned or drawn signature as transparent line art.

use std::collections::VecDeque;
use std::fmt;
use std::io::Cursor;
use std::sync::Arc;

use image::codecs::png::{CompressionType, FilterType as Filtering, PngEncoder};
use image::imageops::FilterType;
use image::{ExtendedColorType, GrayImage, ImageEncoder, Luma};

use self::paper::Paper;
use super::photo::{BadPhoto, decode, on_white};

mod paper;

/// Black ink on nothing: at most 600 × 240 pixels, cropped to the ink, in sixteen steps of opacity. Nothing of the
/// uploaded file survives but the strokes.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    png: Arc<[u8]>,
    /// The opacity of each pixel, row by row, as multiples of 17.
    opacity: Arc<[u8]>,
    width: u32,
    height: u32,
}

/// Why a picture is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// More than [`Signature::MOST_BYTES`] bytes, or more pixels than a signature can need.
    #[error("the signature is larger than 500 KB or 16 million pixels")]
    TooLarge,
    /// Neither JPEG nor PNG, whatever its name says.
    #[error("the signature is neither JPEG nor PNG")]
    UnknownFormat,
    /// JPEG or PNG by its first bytes, but it cannot be read.
    #[error("the signature is damaged")]
    Broken,
    /// The strokes together are too small to be compared with anything.
    #[error("the signature has fewer than 40 by 16 pixels")]
    TooSmall,
    /// Nothing is written on it.
    #[error("the picture shows no ink on white paper")]
    NoInk,
    /// The picture shows something else: a face, a landscape, a page full of text.
    #[error("the picture shows more than a signature on white paper")]
    NotLineArt,
}

impl Signature {
    /// Most bytes of an uploaded picture (500 KB).
    pub const MOST_BYTES: usize = 500 * 1024;
    /// Most bytes of what is kept (30 KB).
    pub const KEPT: usize = 30 * 1024;
    const MOST_PIXELS: u64 = 16_000_000;
    const FRAME: (u32, u32) = (600, 240);
    const LEAST: (u32, u32) = (40, 16);
    /// What the strokes are looked for in: finer is noise.
    const LONGEST: u32 = 1_600;
    /// A signature's strokes leave most of their box white.
    const MOST_INK: f64 = 0.45;

    /// Reads a JPEG or PNG file, known by its content: a signature written on white paper, or drawn on nothing. The paper
    /// goes, uneven light and specks with it; what is left is cropped and shrunk. The same file gives the same bytes.
    /// Never panics.
    ///
    /// # Errors
    /// Where there is no ink, or far more than a signature has.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadSignature> {
        if bytes.len() > Self::MOST_BYTES {
            return Err(BadSignature::TooLarge);
        }
        let picture =
            decode(bytes, Self::MOST_PIXELS, Self::MOST_PIXELS * 8).map_err(|refused| match refused {
                BadPhoto::TooLarge => BadSignature::TooLarge,
                BadPhoto::UnknownFormat => BadSignature::UnknownFormat,
                BadPhoto::Broken => BadSignature::Broken,
                BadPhoto::TooSmall => BadSignature::TooSmall,
            })?;
        let (width, height) = (picture.width(), picture.height());
        let longest = width.max(height);
        let mut grey = image::DynamicImage::from(on_white(picture)).into_luma8();
        if longest > Self::LONGEST {
            let scale = f64::from(Self::LONGEST) / f64::from(longest);
            let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
            grey = image::imageops::resize(&grey, side(width), side(height), FilterType::Triangle);
        }
        let mut ink = Paper::of(&grey).and_then(|paper| paper.ink(&grey))?;
        despeckle(&mut ink);
        let ink = cropped(&ink)?;
        Self::encode(ink)
    }

    /// Takes back what [`Signature::as_bytes`] gave.
    ///
    /// # Errors
    /// For anything else.
    pub fn from_stored(png: Vec<u8>) -> Result<Self, BadSignature> {
        let (most_width, most_height) = Self::FRAME;
        let most = u64::from(most_width) * u64::from(most_height);
        if png.len() > Self::KEPT || !png.starts_with(b"\x89PNG") {
            return Err(BadSignature::Broken);
        }
        let picture = decode(&png, most, most * 4).map_err(|_| BadSignature::Broken)?;
        let image::DynamicImage::ImageLumaA8(picture) = picture else { return Err(BadSignature::Broken) };
        let (width, height) = picture.dimensions();
        let ours = picture.pixels().all(|pixel| pixel.0[0] == 0 && pixel.0[1] % 17 == 0);
        if width > most_width || height > most_height || !ours {
            return Err(BadSignature::Broken);
        }
        let opacity = picture.pixels().map(|pixel| pixel.0[1]).collect();
        Ok(Self { png: png.into(), opacity, width, height })
    }

    /// The PNG file with an alpha channel, at most 30 KB.
    pub fn as_bytes(&self) -> &[u8] {
        &self.png
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The opacity in four bits a pixel, each row beginning with a byte of its own: a soft mask (ISO 32000-1, 11.6.5.3).
    pub(crate) fn mask(&self) -> Vec<u8> {
        let rows = self.opacity.chunks(usize::try_from(self.width).unwrap_or(1).max(1));
        let packed = |pair: &[u8]| ((pair[0] / 17) << 4) | pair.get(1).map_or(0, |second| second / 17);
        rows.flat_map(|row| row.chunks(2).map(packed)).collect()
    }

    /// Shrinks into the frame, and further where the strokes are too intricate for the bytes.
    fn encode(ink: GrayImage) -> Result<Self, BadSignature> {
        let (width, height) = ink.dimensions();
        let frame = |most: u32, side: u32| f64::from(most) / f64::from(side);
        let mut scale = frame(Self::FRAME.0, width).min(frame(Self::FRAME.1, height)).min(1.0);
        loop {
            let side = |side: u32, most: u32| ((f64::from(side) * scale).round() as u32).clamp(1, most);
            let (w, h) = (side(width, Self::FRAME.0), side(height, Self::FRAME.1));
            let mut small = if (w, h) == (width, height) {
                ink.clone()
            } else {
                image::imageops::resize(&ink, w, h, FilterType::CatmullRom)
            };
            small.pixels_mut().for_each(|pixel| pixel.0[0] = stepped(pixel.0[0]));
            let opacity: Arc<[u8]> = small.into_raw().into();
            let png = file(&opacity, w, h)?;
            if png.len() <= Self::KEPT {
                return Ok(Self { png: png.into(), opacity, width: w, height: h });
            }
            scale *= 0.85;
        }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(…)")
    }
}

/// The nearest of sixteen steps.
fn stepped(opacity: u8) -> u8 {
    (opacity / 17 + u8::from(opacity % 17 > 8)) * 17
}

fn file(opacity: &[u8], width: u32, height: u32) -> Result<Vec<u8>, BadSignature> {
    let pixels: Vec<u8> = opacity.iter().flat_map(|opacity| [0, *opacity]).collect();
    let mut png = Cursor::new(Vec::new());
    PngEncoder::new_with_quality(&mut png, CompressionType::Best, Filtering::Adaptive)
        .write_image(&pixels, width, height, ExtendedColorType::La8)
        .map_err(|_| BadSignature::Broken)?;
    Ok(png.into_inner())
}

/// Where ink counts as a stroke.
const STROKE: u8 = 96;

/// Takes away what hangs together in too few pixels to be part of a stroke, against the largest that does.
fn despeckle(ink: &mut GrayImage) {
    let (width, height) = ink.dimensions();
    let mut seen = vec![false; ink.as_raw().len()];
    let at = |x: u32, y: u32| y as usize * width as usize + x as usize;
    let mut islands: Vec<Vec<(u32, u32)>> = Vec::new();
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        // Whatever is visible at all hangs together, so that soft edges go with their stroke.
        if seen[at(x, y)] || ink.get_pixel(x, y).0[0] == 0 {
            continue;
        }
        seen[at(x, y)] = true;
        let (mut island, mut todo) = (Vec::new(), VecDeque::from([(x, y)]));
        while let Some((x, y)) = todo.pop_front() {
            island.push((x, y));
            for near_y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for near_x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    if !seen[at(near_x, near_y)] && ink.get_pixel(near_x, near_y).0[0] > 0 {
                        seen[at(near_x, near_y)] = true;
                        todo.push_back((near_x, near_y));
                    }
                }
            }
        }
        islands.push(island);
    }
    let largest = islands.iter().map(Vec::len).max().unwrap_or(0);
    for island in islands {
        let faint = island.iter().all(|(x, y)| ink.get_pixel(*x, *y).0[0] < STROKE);
        if faint || island.len() < 6 || island.len() * 150 < largest {
            island.into_iter().for_each(|(x, y)| ink.put_pixel(x, y, Luma([0])));
        }
    }
}

/// Crops to the strokes with a little room around them, and judges how they fill it.
fn cropped(ink: &GrayImage) -> Result<GrayImage, BadSignature> {
    let strokes = || ink.enumerate_pixels().filter(|(.., pixel)| pixel.0[0] >= STROKE);
    let inked = strokes().count();
    let bounds = strokes().fold(None, |bounds: Option<(u32, u32, u32, u32)>, (x, y, _)| {
        let (left, top, right, bottom) = bounds.unwrap_or((x, y, x, y));
        Some((left.min(x), top.min(y), right.max(x), bottom.max(y)))
    });
    let (left, top, right, bottom) = bounds.ok_or(BadSignature::NoInk)?;
    let (width, height) = (right - left + 1, bottom - top + 1);
    if width < Signature::LEAST.0 || height < Signature::LEAST.1 {
        return Err(BadSignature::TooSmall);
    }
    if inked as f64 > Signature::MOST_INK * f64::from(width) * f64::from(height) {
        return Err(BadSignature::NotLineArt);
    }
    let room = (width.max(height) / 60).max(2);
    let (x, y) = (left.saturating_sub(room), top.saturating_sub(room));
    let far = |end: u32, most: u32| (end + room + 1).min(most);
    let (w, h) = (far(right, ink.width()) - x, far(bottom, ink.height()) - y);
    Ok(image::imageops::crop_imm(ink, x, y, w, h).to_image())
}

#[cfg(test)]
pub(crate) mod tests;
