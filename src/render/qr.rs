//! The verification link as a QR code (ISO/IEC 18004), level M, as a PDF form of black runs on white.

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

fn runs(link: &str) -> Result<(usize, String), Unprintable> {
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
    let side = width + 2 * QUIET;
    let mut content = format!("1 g 0 0 {side} {side} re f 0 g\n");
    for (row, line) in modules.chunks(width).enumerate() {
        let mut column = 0;
        while column < width {
            let run = line[column..].iter().take_while(|module| **module == Color::Dark).count();
            if run > 0 {
                let (x, y) = (column + QUIET, side - QUIET - row - 1);
                // Writing to a string cannot fail.
                let _ = writeln!(content, "{x} {y} {run} 1 re");
            }
            column += run.max(1);
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
