//! QR codes (ISO/IEC 18004), level M: the verification link as a PDF form of black runs on white, and what an authenticator
//! app scans as a path for a page.

use std::fmt::Write;

use qrcode::EcLevel;
use qrcode::bits::encode_auto;
use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::ec::construct_codewords;
use qrcode::types::Color;

use super::Unprintable;
use super::file::{LEVEL, deflate};

/// Modules of white around the code (ISO/IEC 18004, 9.1).
const QUIET: usize = 4;

/// A code as deflated drawing operators in units of its modules, quiet zone included.
pub(crate) struct Code {
    /// Modules along one side, both quiet zones included.
    pub(crate) side: usize,
    pub(crate) content: Vec<u8>,
}

/// Draws a link. It is refused where it would need a code so fine that a printed copy might not be read.
pub(crate) fn draw(link: &str) -> Result<Code, Unprintable> {
    let (side, content) = runs(link)?;
    Ok(Code { side, content: deflate(content.as_bytes(), LEVEL)? })
}

/// A code as the data of an SVG path in units of its modules, and how many of them are along one side, quiet zone included.
///
/// # Errors
/// A text that would need too fine a code.
pub(crate) fn path(text: &str) -> Result<(usize, String), Unprintable> {
    let (width, modules) = modules(text)?;
    let mut path = String::new();
    for (row, line) in modules.chunks(width).enumerate() {
        for (column, run) in dark_runs(line) {
            let _ = write!(path, "M{} {}h{run}v1h-{run}z", column + QUIET, row + QUIET);
        }
    }
    Ok((width + 2 * QUIET, path))
}

/// The modules of a code, row by row from the top, and how many there are along one side.
fn modules(link: &str) -> Result<(usize, Vec<Color>), Unprintable> {
    const WIDEST: usize = 57;
    let too_long = |_| Unprintable::TooLong { field: "verify_url" };
    let bits = encode_auto(link.as_bytes(), EcLevel::M).map_err(too_long)?;
    let version = bits.version();
    let (data, correction) =
        construct_codewords(&bits.into_bytes(), version, EcLevel::M).map_err(too_long)?;
    let mut canvas = Canvas::new(version, EcLevel::M);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    // Any mask is readable; trying all eight to find the prettiest costs ten times the rest.
    canvas.apply_mask(MaskPattern::Checkerboard);
    let modules = canvas.into_colors();
    let width = usize::try_from(version.width()).unwrap_or(0);
    if width == 0 || width > WIDEST {
        return Err(Unprintable::TooLong { field: "verify_url" });
    }
    Ok((width, modules))
}

/// Where dark modules begin in a row, and how many follow one another.
fn dark_runs(line: &[Color]) -> Vec<(usize, usize)> {
    let (mut runs, mut column) = (Vec::new(), 0);
    while column < line.len() {
        let run = line[column..].iter().take_while(|module| **module == Color::Dark).count();
        if run > 0 {
            runs.push((column, run));
        }
        column += run.max(1);
    }
    runs
}

fn runs(link: &str) -> Result<(usize, String), Unprintable> {
    let (width, modules) = modules(link)?;
    let side = width + 2 * QUIET;
    let mut content = format!("1 g 0 0 {side} {side} re f 0 g\n");
    for (row, line) in modules.chunks(width).enumerate() {
        for (column, run) in dark_runs(line) {
            let (x, y) = (column + QUIET, side - QUIET - row - 1);
            // Writing to a string cannot fail.
            let _ = writeln!(content, "{x} {y} {run} 1 re");
        }
    }
    content.push('f');
    Ok((side, content))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use super::*;

    #[test]
    fn the_same_link_gives_the_same_runs_inside_the_quiet_zone() {
        let link = "https://verify.example.org/v/K7QF2M9X4TRA81WD30VNC6JP5H";
        let ((side, text), other) = (runs(link).unwrap(), runs(link).unwrap());
        assert_eq!((side, &text), (other.0, &other.1));
        let runs = text.lines().skip(1).filter(|line| line.ends_with("re"));
        for run in runs {
            let numbers: Vec<usize> = run.split(' ').take(3).map(|n| n.parse().unwrap()).collect();
            assert!(numbers[0] >= QUIET && numbers[0] + numbers[2] <= side - QUIET);
            assert!(numbers[1] >= QUIET && numbers[1] < side - QUIET);
        }
    }

    #[test]
    fn a_link_too_long_to_be_read_from_paper_is_refused() {
        assert_eq!(draw(&"x".repeat(400)).err(), Some(Unprintable::TooLong { field: "verify_url" }));
    }
}
