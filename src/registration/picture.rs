//! Draws the ways that cases of a regime go, as SVG 1.1: for people who read regimes.

use std::fmt::Write;

use crate::registration::case::Act;
use crate::registration::regime::{Business, Chain, Regime, Stage, Target, Withdrawal};

const MARGIN: u32 = 24;
const GAP: u32 = 44;
const BOX_HEIGHT: u32 = 48;
const ROW: u32 = 176;
const HEAD: u32 = 64;

/// The business types that go one way, and the way.
pub fn chains(regime: &Regime) -> Vec<(Vec<&Business>, &Chain)> {
    let mut found: Vec<(Vec<&Business>, &Chain)> = Vec::new();
    for business in &regime.businesses {
        match found.iter_mut().find(|(_, chain)| **chain == business.chain) {
            Some((businesses, _)) => businesses.push(business),
            None => found.push((vec![business], &business.chain)),
        }
    }
    found
}

/// Draws a regime: a row for each way, a box for each stage, with who acts there, within how many working days, and what may
/// happen besides going on.
pub fn svg(regime: &Regime) -> String {
    let chains = chains(regime);
    let row_width = |chain: &Chain| {
        let boxes = chain.stages.iter().map(|stage| box_width(stage.name.zh.as_str()) + GAP);
        boxes.sum::<u32>() + box_width(chain.approved.zh.as_str()) + 2 * MARGIN
    };
    let titles = chains.iter().map(|(businesses, _)| text_width(&title(businesses), 13) + 2 * MARGIN);
    let rows = chains.iter().map(|(_, chain)| row_width(chain));
    let width = rows.chain(titles).max().unwrap_or(0).max(320);
    let height = HEAD + ROW * u32::try_from(chains.len()).unwrap_or(0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"'Source Han Sans SC','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif\">\n\
         <title>{name}</title>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#6b6560\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        name = escaped(regime.name.zh.as_str()),
    );
    text(&mut out, (MARGIN, 38), 20, "#1c1a18", "start", regime.name.zh.as_str());
    for (row, (businesses, chain)) in chains.iter().enumerate() {
        let top = HEAD + ROW * u32::try_from(row).unwrap_or(0);
        text(&mut out, (MARGIN, top + 14), 13, "#6b6560", "start", &title(businesses));
        draw(&mut out, chain, top + 30);
    }
    out.push_str("</svg>\n");
    out
}

fn title(businesses: &[&Business]) -> String {
    let mut names: Vec<_> = businesses.iter().map(|business| business.name.zh.as_str()).collect();
    names.dedup();
    names.join("、")
}

fn draw(out: &mut String, chain: &Chain, top: u32) {
    let middle = top + BOX_HEIGHT / 2;
    let mut left = MARGIN;
    let mut places = Vec::new();
    for stage in &chain.stages {
        let width = box_width(stage.name.zh.as_str());
        places.push((stage, left, width));
        left += width + GAP;
    }
    let end = left;
    for (at, (stage, left, width)) in places.iter().enumerate() {
        let fill = if at == 0 { "#f4f1ec" } else { "#ffffff" };
        rectangle(out, (*left, top), *width, fill, "#6b6560");
        text(out, (left + width / 2, middle + 5), 14, "#1c1a18", "middle", stage.name.zh.as_str());
        for (line, note) in notes(stage).iter().enumerate() {
            let below = top + BOX_HEIGHT + 18 + 16 * u32::try_from(line).unwrap_or(0);
            text(out, (left + width / 2, below), 11, "#6b6560", "middle", note);
        }
        for target in stage.acts.values() {
            let to = match target {
                Target::Approved => Some(end),
                Target::Stage(id) => places.iter().find(|(other, ..)| other.id == *id).map(|(_, to, _)| *to),
                Target::Rejected | Target::Returned | Target::Correction => None,
            };
            if let Some(to) = to {
                arrow(out, left + width, to, (top, middle));
            }
        }
    }
    let width = box_width(chain.approved.zh.as_str());
    rectangle(out, (end, top), width, "#fbeeee", "#c3272b");
    text(out, (end + width / 2, middle + 5), 14, "#c3272b", "middle", chain.approved.zh.as_str());
}

/// Straight on to the next box; over the others to one further on, or back.
fn arrow(out: &mut String, from: u32, to: u32, (top, middle): (u32, u32)) {
    let path = if to > from && to - from <= GAP {
        format!("M{from} {middle}H{to}")
    } else {
        let (start, end, over) = (from.saturating_sub(12), to + 12, top.saturating_sub(10));
        format!("M{start} {top}V{over}H{end}V{top}")
    };
    let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"#6b6560\" marker-end=\"url(#tip)\"/>");
}

/// What stands beneath a stage.
fn notes(stage: &Stage) -> Vec<String> {
    let within = stage.days.map_or_else(String::new, |days| format!(" · {days} 个工作日"));
    let mut notes = vec![format!("{}{within}", stage.seat.shown().chinese)];
    let aside = |act: &&Act| {
        let leads_on = matches!(stage.acts.get(act), Some(Target::Stage(_) | Target::Approved));
        !leads_on
    };
    let besides: Vec<_> = stage.acts.keys().filter(aside).map(|act| act.shown().chinese).collect();
    if !besides.is_empty() {
        notes.push(format!("可{}", besides.join("、")));
    }
    match stage.withdrawal {
        Withdrawal::Free => notes.push("个人可撤回".to_owned()),
        Withdrawal::Consent => notes.push("撤回须企业同意".to_owned()),
        Withdrawal::None => {}
    }
    notes
}

fn rectangle(out: &mut String, (x, y): (u32, u32), width: u32, fill: &str, stroke: &str) {
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BOX_HEIGHT}\" rx=\"6\" fill=\"{fill}\" stroke=\"{stroke}\"/>"
    );
}

fn text(out: &mut String, (x, y): (u32, u32), size: u32, fill: &str, anchor: &str, words: &str) {
    let words = escaped(words);
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{fill}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}

/// Wide enough for the name of a stage, and for what stands beneath it.
fn box_width(name: &str) -> u32 {
    (text_width(name, 14) + 28).max(132)
}

/// Han characters are square, others about half as wide.
fn text_width(text: &str, size: u32) -> u32 {
    let halves = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<u32>();
    halves * size / 2
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::registration::regime::book::Book;

    #[test]
    fn a_picture_names_every_stage_and_both_ends_of_what_people_wait_for() {
        for regime in Book::bundled().unwrap().regimes() {
            let picture = svg(regime);
            for (businesses, chain) in chains(regime) {
                let names = chain.stages.iter().map(|stage| &stage.name).chain([&chain.approved]);
                for name in names.chain(businesses.iter().map(|business| &business.name)) {
                    assert!(picture.contains(name.zh.as_str()), "{}: {name:?}", regime.id);
                }
            }
            assert_eq!(picture.matches("<svg").count(), picture.matches("</svg>").count());
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_the_picture() {
        let text = crate::registration::regime::tests::WELDERS.replace("车间核验", "<script>&");
        let picture = svg(&Regime::read(&text).unwrap());
        assert!(picture.contains("&lt;script&gt;&amp;") && !picture.contains("<script"));
    }
}
