//! Portraits: read whatever they are named, bounded, made anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use super::*;

fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, (x ^ y) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// xorshift64: enough for mutations, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn pictures_of_any_shape_are_cropped_to_the_frame_and_kept_small() {
    for (width, height) in
        [(413, 579), (600, 800), (800, 600), (96, 128), (100, 700), (700, 130), (1200, 1600)]
    {
        let photo = Photo::parse(&file(width, height, ImageFormat::Jpeg)).unwrap();
        assert!(photo.as_bytes().len() <= Photo::STORED);
        assert!(photo.width() <= 413 && photo.height() <= 579);
        let ratio = f64::from(photo.width()) / f64::from(photo.height());
        assert!((ratio - 413.0 / 579.0).abs() < 0.01, "{width} x {height} became {ratio}");
        assert!(photo == Photo::from_stored(photo.as_bytes().to_vec()).unwrap());
    }
}

#[test]
fn the_content_decides_what_a_file_is() {
    assert!(Photo::parse(&file(200, 280, ImageFormat::Png)).is_ok());
    assert_eq!(Photo::parse(b"GIF89a, or so it says"), Err(BadPhoto::UnknownFormat));
    assert_eq!(Photo::parse(b""), Err(BadPhoto::UnknownFormat));
    assert_eq!(Photo::parse(&file(200, 280, ImageFormat::Jpeg)[..300]), Err(BadPhoto::Broken));
    assert_eq!(Photo::parse(&file(95, 200, ImageFormat::Png)), Err(BadPhoto::TooSmall));
    assert_eq!(Photo::parse(&vec![0; Photo::MOST_BYTES + 1]), Err(BadPhoto::TooLarge));
}

#[test]
fn a_bomb_is_refused_before_it_is_decoded() {
    let mut bomb = file(200, 280, ImageFormat::Png);
    bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let crc = crc32fast::hash(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(Photo::parse(&bomb), Err(BadPhoto::TooLarge));
}

#[test]
fn transparency_becomes_white() {
    let picture = image::RgbaImage::from_pixel(200, 280, image::Rgba([0, 0, 0, 0]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let photo = Photo::parse(bytes.get_ref()).unwrap();
    let seen = image::load_from_memory(photo.as_bytes()).unwrap().into_rgb8();
    assert!(seen.pixels().all(|pixel| pixel.0.iter().all(|part| *part > 250)));
}

#[test]
fn a_picture_taken_sideways_is_turned_upright_and_its_metadata_are_gone() {
    // Exif with orientation 6: turn clockwise by a quarter.
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut jpeg = file(280, 200, ImageFormat::Jpeg);
    let segment = [&[0xFF, 0xE1, 0, (exif.len() + 2) as u8], &exif[..]].concat();
    jpeg.splice(2..2, segment);
    let photo = Photo::parse(&jpeg).unwrap();
    assert!(photo.height() > 270, "{} x {}", photo.width(), photo.height());
    assert!(!photo.as_bytes().windows(4).any(|bytes| bytes == b"Exif"));
}

#[test]
fn mutilated_files_are_refused_or_read_but_never_panic() {
    let seed = 0x5eed_0f00_c0de_2026;
    let mut chance = Chance(seed);
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let whole = file(120, 160, format);
        for round in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..=chance.below(6) {
                let at = chance.below(bytes.len());
                match chance.below(3) {
                    0 => bytes[at] = chance.below(256) as u8,
                    1 => bytes.truncate(at.max(1)),
                    _ => drop(bytes.splice(at..at, [0xFF, chance.below(256) as u8])),
                }
            }
            let outcome =
                std::panic::catch_unwind(|| Photo::parse(&bytes).map(|photo| photo.as_bytes().len()));
            let outcome =
                outcome.unwrap_or_else(|_| panic!("panicked: seed {seed:#x}, round {round}, {format:?}"));
            assert!(outcome.is_err() || outcome.is_ok_and(|length| length <= Photo::STORED));
            let _ = Photo::from_stored(bytes);
        }
    }
}

#[test]
fn what_is_stored_must_be_ours() {
    assert_eq!(Photo::from_stored(b"not a picture".to_vec()), Err(BadPhoto::Broken));
    assert_eq!(Photo::from_stored(file(600, 800, ImageFormat::Jpeg)), Err(BadPhoto::TooLarge));
    assert_eq!(format!("{:?}", Photo::parse(&file(200, 280, ImageFormat::Png)).unwrap()), "Photo(…)");
}
