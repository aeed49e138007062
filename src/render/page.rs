//! Draws a layout with printpdf: tagged text, pictures, rules. Everything seen stands in marked content.

use std::collections::{BTreeMap, BTreeSet};

use printpdf::{
    Color, CurTransMat, DictItem, ExternalStream, ExternalXObject, FontId, FontMetrics, Op, ParsedFont,
    PdfDocument, PdfFont, PdfFontHandle, PdfPage, PdfSaveOptions, Pt, Rect, Rgb, TextItem, TextMatrix,
    XObject, XObjectId, XObjectTransform,
};

use super::file::{THOROUGH, deflate};
use super::fonts::{self, Cut};
use super::layout::{Ink, Layout, Line, PAGE, Part, Picture, Place};
use super::watermark::EM;
use super::{Sheet, Unprintable};

/// The holder's signature among the page's pictures.
pub(crate) const SIGNATURE: &str = "S";

/// Draws the page. The document still lacks all that makes it an archival, accessible, signable file. The seal is
/// not drawn here: it is the appearance of the signature's widget.
pub(crate) fn draw(layout: &Layout, sheet: &Sheet) -> Result<lopdf::Document, Unprintable> {
    let mut document = PdfDocument::new("");
    for (index, characters) in shown(layout)? {
        document.resources.fonts.map.insert(font_id(index), embedded(fonts::cut(index, &characters)?));
    }
    let mut pen = Pen { ops: Vec::new(), tracking: 0.0, forms: BTreeMap::new() };
    pen.background(layout);
    for (mcid, mark) in (0_i64..).zip(marks(layout)) {
        pen.tagged(mark.tag, mcid);
        match mark.content {
            Content::Lines(lines) => pen.lines(lines)?,
            Content::Picture(picture, place) => pen.picture(picture, place, sheet)?,
        }
        pen.ops.push(Op::EndMarkedContentWithProperties);
    }
    document.resources.xobjects.map = pen.forms;
    document.pages = vec![PdfPage { ops: pen.ops, ..blank() }];
    let options = PdfSaveOptions { optimize: false, image_optimization: None, ..PdfSaveOptions::default() };
    let mut warnings = Vec::new();
    let drawn = document.to_lopdf_document(&options, &mut warnings);
    if warnings.is_empty() { Ok(drawn) } else { Err(Unprintable::Fault("the page was drawn with warnings")) }
}

/// A piece of content that bears a number (MCID): its place in [`marks`].
pub(crate) struct Mark<'a> {
    pub(crate) tag: &'static str,
    pub(crate) content: Content<'a>,
}

/// What such a piece shows.
pub(crate) enum Content<'a> {
    Lines(&'a [Line]),
    Picture(&'a Picture, Place),
}

/// All marked content of a page in reading order, which is also the order of drawing.
pub(crate) fn marks(layout: &Layout) -> Vec<Mark<'_>> {
    let mut marks = Vec::new();
    for part in &layout.parts {
        match part {
            Part::Words { tag, lines } => marks.push(Mark { tag, content: Content::Lines(lines) }),
            Part::Table(rows) => {
                for (label, value) in rows {
                    marks.push(Mark { tag: "TH", content: Content::Lines(std::slice::from_ref(label)) });
                    marks.push(Mark { tag: "TD", content: Content::Lines(value) });
                }
            }
            Part::Picture { picture, place, .. } => {
                marks.push(Mark { tag: "Figure", content: Content::Picture(picture, *place) });
            }
        }
    }
    marks
}

/// The characters that each face has to show.
fn shown(layout: &Layout) -> Result<BTreeMap<usize, BTreeSet<char>>, Unprintable> {
    let mut faces: BTreeMap<usize, BTreeSet<char>> = BTreeMap::new();
    for mark in marks(layout) {
        let Content::Lines(lines) = mark.content else { continue };
        for line in lines {
            for (index, run) in runs(line)? {
                faces.entry(index).or_default().extend(run.chars());
            }
        }
    }
    Ok(faces)
}

/// A line in runs of one face each.
fn runs(line: &Line) -> Result<Vec<(usize, String)>, Unprintable> {
    let mut runs: Vec<(usize, String)> = Vec::new();
    for character in line.text.chars() {
        // Data are judged before the layout, with the field's name.
        let glyph =
            fonts::find(line.weight, character).ok_or(Unprintable::NoGlyph { character, field: "form" })?;
        match runs.last_mut() {
            Some((face, run)) if *face == glyph.face => run.push(character),
            _ => runs.push((glyph.face, character.to_string())),
        }
    }
    Ok(runs)
}

fn font_id(index: usize) -> FontId {
    // Not F1 to F14: those names mean the fourteen standard faces.
    FontId(format!("S{index}"))
}

