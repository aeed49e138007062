//! Beneath the rule: the annotation block with its QR code, or the line that says that none is needed.

use super::{Ink, Line, MARGINS, PAGE, Part, Picture, Place, centred, down, mm};
use crate::render::fonts::Weight;
use crate::render::text::{fit, wrap};
use crate::render::{Block, Sheet, Unprintable, dates, qr};

/// Side of the QR code, quiet zone included, in millimetres.
const CODE_SIDE: f32 = 34.0;
/// Top of the QR code, from the top of the page.
const TOP: f32 = 233.5;
const LABEL_SIZE: f32 = 9.5;
const LEAD: f32 = 14.2;

/// The block of an annotated copy.
pub(super) fn annotated(block: &Block, sheet: &Sheet) -> Result<Vec<Part>, Unprintable> {
    let label_x = mm(MARGINS.0 + CODE_SIDE + 4.5);
    let value_x = label_x + LABEL_SIZE * 5.0 + 10.0;
    let measure = mm(MARGINS.1) - value_x;
    let site = block.verify_url.rsplit_once("/v/").map(|(site, _)| site.to_owned());
    let validity = format!("{} 至 {}", dates::day(block.valid_from), dates::day(block.valid_until));
    let data = [
        ("scenario", "使用场景", Some(block.scenario.clone()), LABEL_SIZE),
        ("recipient", "接收单位", block.recipient.clone().filter(|text| !text.trim().is_empty()), LABEL_SIZE),
        ("valid_until", "加注有效期", Some(validity), LABEL_SIZE),
        ("made_at", "加注时间", Some(dates::minute(sheet.made_at)), LABEL_SIZE),
        ("verify_url", "查验网址", site, LABEL_SIZE),
        ("code", "查验编号", Some(block.code.clone()), 11.5),
    ];
    let mut rows = Vec::new();
    for (field, label, value, size) in data {
        let Some(value) = value else { continue };
        let most = if field == "recipient" { 3 } else { 1 };
        let fitted = fit(&value, Weight::Regular, &[size, size * 0.9, size * 0.8], measure, most);
        rows.push((label, fitted.ok_or(Unprintable::TooLong { field })?));
    }
    let mut parts = Vec::new();
    let count: usize = rows.iter().map(|(_, (_, lines))| lines.len()).sum();
    // Few lines stand in the middle of the code's height.
    let spare = f32::max(0.0, mm(CODE_SIDE) - LEAD * count as f32);
    let mut y = down(TOP) - spare / 2.0 - LABEL_SIZE;
    for (label, (size, values)) in rows {
        let mut lines = vec![plain_line(label.to_owned(), label_x, y, LABEL_SIZE, Ink::Grey)];
        for value in values {
            lines.push(plain_line(value, value_x, y, size, Ink::Black));
            y -= LEAD;
        }
        parts.push(Part::Words { tag: "P", lines });
    }
    let code = qr::draw(&block.verify_url)?;
    let place = Place {
        x: mm(MARGINS.0 - 1.5),
        y: down(TOP + CODE_SIDE),
        width: mm(CODE_SIDE),
        height: mm(CODE_SIDE),
    };
    parts.push(Part::Picture {
        picture: Picture::Code(code),
        alt: format!("查验二维码：{}", block.verify_url),
        place,
    });
    let note = "扫码或凭编号查验真伪，逾期自动失效。";
    parts.push(foot(vec![note.to_owned()], 279.5));
    Ok(parts)
}

/// What stands there on a copy that needs no annotation.
pub(super) fn plain() -> Vec<Part> {
    let words = [
        "本证书目前暂无须加注，可直接查看、下载。",
        "本件已加盖电子印章，可用支持数字签名的阅读器核对，也可提交至查验网站查验真伪。",
    ];
    let measure = mm(MARGINS.1 - MARGINS.0);
    let lines = words.iter().flat_map(|text| wrap(text, Weight::Regular, LABEL_SIZE, measure, 0.0)).collect();
    vec![foot(lines, 250.0)]
}

fn plain_line(text: String, x: f32, y: f32, size: f32, ink: Ink) -> Line {
    Line { text, x, y, size, weight: Weight::Regular, tracking: 0.0, ink }
}

/// Centred small lines, the first at `top` (millimetres from the top of the page).
fn foot(lines: Vec<String>, top: f32) -> Part {
    let lines = lines.into_iter().enumerate().map(|(number, text)| {
        let y = down(top) - 15.0 * number as f32;
        centred(text, PAGE.0 / 2.0, y, LABEL_SIZE - 0.5, Weight::Regular, 0.0, Ink::Grey)
    });
    Part::Words { tag: "P", lines: lines.collect() }
}
