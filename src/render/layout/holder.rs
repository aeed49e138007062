//! Beside the issuer: the holder's signature, and the place for their own hand where a print must be signed.

use super::{Ink, Line, MARGINS, Part, Picture, Place, down, mm};
use crate::render::Sheet;
use crate::render::fonts::Weight;
use crate::render::signature::Signature;
use crate::render::text::wrap;

/// Where the block ends on the right: the issuer's name may begin a little behind it, in millimetres.
const RIGHT: f32 = 97.0;
const LABEL_SIZE: f32 = 10.5;
const NOTICE_SIZE: f32 = 8.5;
const NOTICE_LEAD: f32 = 12.6;
/// Room for the picture of a signature, in millimetres.
const FRAME: (f32, f32) = (42.0, 16.8);
/// No pixel is shown larger than on a print of 150 dots an inch.
const COARSEST: f32 = 72.0 / 150.0;

/// What stands there, and the line to sign on (left, right, height).
#[derive(Default)]
pub(super) struct Holder {
    pub(super) parts: Vec<Part>,
    pub(super) line: Option<(f32, f32, f32)>,
}

/// Lays out the block around `middle` (millimetres from the top), the axis of issuer and seal.
pub(super) fn arrange(sheet: &Sheet, middle: f32) -> Holder {
    let mut holder = Holder::default();
    match (&sheet.signature, sheet.hand_signature) {
        (None, false) => {}
        (Some(signature), false) => holder.picture(signature, "持证人签名", middle),
        (signature, true) => {
            let line = match signature {
                Some(signature) => {
                    holder.picture(signature, "签名图像", middle - 11.5);
                    middle + 7.5
                }
                None => middle + 1.0,
            };
            holder.place_to_sign("手写签名", line);
            holder.notice(notice(signature.is_some()), line + 8.0);
        }
    }
    holder
}

/// What holds of a print, a sentence on a line where it can be.
fn notice(with_picture: bool) -> [&'static str; 2] {
    let otherwise = if with_picture {
        "无签名，或签名与签名图像不一致的，打印件无效。"
    } else {
        "无手写签名的，打印件无效。"
    };
    ["本证书须由持证人本人手写签名；", otherwise]
}

/// Where the value behind a label begins.
fn behind(label: &str) -> f32 {
    mm(MARGINS.0) + LABEL_SIZE * label.chars().count() as f32 + mm(3.5)
}

impl Holder {
    /// A label and the signature behind it, both on one axis.
    fn picture(&mut self, signature: &Signature, label: &str, axis: f32) {
        self.label(label, down(axis) - LABEL_SIZE * 0.36);
        let (width, height) = (signature.width() as f32, signature.height() as f32);
        let scale = (mm(FRAME.0) / width).min(mm(FRAME.1) / height).min(COARSEST);
        let (width, height) = (width * scale, height * scale);
        let place = Place { x: behind(label), y: down(axis) - height / 2.0, width, height };
        let alt = "持证人签名图像".to_owned();
        self.parts.push(Part::Picture { picture: Picture::Signature, alt, place });
    }

    /// A label and the line behind it.
    fn place_to_sign(&mut self, label: &str, baseline: f32) {
        self.label(label, down(baseline));
        self.line = Some((behind(label), mm(RIGHT), down(baseline) - 2.2));
    }

    fn notice(&mut self, sentences: [&str; 2], top: f32) {
        let measure = mm(RIGHT - MARGINS.0);
        let lines = sentences
            .iter()
            .flat_map(|text| wrap(text, Weight::Regular, NOTICE_SIZE, measure, 0.0))
            .enumerate();
        let lines = lines.map(|(number, text)| {
            let y = down(top) - NOTICE_LEAD * number as f32;
            line(text, y, NOTICE_SIZE, Ink::Black)
        });
        self.parts.push(Part::Words { tag: "P", lines: lines.collect() });
    }

    fn label(&mut self, text: &str, y: f32) {
        let lines = vec![line(text.to_owned(), y, LABEL_SIZE, Ink::Grey)];
        self.parts.push(Part::Words { tag: "P", lines });
    }
}

fn line(text: String, y: f32, size: f32, ink: Ink) -> Line {
    Line { text, x: mm(MARGINS.0), y, size, weight: Weight::Regular, tracking: 0.0, ink }
}
