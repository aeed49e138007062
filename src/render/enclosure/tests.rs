//! Files of a filing: what they are, how large they may be, and what is left of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

mod papers;

const KB: usize = 1024;

/// What the housing ministry's system takes: 200 to 500 KB.
const BOUNDS: Bounds<'static> = Bounds { media: &Media::ALL, min_bytes: 200 * KB, max_bytes: 500 * KB };
/// Whatever is small.
const ANY: Bounds<'static> = Bounds { media: &Media::ALL, min_bytes: 0, max_bytes: 500 * KB };

fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A picture with as much in it as a photograph.
fn photograph(width: u32, height: u32) -> RgbImage {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    RgbImage::from_fn(width, height, |x, y| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let grain = (state % 24) as u32;
        Rgb([(x / 3 % 200 + grain) as u8, (y / 2 % 220 + grain) as u8, ((x + y) / 5 % 200 + grain) as u8])
    })
}

fn drawing(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([if x % 40 < 3 || y % 60 < 2 { 0 } else { 255 }; 3]))
}

/// A JPEG of exactly so many bytes: what is behind its end is not looked at.
fn jpeg_of(length: usize) -> Vec<u8> {
    let mut bytes = file(photograph(300, 200), ImageFormat::Jpeg);
    assert!(bytes.len() <= length);
    bytes.resize(length, 0);
    bytes
}

fn dimensions(bytes: &[u8]) -> (u32, u32) {
    let picture = image::load_from_memory(bytes).unwrap();
    (picture.width(), picture.height())
}

#[test]
fn the_bounds_are_exact_to_the_byte_of_what_was_sent() {
    let of = |length| Enclosure::of(&jpeg_of(length), &BOUNDS);
    let small = BadFile::TooSmall { bytes: 199 * KB, least: 200 * KB };
    assert_eq!(of(199 * KB).unwrap_err(), small);
    assert_eq!(small.to_string(), "the file has 203776 bytes; 204800 are wanted at least");
    assert!(of(200 * KB - 1).is_err());
    assert!(of(200 * KB).is_ok() && of(500 * KB).is_ok());
    assert!(of(500 * KB + 1).is_ok(), "what is too large is fitted");
    assert!(of(MOST_BYTES).is_ok());
    let large = BadFile::TooLarge { bytes: MOST_BYTES + 1, most: MOST_BYTES };
    assert_eq!(of(MOST_BYTES + 1).unwrap_err(), large);
}

#[test]
fn the_content_decides_and_the_place_says_what_it_takes() {
    let jpeg = jpeg_of(210 * KB);
    let only = |media: &[Media]| Enclosure::of(&jpeg, &Bounds { media, ..BOUNDS }).map(|kept| kept.media());
    assert_eq!(only(&[Media::Jpeg]), Ok(Media::Jpeg));
    assert_eq!(only(&[Media::Png, Media::Pdf]), Err(BadFile::NotTaken(Media::Jpeg)));
    for other in [&b""[..], b"GIF89a", b"PK\x03\x04", b"<svg xmlns=", b"\0"] {
        assert_eq!(Enclosure::of(other, &BOUNDS).unwrap_err(), BadFile::UnknownFormat);
    }
}

#[test]
fn a_large_photograph_is_fitted_and_still_looks_the_same() {
    let sent = photograph(2_400, 1_800);
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let bytes = file(sent.clone(), format);
        assert!(bytes.len() > BOUNDS.max_bytes && bytes.len() <= MOST_BYTES, "{}", bytes.len());
        let kept = Enclosure::of(&bytes, &BOUNDS).unwrap();
        assert!(kept.as_bytes().len() <= BOUNDS.max_bytes);
        assert!(kept.as_bytes().len() > BOUNDS.max_bytes / 3, "more was given up than had to be");
        assert_eq!((kept.media(), kept.treatment()), (Media::Jpeg, Treatment::Fitted));
        let (width, height) = dimensions(kept.as_bytes());
        assert_eq!(kept.extent(), Extent::Pixels { width, height });
        assert!((f64::from(width) / f64::from(height) - 4.0 / 3.0).abs() < 0.01);
    }
}

