//! Scans of paper: read with suspicion, kept as what we encoded ourselves. The same care as for portraits, but nothing is
//! cropped.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;

use crate::render::photo::{BadPhoto, read};

/// Most pixels of a picture: what the cameras of phones give.
const MOST_PIXELS: u64 = 25_000_000;
/// The longer side of what is kept: a page of A4 at 200 dots an inch.
const LONGEST: u32 = 2_400;
/// Most bytes of what is kept, where quality can still give way.
const KEPT: usize = 1_500_000;

/// A JPEG of what is seen in a JPEG or PNG file, known by its content: upright, on white, at most 2400 pixels long. Nothing
/// else of the file survives. Never panics.
pub fn picture(bytes: &[u8]) -> Result<Vec<u8>, BadPhoto> {
    let mut picture = read(bytes, MOST_PIXELS)?;
    let (width, height) = picture.dimensions();
    if width.max(height) > LONGEST {
        let scale = f64::from(LONGEST) / f64::from(width.max(height));
        let shrunk = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
        picture = image::imageops::resize(&picture, shrunk(width), shrunk(height), FilterType::Triangle);
    }
    let mut jpeg = Vec::new();
    for quality in [84, 72, 60, 40] {
        jpeg.clear();
        JpegEncoder::new_with_quality(&mut jpeg, quality)
            .encode_image(&picture)
            .map_err(|_| BadPhoto::Broken)?;
        if jpeg.len() <= KEPT {
            break;
        }
    }
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::io::Cursor;

    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;

    fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let picture = RgbaImage::from_fn(width, height, |x, y| Rgba([x as u8, y as u8, 200, 255]));
        let mut bytes = Cursor::new(Vec::new());
        image::DynamicImage::from(picture).into_rgb8().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_is_encoded_anew_shrunk_where_it_is_large_and_never_cropped() {
        for (sent, kept) in [((300, 200), (300, 200)), ((3000, 1500), (2400, 1200)), ((50, 4800), (25, 2400))]
        {
            for format in [ImageFormat::Jpeg, ImageFormat::Png] {
                let jpeg = picture(&file(sent.0, sent.1, format)).unwrap();
                let read = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg).unwrap();
                assert_eq!((read.width(), read.height()), kept);
            }
        }
    }

    #[test]
    fn what_a_camera_writes_beside_the_picture_is_gone() {
        let jpeg = file(300, 200, ImageFormat::Jpeg);
        // A comment and an Exif segment after SOI (ITU-T T.81, B.2.4.5; Exif 2.32, 4.5.5).
        let mut told = jpeg[..2].to_vec();
        told.extend(b"\xff\xfe\x00\x13GPS 30.66,104.06 ");
        told.extend(b"\xff\xe1\x00\x14Exif\0\0GPS 104.06E");
        told[2 + 21..2 + 23].copy_from_slice(b"\xff\xe1");
        told.extend(&jpeg[2..]);
        let kept = picture(&told).unwrap();
        assert!(!kept.windows(3).any(|bytes| bytes == b"GPS"), "where it was taken");
        assert!(!kept.windows(4).any(|bytes| bytes == b"Exif"));
    }

    #[test]
    fn what_is_no_picture_is_refused_and_a_bomb_before_it_is_decoded() {
        assert_eq!(picture(b"%PDF-1.7"), Err(BadPhoto::UnknownFormat));
        assert_eq!(picture(&file(300, 200, ImageFormat::Png)[..200]), Err(BadPhoto::Broken));
        let mut bomb = file(200, 280, ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        let crc = crc32fast::hash(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(picture(&bomb), Err(BadPhoto::TooLarge));
    }
}
