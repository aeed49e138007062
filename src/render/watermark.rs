//! The light diagonal text over the page that says what the copy is for and until when.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::file::{THOROUGH, deflate};
use super::fonts::Weight;
use super::{Unprintable, outline, text};

/// One line of the watermark as deflated drawing operators.
#[derive(Clone)]
pub(crate) struct Watermark {
    pub(crate) content: Arc<[u8]>,
    /// Width in ems; the line stands on the abscissa, from 0 on, the em as unit times [`EM`].
    pub(crate) ems: f32,
}

/// A twelfth of a millimetre at the watermark's size; its colour hardly shows an edge.
const GRID: f32 = 150.0;

/// Units of the form to the em.
pub(crate) const EM: f32 = 100.0;

/// Draws a line as shapes, so that no part of it is found among the page's text.
pub(crate) fn draw(line: &str) -> Result<Watermark, Unprintable> {
    // On one day nearly all copies carry the same few lines.
    static DRAWN: Mutex<BTreeMap<String, Watermark>> = Mutex::new(BTreeMap::new());
    const KEPT: usize = 256;
    if let Some(drawn) = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).get(line) {
        return Ok(drawn.clone());
    }
    let (mut content, mut x) = (String::new(), 0.0);
    // A solid colour, drawn before all else: transparency would buy nothing.
    content.push_str("0.985 0.945 0.935 rg\n");
    for character in line.chars() {
        outline::write(&mut content, Weight::Bold, character, [EM, 0.0, 0.0, EM, x, 0.0], GRID);
        x += EM * text::width(&character.to_string(), Weight::Bold, 1.0, 0.0);
    }
    let content = deflate(content.as_bytes(), THOROUGH)?;
    let watermark = Watermark { content: content.into(), ems: x / EM };
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    if drawn.len() >= KEPT {
        drawn.clear();
    }
    drawn.insert(line.to_owned(), watermark.clone());
    Ok(watermark)
}
