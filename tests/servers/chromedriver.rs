//! What drives Chromium, which `tests/setup` installs. It ends with the test process, however that ends, and with it end
//! its browsers: they hear from it through pipes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A driver of our own; each of its sessions is a browser.
pub(crate) struct Driver {
    /// Where it answers, without a slash at the end.
    pub(crate) url: String,
    /// Stops the driver and removes its folder when its standard input, which this process holds, is closed.
    _watchdog: Child,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("vermilion-browser").tempdir().unwrap().keep();
        let script = "chromedriver --port=0 2>&1 & pid=$!; cat; kill $pid; wait $pid; \
                      until rm -rf \"$0\" 2>/dev/null; do sleep 0.1; done";
        let mut watchdog = Command::new("/bin/sh")
            .args(["-c", script])
            .arg(&folder)
            // A home without a past: profiles, caches and crash reports go with the folder.
            .envs([("HOME", &folder), ("TMPDIR", &folder), ("FONTCONFIG_FILE", &fonts(&folder))])
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(watchdog.stdout.take().unwrap());
        let mut heard = String::new();
        let port = loop {
            let line = heard.len();
            let more = said.read_line(&mut heard).unwrap();
            assert!(more > 0, "chromedriver does not start: run tests/setup\n{heard}");
            if let Some((_, port)) = heard[line..].trim_end().split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { url: format!("http://127.0.0.1:{port}"), _watchdog: watchdog }
    }
}

/// The machine's faces and our own: Chinese is drawn on a machine that has none.
fn fonts(folder: &Path) -> PathBuf {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("fonts");
    let file = folder.join("fonts.conf");
    let text = format!(
        "<fontconfig><include ignore_missing=\"yes\">/etc/fonts/fonts.conf</include><dir>{}</dir></fontconfig>",
        ours.display()
    );
    fs::write(&file, text).unwrap();
    file
}
