//! A Chromium of one's own, spoken to as W3C WebDriver says (<https://www.w3.org/TR/webdriver2/>). By hand: what the tests
//! need of it is a dozen calls, while fantoccini and thirtyfour bring a second HTTP client and an async runtime.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::call::AGENT;
use crate::servers::chromedriver::Driver;
use crate::service::until;

/// Keys that have no letter (WebDriver, "normalised key value").
pub(crate) const TAB: &str = "\u{E004}";
pub(crate) const ENTER: &str = "\u{E007}";
pub(crate) const SPACE: &str = " ";

/// As any CI runs it, as root too; nothing is asked of anybody but the page's own server.
const ARGUMENTS: [&str; 13] = [
    "--remote-debugging-pipe",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    // What moves cannot be clicked.
    "--force-prefers-reduced-motion",
];

static DRIVER: LazyLock<Driver> = LazyLock::new(Driver::start);

/// A browser with a new profile, Chinese, 1280 pixels wide. It ends on drop.
pub(crate) struct Browser {
    session: String,
    downloads: TempDir,
}

/// Something on a page.
pub(crate) struct Element<'a> {
    browser: &'a Browser,
    path: String,
}

impl Browser {
    pub(crate) fn start() -> Self {
        Self::start_with(&json!({}))
    }

    /// Pages' scripts do not run.
    pub(crate) fn without_scripts() -> Self {
        Self::start_with(&json!({"profile.managed_default_content_settings.javascript": 2}))
    }

    fn start_with(more: &Value) -> Self {
        let downloads = TempDir::new().unwrap();
        let mut preferences = json!({
            "intl.accept_languages": "zh-CN,zh",
            "download.default_directory": downloads.path(),
            "plugins.always_open_pdf_externally": true,
        });
        preferences.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let wanted = json!({
            "goog:chromeOptions": {"args": ARGUMENTS, "prefs": preferences},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let sessions = format!("{}/session", DRIVER.url);
        let made = call("POST", &sessions, &json!({"capabilities": {"alwaysMatch": wanted}})).unwrap();
        let session = format!("{sessions}/{}", made["sessionId"].as_str().unwrap());
        let browser = Self { session, downloads };
        browser.resize(1280, 800);
        browser
    }

    fn get(&self, path: &str) -> Value {
        call("GET", &format!("{}/{path}", self.session), &Value::Null).unwrap()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        call("POST", &format!("{}/{path}", self.session), body).unwrap()
    }

    /// A command of the Chrome DevTools Protocol.
    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    // ---- the window -------------------------------------------------------------------------------------------------

    /// Opens an address and waits until it is loaded.
    pub(crate) fn open(&self, address: &str) {
        self.post("url", &json!({"url": address}));
    }

    /// Does what leads to another page, and waits until that is loaded. The driver itself waits only for what begins at
    /// once, while a form with a file is sent when the file was read.
    pub(crate) fn leave(&self, act: impl FnOnce()) {
        self.script("document.left = true");
        act();
        let arrived =
            json!({"script": "return !document.left && document.readyState == 'complete'", "args": []});
        // Between two pages there is nothing to ask.
        let ask = || call("POST", &format!("{}/execute/sync", self.session), &arrived);
        until(|| (ask() == Ok(json!(true))).then_some(())).expect("no other page came");
    }

    /// Goes back, as the button beside the address does.
    pub(crate) fn back(&self) {
        self.post("back", &json!({}));
    }

    /// Waits until the page's heading says this, however often it is loaded anew meanwhile; nobody touches it.
    pub(crate) fn watch_for(&self, heading: &str) {
        let asked = json!({"script": "return document.querySelector('h1')?.innerText.trim()", "args": []});
        // Between two pages there is nothing to ask.
        let says = || call("POST", &format!("{}/execute/sync", self.session), &asked);
        until(|| (says() == Ok(json!(heading))).then_some(()))
            .unwrap_or_else(|| panic!("it never says {heading}: {}", self.find("main").text()));
    }

    pub(crate) fn address(&self) -> String {
        self.get("url").as_str().unwrap().to_owned()
    }

    /// Gives the page so many CSS pixels: a window could not be as narrow as a phone.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Prefers `light` or `dark`.
    pub(crate) fn prefer(&self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
    }

    /// Gives the browser a cookie, as a server at the address would.
    pub(crate) fn set_cookie(&self, address: &str, name: &str, value: &str) {
        let secure = name.starts_with("__Host-");
        let cookie = json!({"url": address, "name": name, "value": value, "path": "/", "secure": secure});
        assert_eq!(self.devtools("Network.setCookie", &cookie)["success"], true, "{cookie}");
    }

    /// Has no cookies any more.
    pub(crate) fn forget_cookies(&self) {
        self.devtools("Network.clearBrowserCookies", &json!({}));
    }

    /// The cookies that the page is sent with, each as WebDriver describes it.
    pub(crate) fn cookies(&self) -> Vec<Value> {
        self.get("cookie").as_array().unwrap().clone()
    }

    /// What the page's console says since it was last asked: refusals by the page's policy too.
    pub(crate) fn complaints(&self) -> Vec<Value> {
        let mut said = self.post("se/log", &json!({"type": "browser"})).as_array().unwrap().clone();
        // That a new password comes with the account's name is asked for in vain: that is an identity number, and masked.
        said.retain(|said| said["source"] != "recommendation");
        said
    }

    /// The result of a function's body; what it promises is waited for.
    pub(crate) fn script(&self, body: &str) -> Value {
        self.post("execute/sync", &json!({"script": body, "args": []}))
    }

    /// The whole page, beneath the fold too, as PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let page = self.devtools("Page.getLayoutMetrics", &json!({}))["cssContentSize"].clone();
        let clip = json!({"x": 0, "y": 0, "width": page["width"], "height": page["height"], "scale": 1});
        let how = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let taken = self.devtools("Page.captureScreenshot", &how);
        crate::records::from_base64(taken["data"].as_str().unwrap())
    }

    /// The one file that was downloaded, once it is whole; it is taken away.
    pub(crate) fn downloaded(&self) -> Vec<u8> {
        // Until it is whole, its name ends so, and before it has a name, it is hidden. The name that it shall have is
        // kept free by an empty file, over which the whole one is moved.
        let whole = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            let named = !name.ends_with(".crdownload") && !name.starts_with('.');
            named && path.metadata().is_ok_and(|file| file.len() > 0)
        };
        let file = until(|| {
            let mut files = fs::read_dir(&self.downloads).unwrap().map(|entry| entry.unwrap().path());
            files.find(whole)
        });
        let file = file.expect("nothing was downloaded");
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(file).unwrap();
        bytes
    }

