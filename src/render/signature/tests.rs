//! Signatures: found on paper as it is photographed, kept small, and nothing else taken for one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use std::sync::LazyLock;

use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

/// Where ink is on a sheet of that size: a flourish over the middle two thirds, and a dot apart from it.
fn flourish(width: u32, height: u32) -> Vec<bool> {
    let (w, h) = (f64::from(width), f64::from(height));
    let radius = (w.min(h * 2.5) / 160.0).max(1.2);
    let mut ink = vec![false; (width * height) as usize];
    let mut press = |x: f64, y: f64, radius: f64| {
        for row in (y - radius).floor() as i64..=(y + radius).ceil() as i64 {
            for column in (x - radius).floor() as i64..=(x + radius).ceil() as i64 {
                let inside = (column as f64 - x).hypot(row as f64 - y) <= radius;
                let on_sheet =
                    (0..i64::from(width)).contains(&column) && (0..i64::from(height)).contains(&row);
                if inside && on_sheet {
                    ink[(row * i64::from(width) + column) as usize] = true;
                }
            }
        }
    };
    for step in 0..4_000 {
        let t = f64::from(step) / 4_000.0;
        let x = w * (0.17 + 0.66 * t) + h * 0.05 * (t * 61.0).cos();
        let y = h * (0.5 + 0.22 * (t * 40.0).sin() * (0.4 + t * (1.0 - t) * 2.4) + 0.08 * (t * 9.0).cos());
        press(x, y, radius * (1.0 + 0.4 * (t * 23.0).sin()));
    }
    press(w * 0.8, h * 0.2, radius * 1.8);
    ink
}

