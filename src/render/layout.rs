//! The face of the certificate: what stands where. Pure geometry; [`super::page`] draws it, [`super::structure`]
//! describes it. Lengths in points, the origin at the page's lower left corner.

use super::fonts::Weight;
use super::text::{fit, width, wrap};
use super::{Block as Annotation, CopyKind, Sheet, Unprintable, dates, judge_glyphs, qr, stamp, watermark};

mod annotation;
mod holder;

/// Width and height of A4.
pub(crate) const PAGE: (f32, f32) = (595.276, 841.89);

/// One run of text on one baseline.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) size: f32,
    pub(crate) weight: Weight,
    /// Points added between characters.
    pub(crate) tracking: f32,
    pub(crate) ink: Ink,
}

/// What colour a text has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Values: what the certificate says.
    Black,
    /// Labels: what the form says.
    Grey,
}

/// A rectangle.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Place {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

/// A part of the page in reading order.
pub(crate) enum Part {
    /// A heading or paragraph; `tag` is its structure type (ISO 32000-1, 14.8.4).
    Words { tag: &'static str, lines: Vec<Line> },
    /// The table of data: label and value of each row.
    Table(Vec<(Line, Vec<Line>)>),
    /// A picture, with the words that stand for it where it cannot be seen.
    Picture { picture: Picture, alt: String, place: Place },
}

/// The pictures that a page may carry.
pub(crate) enum Picture {
    Photo,
    Signature,
    Code(qr::Code),
}

/// A page, ready to be drawn.
pub(crate) struct Layout {
    pub(crate) parts: Vec<Part>,
    /// The rule between certificate and annotation: left, right, height.
    pub(crate) rule: (f32, f32, f32),
    /// The line that the holder signs on, likewise.
    pub(crate) line: Option<(f32, f32, f32)>,
    /// The square of the seal.
    pub(crate) seal: Place,
    pub(crate) watermark: Option<watermark::Watermark>,
}

/// Left and right edge of the text, in millimetres.
const MARGINS: (f32, f32) = (27.0, 183.0);

const fn mm(length: f32) -> f32 {
    length * 72.0 / 25.4
}

/// A distance from the page's top in millimetres, as a height in points.
const fn down(from_top: f32) -> f32 {
    PAGE.1 - mm(from_top)
}

/// Lays out a sheet. Fails with the first datum that cannot be printed or does not fit; nothing overflows.
pub(crate) fn arrange(sheet: &Sheet) -> Result<Layout, Unprintable> {
    judge(sheet)?;
    let side = stamp::side(&sheet.stamp);
    // Without an annotation block the rest may breathe.
    let shift = if matches!(sheet.copy, CopyKind::Plain) { 7.0 } else { 0.0 };
    let (mut parts, below) = head(sheet)?;
    if sheet.photo.is_some() {
        let place = Place { x: mm(153.0), y: down(below + 9.0 + 42.0), width: mm(30.0), height: mm(42.0) };
        parts.push(Part::Picture { picture: Picture::Photo, alt: "持证人照片".to_owned(), place });
    }
    parts.push(Part::Table(table(sheet, below + 13.0, 178.0 + shift)?));
    let holder = holder::arrange(sheet, 202.5 + shift);
    parts.extend(holder.parts);
    parts.extend(issuer(sheet, 202.5 + shift)?);
    let middle = (mm(ISSUER_AXIS), down(202.5 + shift));
    let seal = Place { x: middle.0 - side / 2.0, y: middle.1 - side / 2.0, width: side, height: side };
    let rule = (mm(MARGINS.0), mm(MARGINS.1), down(231.0 + shift));
    let mark = match &sheet.copy {
        CopyKind::Annotated(block) => {
            parts.extend(annotation::annotated(block, sheet)?);
            Some(watermark::draw(&format!("{} · 至{}有效", block.scenario, dates::day(block.valid_until)))?)
        }
        CopyKind::Plain => {
            parts.extend(annotation::plain());
            None
        }
    };
    Ok(Layout { parts, rule, line: holder.line, seal, watermark: mark })
}

/// Every character of every datum must be printable; the datum is named.
fn judge(sheet: &Sheet) -> Result<(), Unprintable> {
    judge_glyphs("title", &sheet.title)?;
    judge_glyphs("holder_name", &sheet.holder_name)?;
    judge_glyphs("id_number", &sheet.id_number)?;
    judge_glyphs("sex", sheet.sex.as_deref().unwrap_or_default())?;
    judge_glyphs("level", sheet.level.as_deref().unwrap_or_default())?;
    judge_glyphs("specialty", sheet.specialty.as_deref().unwrap_or_default())?;
    judge_glyphs("management_no", &sheet.management_no)?;
    judge_glyphs("licence_id", &sheet.licence_id)?;
    judge_glyphs("issuer", &sheet.issuer)?;
    if let CopyKind::Annotated(Annotation { scenario, recipient, code, verify_url, .. }) = &sheet.copy {
        judge_glyphs("scenario", scenario)?;
        judge_glyphs("recipient", recipient.as_deref().unwrap_or_default())?;
        judge_glyphs("code", code)?;
        judge_glyphs("verify_url", verify_url)?;
    }
    Ok(())
}

/// A line centred on `axis` (points).
fn centred(text: String, axis: f32, y: f32, size: f32, weight: Weight, tracking: f32, ink: Ink) -> Line {
    let x = axis - width(&text, weight, size, tracking) / 2.0;
    Line { text, x, y, size, weight, tracking, ink }
}

/// Title, its English gloss and the sentence of conferral; and where the sentence ends, in millimetres from the top.
fn head(sheet: &Sheet) -> Result<(Vec<Part>, f32), Unprintable> {
    let axis = PAGE.0 / 2.0;
    let measure = mm(MARGINS.1 - MARGINS.0);
    let spaced = |size: f32| width(&sheet.title, Weight::Bold, size, size * 0.12) <= measure;
    let (size, tracking, lines) = match [30.0, 27.0, 24.0, 21.0].into_iter().find(|size| spaced(*size)) {
        Some(size) => (size, size * 0.12, vec![sheet.title.clone()]),
        None => {
            let (size, lines) = fit(&sheet.title, Weight::Bold, &[22.0, 19.0, 16.0, 13.0], measure, 2)
                .ok_or(Unprintable::TooLong { field: "title" })?;
            // Two lines of equal length look better than a full one and a rest.
            let even = width(&sheet.title, Weight::Bold, size, 0.0) / 2.0 + size;
            let balanced = wrap(&sheet.title, Weight::Bold, size, f32::min(even, measure), 0.0);
            (size, 0.0, if balanced.len() == 2 { balanced } else { lines })
        }
    };
    let mut y = down(42.5) + if lines.len() > 1 { size * 0.85 } else { 0.0 };
    let mut title = Vec::new();
    for line in lines {
        title.push(centred(line, axis, y, size, Weight::Bold, tracking, Ink::Black));
        y -= size * 1.4;
    }
    let gloss = if sheet.title.contains("注册证书") || sheet.title.contains("执业证书") {
        "CERTIFICATE OF PROFESSIONAL REGISTRATION"
    } else {
        "CERTIFICATE OF PROFESSIONAL QUALIFICATION"
    };
    let gloss = centred(gloss.to_owned(), axis, down(52.5), 10.0, Weight::Regular, 1.3, Ink::Grey);
    let (sentence, end) = conferral(sheet)?;
    let words = |tag, lines| Part::Words { tag, lines };
    Ok((vec![words("H1", title), words("P", vec![gloss]), words("P", sentence)], end))
}

fn conferral(sheet: &Sheet) -> Result<(Vec<Line>, f32), Unprintable> {
    let obtained = match sheet.title.strip_suffix("证书") {
        Some(qualification) if qualification.ends_with("资格") => qualification,
        _ => &sheet.title,
    };
    let sentence = format!("本证书由{}批准颁发，表明持证人依法取得{obtained}。", sheet.issuer);
    let measure = mm(MARGINS.1 - MARGINS.0);
    let (size, lines) = [(14.0, 2), (13.0, 3), (11.0, 4)]
        .into_iter()
        .map(|(size, most)| (size, most, wrap(&sentence, Weight::Regular, size, measure, size * 2.0)))
        .find_map(|(size, most, lines)| (lines.len() <= most).then_some((size, lines)))
        .ok_or(Unprintable::TooLong { field: "issuer" })?;
    let (last, lead) = (lines.len() - 1, size * 1.95);
    let mut placed = Vec::new();
    for (number, text) in lines.into_iter().enumerate() {
        let indent = if number == 0 { size * 2.0 } else { 0.0 };
        // Full lines end at the margin.
        let slack = measure - indent - width(&text, Weight::Regular, size, 0.0);
        let gaps = text.chars().count().saturating_sub(1).max(1) as f32;
        let tracking = if number < last { slack / gaps } else { 0.0 };
        let y = down(70.0) - lead * number as f32;
        let x = mm(MARGINS.0) + indent;
        placed.push(Line { text, x, y, size, weight: Weight::Regular, tracking, ink: Ink::Black });
    }
    Ok((placed, 70.0 + lead * last as f32 * 25.4 / 72.0))
}

/// The rows of the table between two heights (millimetres from the top). Where they are too many or too long,
/// all shrink together.
fn table(sheet: &Sheet, top: f32, bottom: f32) -> Result<Vec<(Line, Vec<Line>)>, Unprintable> {
    let (left, right) = if sheet.photo.is_some() { (MARGINS.0, 148.0) } else { (MARGINS.0 + 9.9, 174.0) };
    let text = |datum: &Option<String>| datum.clone().filter(|text| !text.trim().is_empty());
    let data = [
        ("holder_name", "姓名", Some(sheet.holder_name.clone())),
        ("id_number", "证件号码", Some(sheet.id_number.clone())),
        ("sex", "性别", text(&sheet.sex)),
        ("born", "出生年月", sheet.born.map(dates::month)),
        ("level", "级别", text(&sheet.level)),
        ("specialty", "专业", text(&sheet.specialty)),
        ("approved_on", "批准日期", Some(dates::day(sheet.approved_on))),
        ("valid_until", "有效期至", sheet.valid_until.map(dates::day)),
        ("management_no", "管理号", Some(sheet.management_no.clone())),
        ("licence_id", "证照标识", Some(sheet.licence_id.clone())),
    ];
    let room = mm(bottom - top);
    let mut refusal = Unprintable::TooLong { field: "specialty" };
    for scale in [1.0, 0.92, 0.85, 0.77] {
        let base = 13.3 * scale;
        let value_x = mm(left) + base * 4.0 + 18.0;
        let measure = mm(right) - value_x;
        let mut rows = Vec::new();
        for (field, label, value) in
            data.iter().filter_map(|(field, label, value)| Some((*field, *label, value.as_ref()?)))
        {
            let (sizes, lines): (&[f32], usize) = match field {
                "licence_id" => (&[0.74, 0.66], 2),
                "holder_name" | "specialty" => (&[1.0, 0.85], 3),
                _ => (&[1.0, 0.85, 0.7], 2),
            };
            let sizes: Vec<f32> = sizes.iter().map(|size| size * base).collect();
            match fit(value, Weight::Regular, &sizes, measure, lines) {
                Some(fitted) => rows.push((label, fitted)),
                None => refusal = Unprintable::TooLong { field },
            }
        }
        let height: f32 =
            rows.iter().map(|(_, (size, lines))| f32::max(base, size * 1.35 * lines.len() as f32)).sum();
        let gap = (room - height) / rows.len() as f32;
        let complete = rows.len() == data.iter().filter(|(_, _, value)| value.is_some()).count();
        if complete && gap >= base * 0.42 {
            return Ok(set(rows, base, f32::min(gap, base * 0.98), (mm(left), value_x, down(top))));
        }
    }
    Err(refusal)
}

/// Sets rows at `gap` points from each other, from the first baseline at `place` (label's x, value's x, y) on.
fn set(
    rows: Vec<(&str, (f32, Vec<String>))>,
    base: f32,
    gap: f32,
    place: (f32, f32, f32),
) -> Vec<(Line, Vec<Line>)> {
    let (label_x, value_x, mut y) = place;
    let mut placed = Vec::new();
    for (label, (size, lines)) in rows {
        let count = label.chars().count() as f32;
        let tracking = if count > 1.0 { base * (4.0 - count) / (count - 1.0) } else { 0.0 };
        let weight = Weight::Regular;
        let label =
            Line { text: label.to_owned(), x: label_x, y, size: base, weight, tracking, ink: Ink::Grey };
        let height = f32::max(base, size * 1.35 * lines.len() as f32);
        let value = lines.into_iter().enumerate().map(|(number, text)| {
            let y = y - size * 1.35 * number as f32;
            Line { text, x: value_x, y, size, weight, tracking: 0.0, ink: Ink::Black }
        });
        placed.push((label, value.collect()));
        y -= height + gap;
    }
    placed
}

/// Axis of issuer, date and seal, in millimetres.
const ISSUER_AXIS: f32 = 141.0;

/// Issuer and date, the space between them at `middle` (millimetres from the top).
fn issuer(sheet: &Sheet, middle: f32) -> Result<Vec<Part>, Unprintable> {
    let (axis, measure) = (mm(ISSUER_AXIS), mm(2.0 * (MARGINS.1 - ISSUER_AXIS)));
    let (size, lines) = fit(&sheet.issuer, Weight::Regular, &[14.0], measure, 1)
        .or_else(|| fit(&sheet.issuer, Weight::Regular, &[14.0, 12.0, 10.5], measure, 2))
        .ok_or(Unprintable::TooLong { field: "issuer" })?;
    let lead = size * 1.4;
    let mut y = down(middle) + 9.0 + lead * (lines.len() - 1) as f32;
    let mut issuer = Vec::new();
    for line in lines {
        issuer.push(centred(line, axis, y, size, Weight::Regular, 0.0, Ink::Black));
        y -= lead;
    }
    let date = centred(
        dates::day(sheet.issued_on),
        axis,
        down(middle) - 19.0,
        14.0,
        Weight::Regular,
        0.0,
        Ink::Black,
    );
    Ok(vec![Part::Words { tag: "P", lines: issuer }, Part::Words { tag: "P", lines: vec![date] }])
}

#[cfg(test)]
mod tests;
