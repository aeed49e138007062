//! What holds for every page, in both languages, on a phone and on a desk, light and dark: axe finds nothing, nothing is
//! refused or thrown, nothing moves while loading, nothing is heavy, nothing is wider than the window. With
//! `VERMILION_PICTURES=folder`, what each looks like is kept there; with `VERMILION_PAGES=console`, only of those whose
//! names begin so.

use std::path::PathBuf;

use crate::browser::driver::Browser;
use crate::browser::holdings::HOLDERS_PAGES;
use crate::browser::office::CONSOLE_PAGES;
use crate::browser::pages::{PAGES, World};

/// A phone and a desk, in CSS pixels.
const WINDOWS: [(u32, u32); 2] = [(360, 740), (1280, 800)];
/// In the dark only colours are other ones: the rules of axe that a scheme is judged by.
const SCHEMES: [(&str, &str); 2] =
    [("light", "{}"), ("dark", "{runOnly: ['color-contrast', 'link-in-text-block']}")];
/// What a page may weigh with all that it is drawn with, in bytes.
const HEAVIEST: u64 = 150_000;

#[test]
fn every_chinese_page_is_fit_for_everybody() {
    judge("zh", 0);
}

#[test]
fn every_english_page_is_fit_for_everybody() {
    judge("en", 1);
}

fn judge(language: &str, heading: usize) {
    let (world, browser, axe) = (World::new(), Browser::start(), axe());
    let pictures = std::env::var_os("VERMILION_PICTURES").map(PathBuf::from);
    let begins = std::env::var("VERMILION_PAGES").unwrap_or_default();
    let mut wrong = Vec::new();
    for (width, height) in WINDOWS {
        browser.resize(width, height);
        let pages = PAGES.iter().chain(HOLDERS_PAGES).chain(CONSOLE_PAGES);
        for page in pages.filter(|page| page.name.starts_with(&begins)) {
            let place = format!("{}-{language}-{width}", page.name);
            browser.prefer("light");
            (page.visit)(&world).make(&browser, language);
            assert_eq!(browser.heading(), page.headings[heading], "{place}");
            wrong.extend(faults(&browser, width).into_iter().map(|fault| format!("{place}: {fault}")));
            browser.script(&axe);
            for (scheme, rules) in SCHEMES {
                browser.prefer(scheme);
                let found = violations(&browser, rules);
                wrong.extend(found.into_iter().map(|fault| format!("{place}-{scheme}: {fault}")));
                if let Some(folder) = &pictures {
                    std::fs::create_dir_all(folder).unwrap();
                    std::fs::write(folder.join(format!("{place}-{scheme}.png")), browser.picture()).unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} faults\n{}", wrong.len(), wrong.join("\n"));
}

/// What the browser itself holds against the page.
fn faults(browser: &Browser, width: u32) -> Vec<String> {
    let address = browser.address();
    // That a page is there to say what failed, the browser calls a failure of the page.
    let expected = |said: &serde_json::Value| {
        said["source"] == "network" && said["message"].as_str().unwrap().starts_with(&address)
    };
    let complaints = browser.complaints().into_iter().filter(|said| !expected(said));
    let mut faults: Vec<_> = complaints.map(|said| format!("the console says {said}")).collect();

    let measured = browser.script(MEASURE);
    let weight = measured["weight"].as_u64().unwrap();
    if !(1..HEAVIEST).contains(&weight) {
        faults.push(format!("weighs {weight} bytes"));
    }
    if measured["shifts"] != serde_json::json!([]) {
        faults.push(format!("moves while it loads: {}", measured["shifts"]));
    }
    if measured["width"].as_u64().unwrap() > u64::from(width) {
        faults.push(format!("is {} pixels wide", measured["width"]));
    }
    faults
}

/// The bytes of page, styles and pictures as they came over the wire, be it for an earlier page; what moved; how wide it
/// is.
const MEASURE: &str = "
    const loads = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    const weight = loads.reduce((sum, load) => sum + load.encodedBodySize, 0);
    const width = document.scrollingElement.scrollWidth;
    return new Promise(done => {
        const shifts = [];
        const note = list => list.filter(shift => !shift.hadRecentInput).forEach(shift => shifts.push([shift.value,
            ...shift.sources.map(source => source.node?.outerHTML?.slice(0, 80))]));
        const watch = new PerformanceObserver(list => note(list.getEntries()));
        watch.observe({type: 'layout-shift', buffered: true});
        requestAnimationFrame(() => setTimeout(() => { note(watch.takeRecords()); done({weight, width, shifts}); }));
    });";

/// Every element that breaks a rule of axe (<https://dequeuniversity.com/rules/axe/4.12>), and how.
fn violations(browser: &Browser, rules: &str) -> Vec<String> {
    let found = browser.script(&format!(
        "return axe.run(document, {{preload: false, resultTypes: ['violations'], ...{rules}}})
            .then(({{violations}}) => violations.flatMap(({{id, nodes}}) =>
                nodes.map(({{target, failureSummary}}) => `${{id}}: ${{target.join(' ')}}: ${{failureSummary}}`)));"
    ));
    found.as_array().unwrap().iter().map(|it| it.as_str().unwrap().replace('\n', " ")).collect()
}

/// The script of axe-core, which `tests/setup` installs. What it defines stays with the page.
fn axe() -> String {
    let python = std::fs::read_dir(crate::judges::environment().join("lib")).expect("run tests/setup");
    let mut scripts =
        python.map(|python| python.unwrap().path().join("site-packages/axe_playwright_python/axe.min.js"));
    let script = scripts.find(|script| script.exists()).expect("no axe: run tests/setup");
    std::fs::read_to_string(script).unwrap()
}

#[test]
fn a_page_that_is_not_fit_is_found_out() {
    let browser = Browser::start();
    browser.open(
        "data:text/html,<!doctype html><title>bad</title><div style='width:2000px;height:1px'></div><img src='data:,'>\
         <p id=p style='color:%23eee'>text</p><script>throw new Error('thrown')</script>",
    );
    browser.script(
        "const frame = () => new Promise(requestAnimationFrame);
        return frame().then(frame).then(() => { p.style.marginTop = '300px'; }).then(frame);",
    );
    let faults = faults(&browser, 360).join("\n");
    browser.script(&axe());
    let [violations, colours] = SCHEMES.map(|(_, rules)| violations(&browser, rules).join("\n"));
    for fault in ["thrown", "moves", "2008 pixels wide"] {
        assert!(faults.contains(fault), "{fault}: {faults}");
    }
    assert!(violations.contains("image-alt: img") && violations.contains("html-has-lang"), "{violations}");
    assert!(colours.contains("color-contrast: #p") && !colours.contains("image-alt"), "{colours}");
}
