//! Pictures of a filing: decoded within bounds, encoded anew, fitted where they are too large.

use std::collections::HashSet;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType as Filtering, PngEncoder};
use image::imageops::FilterType;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, RgbImage, RgbaImage};

use super::{BadFile, Bounds, Enclosure, Extent, Treatment};
use crate::domain::media::Media;
use crate::render::photo::{BadPhoto, decode, on_white};

/// What the cameras of phones give.
const MOST_PIXELS: u64 = 50_000_000;
/// Bytes of pixels at a time: the largest picture in RGB.
const MOST_MEMORY: u64 = 3 * MOST_PIXELS;
/// The longer side of what is kept: a page of A4 at 300 dots an inch.
const LONGEST: u32 = 3_508;
/// The longer side below which writing cannot be read: nothing is shrunk further.
const SHORTEST: u32 = 640;
/// The longer side of a preview.
const PREVIEW: u32 = 320;
/// Qualities in the order in which they are tried.
const QUALITIES: [u8; 3] = [90, 82, 74];
/// What is left to try then: below it, letters begin to fray.
const LAST_QUALITY: u8 = 66;
/// Line art has few colours, soft edges included.
const COLOURS: usize = 256;

fn refusal(refused: BadPhoto) -> BadFile {
    match refused {
        BadPhoto::TooLarge => BadFile::TooManyPixels,
        BadPhoto::UnknownFormat => BadFile::UnknownFormat,
        BadPhoto::Broken | BadPhoto::TooSmall => BadFile::Damaged,
    }
}

/// Encodes a picture anew into its place.
pub(super) fn fit(bytes: &[u8], media: Media, bounds: &Bounds<'_>) -> Result<Enclosure, BadFile> {
    let picture = decode(bytes, MOST_PIXELS, MOST_MEMORY).map_err(refusal)?;
    let (width, height) = (picture.width(), picture.height());
    let most = bounds.max_bytes;
    let kept = if media == Media::Png {
        png(picture, most, bounds.media.contains(&Media::Jpeg))?
    } else {
        jpeg(&within(on_white(picture), LONGEST), most)?
    };
    let whole = !kept.lossy && (kept.width, kept.height) == (width, height);
    Ok(Enclosure {
        extent: Extent::Pixels { width: kept.width, height: kept.height },
        treatment: if whole { Treatment::Encoded } else { Treatment::Fitted },
        bytes: kept.bytes,
        media: kept.media,
    })
}

/// See [`super::preview`].
pub(super) fn preview(kept: &[u8]) -> Result<Vec<u8>, BadFile> {
    let picture = decode(kept, MOST_PIXELS, MOST_MEMORY).map_err(refusal)?;
    let small = if picture.width().max(picture.height()) > PREVIEW {
        picture.thumbnail(PREVIEW, PREVIEW)
    } else {
        picture
    };
    encode_jpeg(&on_white(small), 80)
}

/// A picture as it would be kept.
struct Kept {
    bytes: Vec<u8>,
    media: Media,
    width: u32,
    height: u32,
    /// Whether the first quality was not enough.
    lossy: bool,
}

/// Gives up quality, then pixels, until it fits.
fn jpeg(picture: &RgbImage, most: usize) -> Result<Kept, BadFile> {
    let mut small = None;
    loop {
        let picture = small.as_ref().unwrap_or(picture);
        let (width, height) = picture.dimensions();
        // Where the last quality is too much, none of the others needs to be tried at this size.
        let bytes = encode_jpeg(picture, LAST_QUALITY)?;
        if bytes.len() > most {
            let (width, height) = smaller((width, height), bytes.len(), most)?;
            let shrunk =
                DynamicImage::from(picture.clone()).resize_exact(width, height, FilterType::Triangle);
            small = Some(shrunk.into_rgb8());
            continue;
        }
        for quality in QUALITIES {
            let better = encode_jpeg(picture, quality)?;
            if better.len() <= most {
                let lossy = quality != QUALITIES[0];
                return Ok(Kept { bytes: better, media: Media::Jpeg, width, height, lossy });
            }
        }
        return Ok(Kept { bytes, media: Media::Jpeg, width, height, lossy: true });
    }
}

