//! The service as a child process, its clients, and nginx as the floor.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::servers::node::{self, Node};

/// A running service that is loaded.
pub(crate) struct Server {
    node: Node,
    /// Its own, where nobody else keeps one.
    _folder: Option<TempDir>,
}

impl Server {
    /// On a fresh data folder, or where these variables say. It logs as it does for people.
    pub(crate) fn start(home: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut command = node::command();
        command.env_remove("RUST_LOG").arg("--data").arg(folder.path().join("data"));
        command.envs(home.iter().map(|(name, value)| (*name, value.as_str())));
        Self { node: Node::start(command, &mut None), _folder: Some(folder) }
    }

    /// Where a settings file says, with the key of an earlier life.
    pub(crate) fn serve(settings: &Path, key: &mut Option<String>) -> Self {
        let mut command = node::command();
        command.arg("--config").arg(settings);
        Self { node: Node::start(command, key), _folder: None }
    }

    /// Drains it.
    pub(crate) fn stop(self) {
        self.node.stop();
    }

    pub(crate) fn address(&self) -> String {
        self.node.url.clone()
    }

    /// What may do everything there.
    pub(crate) fn key(&self) -> String {
        self.node.key.clone()
    }

    pub(crate) fn client(&self) -> Client {
        Client {
            agent: ureq::Agent::new_with_defaults(),
            url: self.node.url.clone(),
            key: self.node.key.clone(),
        }
    }

    /// Loads NDJSON and gives the ids of what was created.
    pub(crate) fn import(&self, body: &str) -> Vec<String> {
        let answer = ureq::post(format!("{}/api/v1/admin/certificates/batch", self.node.url))
            .header("Authorization", self.node.key.clone())
            .header("Content-Type", "application/x-ndjson")
            .send(body)
            .unwrap();
        let results = BufReader::new(answer.into_body().into_reader()).lines();
        results
            .map(|line| {
                let result: Value = serde_json::from_str(&line.unwrap()).unwrap();
                result["certificate_id"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned()
            })
            .collect()
    }

    /// How long one order takes until its copy is ready.
    pub(crate) fn order_and_wait(&self, certificate: &str) -> Duration {
        let client = self.client();
        let begun = Instant::now();
        let ordered = client.post(certificate);
        let id = ordered["id"].as_str().unwrap();
        loop {
            let annotation = client.get(&format!("/api/v1/admin/annotations/{id}"));
            match annotation["state"].as_str().unwrap() {
                "ready" => return begun.elapsed(),
                "queued" | "sealing" => std::thread::sleep(Duration::from_millis(1)),
                other => panic!("the order ended as {other}"),
            }
        }
    }

    /// Orders a copy of each certificate, sixteen callers at once; gives the codes and how long accepting took.
    pub(crate) fn order_all(&self, certificates: &[String]) -> (Vec<String>, Duration) {
        let next = AtomicUsize::new(0);
        let codes = Mutex::new(Vec::with_capacity(certificates.len()));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let client = self.client();
                    while let Some(id) = certificates.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let code = client.order(id);
                        codes.lock().unwrap().push(code);
                    }
                });
            }
        });
        (codes.into_inner().unwrap(), begun.elapsed())
    }

    pub(crate) fn wait_until_idle(&self) {
        let client = self.client();
        while client.get("/api/v1/admin/queue")["depth"] != 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn resident_mib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.node.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }
}

/// One caller with its connection.
pub(crate) struct Client {
    agent: ureq::Agent,
    url: String,
    key: String,
}

impl Client {
    fn post(&self, certificate: &str) -> Value {
        let body = json!({ "scenario": "self_use", "days": 90, "recipient": "示例建设集团有限公司", "on_behalf_reason": "bench" });
        self.agent
            .post(format!("{}/api/v1/admin/certificates/{certificate}/annotations", self.url))
            .header("Authorization", &self.key)
            .send_json(body)
            .unwrap()
            .into_body()
            .read_json()
            .unwrap()
    }

