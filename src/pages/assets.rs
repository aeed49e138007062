//! The files that pages are drawn with: named by their content, so that browsers may keep them for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::desk;
use crate::pages::failure::{Failure, failure};
use crate::pages::speech::Speech;

const STYLESHEET: &str = include_str!("assets/vermilion.css");
const SCRIPT: &str = include_str!("assets/live.js");
const CONSOLE_STYLESHEET: &str = include_str!("assets/console.css");
const CONSOLE_SCRIPT: &str = include_str!("assets/console.js");
const MARK: &str = include_str!("assets/mark.svg");

/// The addresses that templates link to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assets;

static STYLESHEET_PATH: LazyLock<String> = LazyLock::new(|| path("vermilion", STYLESHEET, "css"));
static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| path("live", SCRIPT, "js"));
static CONSOLE_STYLESHEET_PATH: LazyLock<String> =
    LazyLock::new(|| path("console", CONSOLE_STYLESHEET, "css"));
static CONSOLE_SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| path("console", CONSOLE_SCRIPT, "js"));
static MARK_PATH: LazyLock<String> = LazyLock::new(|| path("mark", MARK, "svg"));

impl Assets {
    pub(crate) fn stylesheet(&self) -> &'static str {
        &STYLESHEET_PATH
    }

    pub(crate) fn script(&self) -> &'static str {
        &SCRIPT_PATH
    }

    pub(crate) fn console_stylesheet(&self) -> &'static str {
        &CONSOLE_STYLESHEET_PATH
    }

    pub(crate) fn console_script(&self) -> &'static str {
        &CONSOLE_SCRIPT_PATH
    }

    pub(crate) fn mark(&self) -> &'static str {
        &MARK_PATH
    }
}

fn path(stem: &str, content: &str, ending: &str) -> String {
    let digest = desk::digest(content.as_bytes()).to_string();
    format!("/assets/{stem}-{}.{ending}", &digest[..16])
}

pub(crate) async fn serve(name: Option<Path<String>>, speech: Speech) -> Response {
    let asked = name.map(|Path(name)| format!("/assets/{name}")).unwrap_or_default();
    let (kind, content) = if asked == *STYLESHEET_PATH {
        ("text/css; charset=utf-8", STYLESHEET)
    } else if asked == *SCRIPT_PATH {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else if asked == *CONSOLE_STYLESHEET_PATH {
        ("text/css; charset=utf-8", CONSOLE_STYLESHEET)
    } else if asked == *CONSOLE_SCRIPT_PATH {
        ("text/javascript; charset=utf-8", CONSOLE_SCRIPT)
    } else if asked == *MARK_PATH {
        ("image/svg+xml", MARK)
    } else {
        return failure(Failure::NotFound, speech);
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // An image opened by itself is a document: it gets no rights either.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::collections::BTreeMap;

    use axum::Router;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn the_stylesheet_is_served_under_its_content_and_kept_for_good() {
        let app = Router::new().route("/assets/{name}", get(serve));
        let ask = |path: String| app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
        let css = ask(Assets.stylesheet().to_owned()).await.unwrap();
        assert_eq!(css.headers()["content-type"], "text/css; charset=utf-8");
        assert_eq!(css.headers()["cache-control"], "public, max-age=31536000, immutable");
        let mark = ask(Assets.mark().to_owned()).await.unwrap();
        assert_eq!(mark.headers()["content-type"], "image/svg+xml");
        let old = ask("/assets/vermilion-0000000000000000.css".to_owned()).await.unwrap();
        assert_eq!(old.status(), StatusCode::NOT_FOUND);
    }

    /// The colours that one block of the stylesheet sets.
    fn colours(block: &str) -> BTreeMap<&str, [f64; 3]> {
        let declarations =
            block.split(';').filter_map(|it| it.trim().trim_start_matches("--").split_once(": #"));
        declarations
            .filter(|(_, hex)| hex.len() == 6)
            .map(|(name, hex)| {
                let channel =
                    |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
                (name, [channel(0), channel(2), channel(4)])
            })
            .collect()
    }

    /// Contrast ratio of two colours (WCAG 2.2, "contrast ratio" and "relative luminance").
    fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
        let luminance = |colour: [f64; 3]| {
            let [r, g, b] =
                colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn every_text_has_the_contrast_of_level_aa_in_light_and_in_dark() {
        let blocks: Vec<_> = STYLESHEET
            .split(":root {")
            .skip(1)
            .map(|rest| colours(rest.split('}').next().unwrap()))
            .collect();
        assert_eq!(blocks.len(), 3, "light, dark, print");
        for (mode, colours) in blocks.iter().enumerate() {
            let check = |ink: &str, ground: &str, least: f64| {
                let ratio = contrast(colours[ink], colours[ground]);
                assert!(ratio >= least, "mode {mode}: {ink} on {ground} has {ratio:.2}");
            };
            for ground in ["paper", "card"] {
                for ink in ["ink", "soft", "vermilion", "jade", "ochre", "slate"] {
                    check(ink, ground, 4.5);
                }
                // Borders of fields (WCAG 2.2, 1.4.11).
                check("edge", ground, 3.0);
            }
            for tone in ["vermilion", "jade", "ochre", "slate"] {
                for ink in ["ink", "soft", tone] {
                    check(ink, &format!("{tone}-wash"), 4.5);
                }
            }
            check("on-button", "button", 4.5);
        }
    }
}