#[test]
fn what_would_be_unreadable_before_it_fits_is_refused() {
    let tight = Bounds { min_bytes: 0, max_bytes: 20 * KB, ..BOUNDS };
    let refused = Enclosure::of(&file(photograph(1_200, 900), ImageFormat::Jpeg), &tight).unwrap_err();
    assert_eq!(refused, BadFile::CannotFit { most: 20 * KB });
}

#[test]
fn line_art_and_transparency_stay_png_and_photographs_do_not() {
    let of = |bytes: &[u8], bounds: &Bounds<'_>| Enclosure::of(bytes, bounds).unwrap();
    let line = of(&file(drawing(800, 600), ImageFormat::Png), &ANY);
    assert_eq!((line.media(), line.treatment()), (Media::Png, Treatment::Encoded));
    assert_eq!(image::load_from_memory(line.as_bytes()).unwrap().into_rgb8(), drawing(800, 600));
    let clear = RgbaImage::from_fn(300, 200, |x, y| Rgba([x as u8, y as u8, (x * y) as u8, (x + y) as u8]));
    let kept = of(&file(clear.clone(), ImageFormat::Png), &ANY);
    assert_eq!(kept.media(), Media::Png);
    assert_eq!(image::load_from_memory(kept.as_bytes()).unwrap().into_rgba8(), clear);
    let photo = file(photograph(300, 200), ImageFormat::Png);
    assert_eq!(of(&photo, &ANY).media(), Media::Jpeg);
    let only = Bounds { media: &[Media::Png], max_bytes: 400 * KB, ..ANY };
    let large = file(photograph(1_000, 750), ImageFormat::Png);
    assert!(large.len() > only.max_bytes);
    let kept = of(&large, &only);
    assert_eq!((kept.media(), kept.treatment()), (Media::Png, Treatment::Fitted));
    assert!(kept.as_bytes().len() <= only.max_bytes);
}

/// Exif with orientation 6 (turn clockwise by a quarter) and a GPS directory (Exif 2.32, 4.6.2, 4.6.6).
fn exif() -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
    exif.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x26");
    exif.extend(b"\0\0\0\0");
    exif.extend(b"\0\x01\0\x01\0\x02\0\0\0\x02N\0\0\0\0\0\0\0");
    exif.extend(b"GPS 30.66N 104.06E");
    exif
}

#[test]
fn where_and_with_what_a_photograph_was_taken_is_gone_and_it_stands_upright() {
    let mut jpeg = file(photograph(300, 200), ImageFormat::Jpeg);
    let exif = exif();
    let comment = b"taken by somebody";
    let segments = [
        &[0xFF, 0xE1, 0, (exif.len() + 2) as u8][..],
        &exif,
        &[0xFF, 0xFE, 0, (comment.len() + 2) as u8],
        comment,
    ];
    jpeg.splice(2..2, segments.concat());
    let kept = Enclosure::of(&jpeg, &ANY).unwrap();
    assert_eq!(kept.extent(), Extent::Pixels { width: 200, height: 300 });
    for told in [&b"Exif"[..], b"GPS", b"somebody"] {
        assert!(jpeg.windows(told.len()).any(|bytes| bytes == told));
        assert!(!kept.as_bytes().windows(told.len()).any(|bytes| bytes == told));
    }
}