    /// Orders and gives the code.
    pub(crate) fn order(&self, certificate: &str) -> String {
        self.post(certificate)["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.agent.get(format!("{}{path}", self.url)).header("Authorization", &self.key).call();
        answer.unwrap().into_body().read_json().unwrap()
    }
}

/// A certificate record that nobody has: area code 00.
pub(crate) fn certificate(n: usize) -> String {
    let born = chrono::NaiveDate::from_ymd_opt(1960, 1, 1).unwrap() + chrono::Days::new((n % 12_000) as u64);
    let seventeen = format!("110000{}{:03}", born.format("%Y%m%d"), n / 12_000 % 1000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 =
        seventeen.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = char::from(b"10X98765432"[(sum % 11) as usize]);
    let name: String =
        (0..3).map(|i| char::from_u32(0x4e00 + ((n * 31 + i * 7919) % 6000) as u32).unwrap()).collect();
    json!({
        "type": "planner-qualification", "management_no": format!("2024092211{n:08}"),
        "title": "注册城乡规划师职业资格证书", "level": null, "specialty": "城乡规划",
        "holder": { "name": name, "id_type": "111", "id_number": format!("{seventeen}{check}") },
        "issuer": { "name": "示例省人事考试中心", "uscc": "123700007000000372" },
        "approved_on": "2024-09-22", "issued_on": "2024-11-01", "valid_until": null,
    })
    .to_string()
}

/// Requests per second of wrk, with one thread and 16 connections: over the codes in turn, or over one page.
pub(crate) fn wrk(url: &str, codes: Option<&[String]>, seconds: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c16", &format!("-d{seconds}s")]);
    match codes {
        None => drop(command.arg(url)),
        Some(codes) => {
            let script = folder.path().join("codes.lua");
            let list = codes.iter().map(|code| format!("\"{code}\"")).collect::<Vec<_>>().join(",\n");
            let text = format!(
                "local codes = {{{list}}}\nlocal n = 0\nrequest = function()\n  n = n % #codes + 1\n  \
                 return wrk.format(\"GET\", \"/api/v1/verify/\" .. codes[(n * 7919) % #codes + 1])\nend\n"
            );
            fs::write(&script, text).unwrap();
            command.arg("-s").arg(script).arg(url);
        }
    }
    let output = command.output().expect("wrk is missing: run tests/setup");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("Non-2xx"), "{text}");
    let line =
        text.lines().find(|line| line.starts_with("Requests/sec:")).unwrap_or_else(|| panic!("{text}"));
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The floor of an HTTP endpoint: nginx with two workers serving a static page of 2 KB.
pub(crate) fn nginx(seconds: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display().to_string();
    fs::create_dir(folder.path().join("html")).unwrap();
    fs::write(folder.path().join("html/v.html"), vec![b'x'; 2048]).unwrap();
    // Its workers drop their rights and must still read the page.
    Command::new("chmod").args(["-R", "a+rX", &root]).status().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "worker_processes 2; daemon off; pid {root}/pid; error_log {root}/error;\nevents {{ worker_connections 1024; }}\n\
         http {{ access_log off; sendfile on; keepalive_requests 1000000; open_file_cache max=100; default_type text/html;\n\
         client_body_temp_path {root}/1; proxy_temp_path {root}/2; fastcgi_temp_path {root}/3; uwsgi_temp_path {root}/4;\n\
         scgi_temp_path {root}/5; server {{ listen 127.0.0.1:{port}; root {root}/html; }} }}\n"
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, settings).unwrap();
    let mut child = Command::new("nginx")
        .arg("-c")
        .arg(&file)
        .arg("-p")
        .arg(&root)
        .spawn()
        .expect("nginx is missing: run tests/setup");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let rate = wrk(&format!("http://127.0.0.1:{port}/v.html"), None, seconds);
    // SIGTERM, so that the workers go too.
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    child.wait().unwrap();
    rate
}

/// The middle of some values.
pub(crate) fn median(values: &mut [Duration]) -> Duration {
    values.sort_unstable();
    values[values.len() / 2]
}