    // ---- what is on the page ----------------------------------------------------------------------------------------

    /// The first of a CSS selector.
    pub(crate) fn find(&self, selector: &str) -> Element<'_> {
        self.locate("css selector", selector)
    }

    /// The field whose label says this.
    pub(crate) fn field(&self, label: &str) -> Element<'_> {
        self.locate("xpath", &format!("//*[@id = //label[normalize-space() = '{label}']/@for] | //label[normalize-space() = '{label}']//input"))
    }

    /// The button, link or summary that says this.
    pub(crate) fn control(&self, words: &str) -> Element<'_> {
        self.locate(
            "xpath",
            &format!("//*[self::button or self::a or self::summary][normalize-space() = '{words}']"),
        )
    }

    /// What has the keyboard.
    pub(crate) fn focused(&self) -> Element<'_> {
        self.element(&self.get("element/active"))
    }

    fn locate(&self, how: &str, what: &str) -> Element<'_> {
        let body = json!({"using": how, "value": what});
        let found = call("POST", &format!("{}/element", self.session), &body);
        self.element(&found.unwrap_or_else(|_| panic!("{what} is not on {}", self.address())))
    }

    fn element(&self, found: &Value) -> Element<'_> {
        let id = found.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        Element { browser: self, path: format!("element/{id}") }
    }

    /// The words of the page's first heading.
    pub(crate) fn heading(&self) -> String {
        self.find("h1, h2, h3, h4, h5, h6").text()
    }

    /// Goes on to what a CSS selector says by the key Tab; wherever the keyboard is on the way is seen.
    pub(crate) fn tab_to(&self, selector: &str) {
        for _ in 0..40 {
            self.press(TAB);
            let outline = "return getComputedStyle(document.activeElement).outlineStyle";
            assert_ne!(self.script(outline), "none", "{}", self.focused().property("outerHTML"));
            if self.script(&format!("return document.activeElement.matches(`{selector}`)")) == true {
                return;
            }
        }
        panic!("no key leads to {selector} on {}", self.address());
    }

    /// Presses keys, one after another, wherever the keyboard is.
    pub(crate) fn press(&self, keys: &str) {
        let strokes: Vec<_> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.post("actions", &json!({"actions": [keyboard]}));
    }
}

impl Element<'_> {
    /// Scrolls there and clicks.
    pub(crate) fn click(&self) {
        self.browser.post(&format!("{}/click", self.path), &json!({}));
    }

    /// Clicks twice, as fast as can be.
    pub(crate) fn double_click(&self) {
        let (_, id) = self.path.split_once('/').unwrap();
        // The name by which WebDriver knows an element ("web element identifier").
        let origin = json!({"element-6066-11e4-a52e-4f735466cecf": id});
        let mut acts = vec![json!({"type": "pointerMove", "duration": 0, "origin": origin, "x": 0, "y": 0})];
        for kind in ["pointerDown", "pointerUp", "pointerDown", "pointerUp"] {
            acts.push(json!({"type": kind, "button": 0}));
        }
        let mouse = json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": acts});
        self.browser.post("actions", &json!({"actions": [mouse]}));
    }

    /// Clicks, and waits for the page that this leads to.
    pub(crate) fn follow(&self) {
        self.browser.leave(|| self.click());
    }

    /// Types into it; into a field for files, their paths.
    pub(crate) fn fill(&self, text: &str) {
        self.browser.post(&format!("{}/value", self.path), &json!({"text": text}));
    }

    /// Empties a field.
    pub(crate) fn clear(&self) {
        self.browser.post(&format!("{}/clear", self.path), &json!({}));
    }

    /// The text that is seen.
    pub(crate) fn text(&self) -> String {
        self.browser.get(&format!("{}/text", self.path)).as_str().unwrap().to_owned()
    }

    /// A property, as the page's scripts would read it.
    pub(crate) fn property(&self, name: &str) -> Value {
        self.browser.get(&format!("{}/property/{name}", self.path))
    }

    /// Where it is in the page: `x`, `y`, `width` and `height`.
    pub(crate) fn place(&self) -> Value {
        self.browser.get(&format!("{}/rect", self.path))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = call("DELETE", &self.session, &Value::Null);
    }
}

/// What the driver answers; `Err` says why it did not do it.
fn call(method: &str, url: &str, body: &Value) -> Result<Value, String> {
    let request = ureq::http::Request::builder().method(method).uri(url);
    let answer = match body {
        Value::Null => AGENT.run(request.body(()).unwrap()),
        body => AGENT.run(request.body(body.to_string()).unwrap()),
    };
    let mut answer = answer.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let mut said: Value = answer.body_mut().with_config().limit(64 << 20).read_json().unwrap();
    let value = said["value"].take();
    if answer.status() == 200 { Ok(value) } else { Err(value["message"].as_str().unwrap().to_owned()) }
}