/// Keeps line art and transparency; makes a JPEG of all else, where that is taken.
fn png(picture: DynamicImage, most: usize, jpeg_taken: bool) -> Result<Kept, BadFile> {
    let seen_through = picture.color().has_alpha();
    let mut picture = picture.into_rgba8();
    let seen_through = seen_through && picture.pixels().any(|pixel| pixel.0[3] < 255);
    if jpeg_taken && !seen_through && !is_line_art(&picture) {
        return jpeg(&within(DynamicImage::from(picture).into_rgb8(), LONGEST), most);
    }
    if picture.width().max(picture.height()) > LONGEST {
        picture = DynamicImage::from(picture).resize(LONGEST, LONGEST, FilterType::Triangle).into_rgba8();
    }
    loop {
        let bytes = encode_png(&picture)?;
        let (width, height) = picture.dimensions();
        if bytes.len() <= most {
            return Ok(Kept { bytes, media: Media::Png, width, height, lossy: false });
        }
        if jpeg_taken && !seen_through {
            return jpeg(&DynamicImage::from(picture).into_rgb8(), most);
        }
        let (width, height) = smaller((width, height), bytes.len(), most)?;
        let shrunk = DynamicImage::from(picture).resize_exact(width, height, FilterType::Triangle);
        picture = shrunk.into_rgba8();
    }
}

/// The next size, by what the bytes say, but not below what can be read.
fn smaller((width, height): (u32, u32), bytes: usize, most: usize) -> Result<(u32, u32), BadFile> {
    let longest = width.max(height);
    if longest <= SHORTEST {
        return Err(BadFile::CannotFit { most });
    }
    let wanted = (most as f64 / bytes as f64).sqrt() * 0.95;
    let scale = wanted.clamp(0.4, 0.9).max(f64::from(SHORTEST) / f64::from(longest));
    let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    Ok((side(width), side(height)))
}

fn within(picture: RgbImage, longest: u32) -> RgbImage {
    if picture.width().max(picture.height()) <= longest {
        return picture;
    }
    DynamicImage::from(picture).resize(longest, longest, FilterType::Triangle).into_rgb8()
}

fn is_line_art(picture: &RgbaImage) -> bool {
    let mut colours = HashSet::new();
    picture.pixels().all(|pixel| {
        colours.insert(pixel.0);
        colours.len() <= COLOURS
    })
}

fn encode_jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, BadFile> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).map_err(|_| BadFile::Damaged)?;
    Ok(bytes)
}

/// Encodes with no more channels than are used.
fn encode_png(picture: &RgbaImage) -> Result<Vec<u8>, BadFile> {
    let (width, height) = picture.dimensions();
    let grey = picture.pixels().all(|pixel| pixel.0[0] == pixel.0[1] && pixel.0[1] == pixel.0[2]);
    let opaque = picture.pixels().all(|pixel| pixel.0[3] == 255);
    let (channels, colour): (&[usize], _) = match (grey, opaque) {
        (true, true) => (&[0], ExtendedColorType::L8),
        (true, false) => (&[0, 3], ExtendedColorType::La8),
        (false, true) => (&[0, 1, 2], ExtendedColorType::Rgb8),
        (false, false) => (&[0, 1, 2, 3], ExtendedColorType::Rgba8),
    };
    let pixels: Vec<u8> =
        picture.pixels().flat_map(|pixel| channels.iter().map(|channel| pixel.0[*channel])).collect();
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, Filtering::Adaptive)
        .write_image(&pixels, width, height, colour)
        .map_err(|_| BadFile::Damaged)?;
    Ok(bytes.into_inner())
}