#[test]
fn what_a_png_tells_in_words_is_gone() {
    let mut png = file(drawing(300, 200), ImageFormat::Png);
    let data = b"tEXtAuthor\0somebody";
    let chunk = [&(data.len() as u32 - 4).to_be_bytes()[..], data, &crc32fast::hash(data).to_be_bytes()];
    png.splice(33..33, chunk.concat());
    let kept = Enclosure::of(&png, &ANY).unwrap();
    assert!(!kept.as_bytes().windows(8).any(|bytes| bytes == b"somebody"));
    let mut chunks = Vec::new();
    let mut rest = &kept.as_bytes()[8..];
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        chunks.push(String::from_utf8_lossy(&after[..4]).into_owned());
        rest = &after[8 + u32::from_be_bytes(*length) as usize..];
    }
    chunks.dedup();
    assert_eq!(chunks, ["IHDR", "IDAT", "IEND"]);
}

#[test]
fn a_bomb_is_refused_before_it_is_decoded() {
    let mut bomb = file(drawing(200, 280), ImageFormat::Png);
    bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let crc = crc32fast::hash(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(Enclosure::of(&bomb, &ANY).unwrap_err(), BadFile::TooManyPixels);
}

#[test]
fn a_preview_is_small_upright_and_on_white() {
    for (width, height, wanted) in [(1_600, 1_200, (320, 240)), (300, 900, (107, 320)), (90, 40, (90, 40))] {
        let small = preview(&file(photograph(width, height), ImageFormat::Jpeg)).unwrap();
        assert_eq!(Media::of(&small), Some(Media::Jpeg));
        assert_eq!(dimensions(&small), wanted);
    }
    let clear = preview(&file(RgbaImage::new(400, 300), ImageFormat::Png)).unwrap();
    assert!(image::load_from_memory(&clear).unwrap().into_rgb8().pixels().all(|pixel| pixel.0 == [255; 3]));
    assert_eq!(preview(b"%PDF-1.7"), Err(BadFile::UnknownFormat));
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    for bytes in [
        file(photograph(700, 500), ImageFormat::Jpeg),
        file(drawing(300, 200), ImageFormat::Png),
        papers::paper(2),
    ] {
        let (one, two) = (Enclosure::of(&bytes, &ANY).unwrap(), Enclosure::of(&bytes, &ANY).unwrap());
        assert!(one == two);
        // What was kept can be handed in again.
        assert!(Enclosure::of(one.as_bytes(), &ANY).is_ok());
    }
}

#[test]
fn mutilated_files_are_refused_or_read_but_never_panic() {
    let files = [
        file(photograph(60, 40), ImageFormat::Jpeg),
        file(drawing(60, 40), ImageFormat::Png),
        papers::paper(3),
        papers::packed(),
    ];
    let seed = 0x5eed_0e0c_105e_2026_u64;
    let mut state = seed;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    for (number, whole) in files.iter().enumerate() {
        for cut in (0..whole.len()).step_by((whole.len() / 60).max(1)) {
            let _ = Enclosure::of(&whole[..cut], &ANY);
        }
        for round in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..=below(5) {
                let at = below(bytes.len());
                match below(3) {
                    0 => bytes[at] = below(256) as u8,
                    1 => drop(bytes.splice(at..at, *b"<<")),
                    _ => drop(bytes.drain(at..(at + 1 + below(9)).min(bytes.len()))),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            let outcome = std::panic::catch_unwind(|| Enclosure::of(&bytes, &ANY).is_ok());
            assert!(outcome.is_ok(), "panicked: seed {seed:#x}, file {number}, round {round}");
        }
    }
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let reasons = [
        BadFile::TooSmall { bytes: 1, least: 2 },
        BadFile::TooLarge { bytes: 2, most: 1 },
        BadFile::UnknownFormat,
        BadFile::NotTaken(Media::Pdf),
        BadFile::Damaged,
        BadFile::TooManyPixels,
        BadFile::CannotFit { most: 1 },
        BadFile::Encrypted,
        BadFile::Active(Active::Script),
        BadFile::TooManyPages { pages: 51, most: 50 },
        BadFile::TooIntricate,
    ];
    let codes: std::collections::BTreeSet<_> = reasons.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes.len(), reasons.len());
}