fn embedded(cut: Cut) -> PdfFont {
    let codes = cut.glyphs.iter().map(|(character, (glyph, _))| (u32::from(*character), *glyph)).collect();
    let widths = cut.glyphs.values().copied().collect();
    let metrics = FontMetrics { ascent: cut.rise.0, descent: cut.rise.1 };
    let mut font = ParsedFont::with_glyph_data(cut.bytes, 0, Some(cut.name), codes, widths, 1000, metrics);
    let [x_min, y_min, x_max, y_max] = cut.bounds;
    font.pdf_font_metrics.x_min = x_min;
    font.pdf_font_metrics.y_min = y_min;
    font.pdf_font_metrics.x_max = x_max;
    font.pdf_font_metrics.y_max = y_max;
    font.pdf_font_metrics.us_weight_class = cut.weight;
    PdfFont::new(font)
}

fn blank() -> PdfPage {
    let sheet = rectangle(0.0, 0.0, PAGE.0, PAGE.1);
    PdfPage { media_box: sheet.clone(), trim_box: sheet.clone(), crop_box: sheet, ops: Vec::new() }
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Rect {
    Rect { x: Pt(x), y: Pt(y), width: Pt(width), height: Pt(height), mode: None, winding_order: None }
}

/// Two decimals are a three-hundredth of a millimetre, and short.
fn short(number: f32) -> f32 {
    (number * 100.0).round() / 100.0
}

fn rgb(red: u8, green: u8, blue: u8) -> Color {
    let part = |value: u8| (f32::from(value) / 255.0 * 1000.0).round() / 1000.0;
    Color::Rgb(Rgb { r: part(red), g: part(green), b: part(blue), icc_profile: None })
}

fn name(text: &str) -> DictItem {
    DictItem::Name(text.as_bytes().to_vec())
}

struct Pen {
    ops: Vec<Op>,
    /// Character spacing now in force.
    tracking: f32,
    forms: BTreeMap<XObjectId, XObject>,
}

impl Pen {
    /// Watermark, frames and rule: seen, but no part of what the page says.
    fn background(&mut self, layout: &Layout) {
        if let Some(mark) = &layout.watermark {
            let kind = [("Type".into(), name("Pagination")), ("Subtype".into(), name("Watermark"))];
            self.artifact(kind.into());
            let size = f32::min(38.0, 590.0 / mark.ems);
            let (sin, cos) = 32_f32.to_radians().sin_cos();
            let scale = size / EM;
            for row in [-1.0, 0.0, 1.0] {
                let (x, y) = (PAGE.0 / 2.0, PAGE.1 / 2.0 + row * 150.0);
                let half = size * mark.ems / 2.0;
                let place =
                    [scale * cos, scale * sin, -scale * sin, scale * cos, x - half * cos, y - half * sin];
                self.form("W", place);
            }
            let bounds = [-10, -30, (mark.ems * EM) as i64 + 10, 110];
            self.define("W", bounds, mark.content.to_vec());
            self.ops.push(Op::EndMarkedContentWithProperties);
        }
        self.artifact([("Type".into(), name("Layout"))].into());
        self.ops.push(Op::SetOutlineColor { col: rgb(0x8c, 0x2a, 0x1a) });
        // Double frame: 0.5 mm and 0.15 mm of vermilion, 1.5 mm apart.
        for (inset, line) in [(31.2, 1.42), (36.0, 0.45)] {
            self.ops.push(Op::SetOutlineThickness { pt: Pt(line) });
            let frame = rectangle(inset, inset, short(PAGE.0 - 2.0 * inset), short(PAGE.1 - 2.0 * inset));
            self.ops.push(Op::DrawRectangle {
                rectangle: Rect { mode: Some(printpdf::PaintMode::Stroke), ..frame },
            });
        }
        self.rule(layout.rule, 0.7);
        if let Some(line) = layout.line {
            self.ops.push(Op::SetOutlineColor { col: rgb(0x6b, 0x64, 0x5b) });
            self.rule(line, 0.6);
        }
        self.ops.push(Op::EndMarkedContentWithProperties);
    }

    fn rule(&mut self, (left, right, y): (f32, f32, f32), thickness: f32) {
        let point = |x: f32| printpdf::LinePoint {
            p: printpdf::Point { x: Pt(short(x)), y: Pt(short(y)) },
            bezier: false,
        };
        self.ops.push(Op::SetOutlineThickness { pt: Pt(thickness) });
        self.ops.push(Op::DrawLine {
            line: printpdf::Line { points: vec![point(left), point(right)], is_closed: false },
        });
    }

    fn artifact(&mut self, map: BTreeMap<String, DictItem>) {
        self.ops.push(Op::BeginMarkedContentWithProperties {
            tag: "Artifact".into(),
            properties: DictItem::Dict { map },
        });
    }

    fn tagged(&mut self, tag: &str, mcid: i64) {
        let properties = DictItem::Dict { map: [("MCID".into(), DictItem::Int(mcid))].into() };
        self.ops.push(Op::BeginMarkedContentWithProperties { tag: tag.into(), properties });
    }

    fn lines(&mut self, lines: &[Line]) -> Result<(), Unprintable> {
        self.ops.push(Op::StartTextSection);
        let mut ink = None;
        for line in lines {
            if ink != Some(line.ink) {
                ink = Some(line.ink);
                let col = match line.ink {
                    Ink::Black => rgb(0x1d, 0x1a, 0x17),
                    Ink::Grey => rgb(0x6b, 0x64, 0x5b),
                };
                self.ops.push(Op::SetFillColor { col });
            }
            let tracking = short(line.tracking);
            if tracking != self.tracking {
                self.tracking = tracking;
                self.ops.push(Op::SetCharacterSpacing { multiplier: tracking });
            }
            let matrix = TextMatrix::Raw([1.0, 0.0, 0.0, 1.0, short(line.x), short(line.y)]);
            self.ops.push(Op::SetTextMatrix { matrix });
            for (index, run) in runs(line)? {
                let font = PdfFontHandle::External(font_id(index));
                self.ops.push(Op::SetFont { font, size: Pt(short(line.size)) });
                self.ops.push(Op::ShowText { items: vec![TextItem::Text(run)] });
            }
        }
        self.ops.push(Op::EndTextSection);
        Ok(())
    }

    fn picture(&mut self, picture: &Picture, place: Place, sheet: &Sheet) -> Result<(), Unprintable> {
        let Place { x, y, width, height } = place;
        match picture {
            Picture::Photo => {
                self.form("P", [width, 0.0, 0.0, height, x, y]);
                if let Some(photo) = &sheet.photo {
                    let dict = [
                        ("Type", name("XObject")),
                        ("Subtype", name("Image")),
                        ("Width", DictItem::Int(i64::from(photo.width()))),
                        ("Height", DictItem::Int(i64::from(photo.height()))),
                        ("ColorSpace", name("DeviceRGB")),
                        ("BitsPerComponent", DictItem::Int(8)),
                        ("Filter", name("DCTDecode")),
                    ];
                    self.external("P", dict.into(), photo.as_bytes().to_vec());
                    // A hairline, for pictures as white as the paper.
                    self.ops.push(Op::SetOutlineColor { col: rgb(0xc9, 0xc4, 0xbb) });
                    self.ops.push(Op::SetOutlineThickness { pt: Pt(0.4) });
                    let edge = rectangle(short(x), short(y), short(width), short(height));
                    self.ops.push(Op::DrawRectangle {
                        rectangle: Rect { mode: Some(printpdf::PaintMode::Stroke), ..edge },
                    });
                }
            }
            Picture::Signature => {
                self.form(SIGNATURE, [width, 0.0, 0.0, height, x, y]);
                if let Some(signature) = &sheet.signature {
                    // All of it is ink; the mask that [`super::archive`] adds says where it shows.
                    let bytes = signature.width().div_ceil(8) * signature.height();
                    let dict = [
                        ("Type", name("XObject")),
                        ("Subtype", name("Image")),
                        ("Width", DictItem::Int(i64::from(signature.width()))),
                        ("Height", DictItem::Int(i64::from(signature.height()))),
                        ("ColorSpace", name("DeviceGray")),
                        ("BitsPerComponent", DictItem::Int(1)),
                        ("Filter", name("FlateDecode")),
                    ];
                    self.external(SIGNATURE, dict.into(), deflate(&vec![0; bytes as usize], THOROUGH)?);
                }
            }
            Picture::Code(code) => {
                let module = width / code.side as f32;
                self.form("Q", [module, 0.0, 0.0, module, x, y]);
                let side = i64::try_from(code.side).unwrap_or(0);
                self.define("Q", [0, 0, side, side], code.content.clone());
            }
        }
        Ok(())
    }

    /// Shows a form or image under a matrix.
    fn form(&mut self, id: &str, matrix: [f32; 6]) {
        let fine = |number: f32| (number * 10_000.0).round() / 10_000.0;
        let [a, b, c, d, e, f] = matrix;
        let matrix = CurTransMat::Raw([fine(a), fine(b), fine(c), fine(d), short(e), short(f)]);
        let transform = XObjectTransform { no_auto_scale: true, ..XObjectTransform::default() };
        self.ops.push(Op::SaveGraphicsState);
        self.ops.push(Op::SetTransformationMatrix { matrix });
        self.ops.push(Op::UseXobject { id: XObjectId(id.into()), transform });
        self.ops.push(Op::RestoreGraphicsState);
    }

    /// A form of deflated operators.
    fn define(&mut self, id: &str, bounds: [i64; 4], content: Vec<u8>) {
        let bounds = DictItem::Array(bounds.map(DictItem::Int).to_vec());
        let resources = DictItem::Dict { map: BTreeMap::new() };
        let dict = [
            ("Type", name("XObject")),
            ("Subtype", name("Form")),
            ("BBox", bounds),
            ("Filter", name("FlateDecode")),
            ("Resources", resources),
        ];
        self.external(id, dict.into(), content);
    }

    fn external(&mut self, id: &str, dict: BTreeMap<&str, DictItem>, content: Vec<u8>) {
        let dict = dict.into_iter().map(|(key, item)| (key.to_owned(), item)).collect();
        let stream = ExternalStream { dict, content, compress: false };
        let external = ExternalXObject { stream, width: None, height: None, dpi: None };
        self.forms.insert(XObjectId(id.into()), XObject::External(external));
    }
}
