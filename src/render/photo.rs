//! Portraits: read with suspicion, kept as what we encoded ourselves.

use std::fmt;
use std::io::Cursor;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

/// A portrait of at most 413 × 579 pixels, 5 to 7, as a baseline JPEG in RGB. Nothing of the uploaded file
/// survives but what is seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo {
    jpeg: Arc<[u8]>,
    width: u32,
    height: u32,
}

/// Why a picture is no portrait for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPhoto {
    /// More than [`Photo::MOST_BYTES`] bytes, or more pixels than a portrait can need.
    #[error("the photo is larger than 500 KB or 16 million pixels")]
    TooLarge,
    /// Neither JPEG nor PNG, whatever its name says.
    #[error("the photo is neither JPEG nor PNG")]
    UnknownFormat,
    /// JPEG or PNG by its first bytes, but it cannot be read.
    #[error("the photo is damaged")]
    Broken,
    /// Fewer than 96 × 128 pixels (upright).
    #[error("the photo has fewer than 96 by 128 pixels")]
    TooSmall,
}

impl Photo {
    /// Most bytes of an uploaded picture (500 KB).
    pub const MOST_BYTES: usize = 500 * 1024;
    const MOST_PIXELS: u64 = 16_000_000;
    const LEAST: (u32, u32) = (96, 128);
    const FRAME: (u32, u32) = (413, 579);
    const STORED: usize = 40 * 1024;

    /// Reads a JPEG or PNG file, known by its content. Size and number of pixels are judged before anything is
    /// decoded. The picture is turned upright, cropped around its middle to the frame's 5 to 7, shrunk where it
    /// is larger, set on white where it is transparent, and encoded anew. Never panics.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadPhoto> {
        if bytes.len() > Self::MOST_BYTES {
            return Err(BadPhoto::TooLarge);
        }
        let picture = read(bytes, Self::MOST_PIXELS)?;
        if picture.width() < Self::LEAST.0 || picture.height() < Self::LEAST.1 {
            return Err(BadPhoto::TooSmall);
        }
        Self::encode(&framed(&picture))
    }

    /// Takes back what [`Photo::as_bytes`] gave. The picture itself is not decoded again.
    pub fn from_stored(jpeg: Vec<u8>) -> Result<Self, BadPhoto> {
        let (width, height) = dimensions(&jpeg).ok_or(BadPhoto::Broken)?;
        if width > Self::FRAME.0 || height > Self::FRAME.1 {
            return Err(BadPhoto::TooLarge);
        }
        Ok(Self { jpeg: jpeg.into(), width, height })
    }

    /// The JPEG file, at most 40 KB.
    pub fn as_bytes(&self) -> &[u8] {
        &self.jpeg
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    fn encode(picture: &RgbImage) -> Result<Self, BadPhoto> {
        let mut jpeg = Vec::new();
        for quality in [84, 74, 62, 48, 32, 16, 4] {
            jpeg.clear();
            JpegEncoder::new_with_quality(&mut jpeg, quality)
                .encode_image(picture)
                .map_err(|_| BadPhoto::Broken)?;
            if jpeg.len() <= Self::STORED {
                break;
            }
        }
        Ok(Self { jpeg: jpeg.into(), width: picture.width(), height: picture.height() })
    }
}

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Photo(…)")
    }
}

/// Reads a JPEG or PNG file, known by its content, upright and on white. The number of pixels is judged before anything
/// is decoded.
pub(crate) fn read(bytes: &[u8], most_pixels: u64) -> Result<RgbImage, BadPhoto> {
    decode(bytes, most_pixels, most_pixels * 8).map(on_white)
}

/// Reads a JPEG or PNG file, known by its content, upright. Its pixels, and the bytes that they take once decoded, are
/// judged before anything is decoded.
pub(crate) fn decode(bytes: &[u8], most_pixels: u64, most_memory: u64) -> Result<DynamicImage, BadPhoto> {
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png)) => format,
        _ => return Err(BadPhoto::UnknownFormat),
    };
    let broken = |_| BadPhoto::Broken;
    let mut limits = Limits::default();
    limits.max_alloc = Some(most_memory);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most_pixels || decoder.total_bytes() > most_memory {
        return Err(BadPhoto::TooLarge);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// A picture on white, where it is transparent.
pub(crate) fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(u32::from);
        let over = |part: u32| u8::try_from((part * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(255);
        image::Rgb([over(red), over(green), over(blue)])
    })
}

/// Crops to the frame's ratio, a little above the middle where the picture is too tall (heads are on top), and
/// shrinks.
fn framed(picture: &RgbImage) -> RgbImage {
    let (frame_width, frame_height) = Photo::FRAME;
    let (width, height) = picture.dimensions();
    let tall = u64::from(width) * u64::from(frame_height) / u64::from(frame_width);
    let (w, h) = match u32::try_from(tall) {
        Ok(tall) if tall <= height => (width, tall.max(1)),
        _ => {
            let wide = u64::from(height) * u64::from(frame_width) / u64::from(frame_height);
            (u32::try_from(wide).unwrap_or(width).clamp(1, width), height)
        }
    };
    let cropped = image::imageops::crop_imm(picture, (width - w) / 2, (height - h) / 3, w, h).to_image();
    if w > frame_width || h > frame_height {
        image::imageops::resize(&cropped, frame_width, frame_height, FilterType::CatmullRom)
    } else {
        cropped
    }
}

/// Width and height from the frame header of a baseline JPEG with three components (ITU-T T.81, B.2.2).
fn dimensions(jpeg: &[u8]) -> Option<(u32, u32)> {
    let mut rest = jpeg.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        let (&[0xFF, marker, high, low], _) = rest.split_first_chunk::<4>()? else { return None };
        let segment = rest.get(4..2 + usize::from(u16::from_be_bytes([high, low])))?;
        match (marker, segment) {
            (0xC0, [8, h1, h0, w1, w0, 3, ..]) => {
                let pair = |high: u8, low: u8| u32::from(u16::from_be_bytes([high, low]));
                return Some((pair(*w1, *w0), pair(*h1, *h0)))
                    .filter(|(width, height)| *width > 0 && *height > 0);
            }
            (0xE0..=0xEF | 0xDB | 0xC4 | 0xDD | 0xFE, _) => rest = rest.get(4 + segment.len()..)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