fn bytes(picture: impl Into<image::DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A signature in blue ink on paper that is lit from the left, with the grain of a camera.
fn photographed(width: u32, height: u32) -> RgbImage {
    let ink = flourish(width, height);
    RgbImage::from_fn(width, height, |x, y| {
        let light = 0.95 - 0.3 * f64::from(x) / f64::from(width) - 0.1 * f64::from(y) / f64::from(height);
        let grain = f64::from((x * 7_919 + y * 104_729) % 13) - 6.0;
        let colour = if ink[(y * width + x) as usize] { [40.0, 50.0, 120.0] } else { [252.0, 250.0, 244.0] };
        Rgb(colour.map(|part: f64| (part * light + grain).clamp(0.0, 255.0) as u8))
    })
}

fn drawn(width: u32, height: u32) -> RgbaImage {
    let ink = flourish(width, height);
    RgbaImage::from_fn(width, height, |x, y| {
        Rgba(if ink[(y * width + x) as usize] { [10, 20, 80, 255] } else { [0, 0, 0, 0] })
    })
}

/// A signature as a profile keeps it; found once, since that takes longer than all else here.
pub(crate) fn signature() -> Signature {
    static FOUND: LazyLock<Signature> = LazyLock::new(found);
    FOUND.clone()
}

fn found() -> Signature {
    Signature::parse(&bytes(photographed(1_000, 500), ImageFormat::Jpeg)).unwrap()
}

fn opacity(signature: &Signature) -> image::GrayAlphaImage {
    image::load_from_memory(signature.as_bytes()).unwrap().into_luma_alpha8()
}

#[test]
fn photographed_and_drawn_signatures_become_black_ink_on_nothing() {
    for (name, file) in [
        ("a photograph", bytes(photographed(1_000, 500), ImageFormat::Jpeg)),
        ("a large photograph", bytes(photographed(1_800, 900), ImageFormat::Jpeg)),
        ("a scan", bytes(photographed(800, 300), ImageFormat::Jpeg)),
        ("a drawing", bytes(drawn(900, 400), ImageFormat::Png)),
        ("a small drawing", bytes(drawn(200, 90), ImageFormat::Png)),
        ("a corner of a sheet", {
            let mut sheet = RgbImage::from_pixel(1_600, 2_200, Rgb([250; 3]));
            image::imageops::replace(&mut sheet, &photographed(500, 200), 900, 1_800);
            bytes(sheet, ImageFormat::Jpeg)
        }),
    ] {
        let signature = Signature::parse(&file).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        assert!(signature.width() <= 600 && signature.height() <= 240, "{name}");
        assert!(signature.as_bytes().len() <= Signature::KEPT, "{name}");
        let seen = opacity(&signature);
        assert!(seen.pixels().all(|pixel| pixel.0[0] == 0), "{name} is not black");
        let count = |wanted: fn(u8) -> bool| {
            seen.pixels().filter(|pixel| wanted(pixel.0[1])).count() as f64 / seen.pixels().len() as f64
        };
        assert!(count(|opacity| opacity == 0) > 0.5, "{name}: the paper is still there");
        assert!((0.03..0.4).contains(&count(|opacity| opacity > 200)), "{name}: {}", count(|o| o > 200));
        // Cropped: ink reaches near every edge.
        let near = |x: u32, y: u32| seen.get_pixel(x, y).0[1] > 100;
        let (w, h) = (signature.width(), signature.height());
        assert!((0..h).any(|y| (0..w / 12).any(|x| near(x, y))), "{name}: left");
        assert!((0..h).any(|y| (w - w / 12..w).any(|x| near(x, y))), "{name}: right");
        assert!((0..w).any(|x| (0..h / 8).any(|y| near(x, y))), "{name}: top");
        assert!((0..w).any(|x| (h - h / 8..h).any(|y| near(x, y))), "{name}: bottom");
    }
}

#[test]
fn the_same_file_gives_the_same_bytes_and_they_are_read_back() {
    let signature = signature();
    assert!(signature == found());
    let read = Signature::from_stored(signature.as_bytes().to_vec()).unwrap();
    assert!(read == signature);
    assert_eq!(read.mask().len() as u32, signature.width().div_ceil(2) * signature.height());
    assert_eq!(format!("{read:?}"), "Signature(…)");
    let dark = RgbaImage::from_pixel(60, 20, Rgba([0, 0, 0, 255]));
    for other in
        [b"not a picture".to_vec(), bytes(dark, ImageFormat::Png), bytes(drawn(900, 400), ImageFormat::Png)]
    {
        assert_eq!(Signature::from_stored(other), Err(BadSignature::Broken));
    }
}

#[test]
fn specks_do_not_widen_the_crop() {
    let mut speckled = photographed(900, 300);
    let (x, y) = (12, 280);
    (0..4).for_each(|n| speckled.put_pixel(x + n % 2, y + n / 2, Rgb([20; 3])));
    let clean = Signature::parse(&bytes(photographed(900, 300), ImageFormat::Jpeg)).unwrap();
    let speckled = Signature::parse(&bytes(speckled, ImageFormat::Jpeg)).unwrap();
    assert!(speckled.width().abs_diff(clean.width()) <= 4 && speckled.height().abs_diff(clean.height()) <= 4);
}

#[test]
fn an_empty_sheet_has_no_ink_however_it_is_lit() {
    let even = RgbImage::from_pixel(800, 300, Rgb([255; 3]));
    let lit = RgbImage::from_fn(800, 300, |x, y| Rgb([(240 - x / 12 - (x * 31 + y * 17) % 5) as u8; 3]));
    let nothing = RgbaImage::from_pixel(400, 200, Rgba([0; 4]));
    for file in
        [bytes(even, ImageFormat::Png), bytes(lit, ImageFormat::Jpeg), bytes(nothing, ImageFormat::Png)]
    {
        assert_eq!(Signature::parse(&file), Err(BadSignature::NoInk));
    }
}

#[test]
fn a_picture_of_something_else_is_no_signature() {
    let black = RgbImage::from_pixel(400, 200, Rgb([8; 3]));
    let face = RgbImage::from_fn(413, 579, |x, y| {
        let (x, y) = (f64::from(x) / 413.0 - 0.5, f64::from(y) / 579.0 - 0.5);
        Rgb(if x.hypot(y * 1.2) < 0.33 { [120, 90, 70] } else { [240; 3] })
    });
    let noise = RgbImage::from_fn(400, 300, |x, y| {
        let mixed = (u64::from(x) << 20 | u64::from(y)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Rgb([(mixed >> 40) as u8; 3])
    });
    let stripes = RgbImage::from_fn(600, 240, |_, y| Rgb([if y % 10 < 5 { 20 } else { 250 }; 3]));
    for (name, picture) in [("black", black), ("a face", face), ("noise", noise), ("stripes", stripes)] {
        let refused = Signature::parse(&bytes(picture, ImageFormat::Png)).unwrap_err();
        assert_eq!(refused, BadSignature::NotLineArt, "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_its_reason() {
    let whole = bytes(photographed(400, 200), ImageFormat::Jpeg);
    assert_eq!(Signature::parse(b""), Err(BadSignature::UnknownFormat));
    assert_eq!(Signature::parse(b"%PDF-1.7"), Err(BadSignature::UnknownFormat));
    assert_eq!(Signature::parse(&whole[..200]), Err(BadSignature::Broken));
    let padded = |length: usize| [&whole[..], &vec![0; length - whole.len()]].concat();
    assert!(Signature::parse(&padded(Signature::MOST_BYTES)).is_ok(), "500 KB are taken");
    assert_eq!(Signature::parse(&padded(Signature::MOST_BYTES + 1)), Err(BadSignature::TooLarge));
    let mut dot = RgbImage::from_pixel(300, 200, Rgb([255; 3]));
    (0..360).for_each(|n| dot.put_pixel(100 + n % 30, 100 + n / 30, Rgb([0; 3])));
    assert_eq!(Signature::parse(&bytes(dot, ImageFormat::Png)), Err(BadSignature::TooSmall));
}

#[test]
fn mutilated_files_are_refused_or_read_but_never_panic() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let whole = bytes(photographed(160, 80), format);
        for cut in (0..whole.len()).step_by(whole.len() / 120) {
            let _ = Signature::parse(&whole[..cut]);
            let mut bent = whole.clone();
            bent[cut] ^= 0x5a;
            let _ = Signature::parse(&bent);
            let _ = Signature::from_stored(bent);
        }
    }
    for (width, height) in [(1, 1), (1, 4_000), (4_000, 1), (7, 9)] {
        let _ = Signature::parse(&bytes(RgbImage::new(width, height), ImageFormat::Png));
    }
}
