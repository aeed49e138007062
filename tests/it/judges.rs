//! Foreign tools that judge a sealed file, each with its own verdict. No single one is enough: pdfsig calls a file with
//! an appended revision valid, openssl overlooks a wrongly labelled algorithm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The development root, by which every judge trusts.
pub(crate) fn development_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("keys-dev/root.crt.pem")
}

/// A file before its judges.
pub(crate) struct Exhibit {
    folder: TempDir,
    file: PathBuf,
    bytes: Vec<u8>,
    roots: PathBuf,
}

/// What `pdfsig` says (poppler, NSS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pdfsig {
    /// How many signatures there are.
    pub(crate) signatures: usize,
    /// Signature and digest fit.
    pub(crate) valid: bool,
    /// The chain ends at our root.
    pub(crate) trusted: bool,
    /// Nothing follows what was signed.
    pub(crate) total: bool,
}

/// What `openssl cms -verify -cades` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cades {
    /// Signature, chain and signing-certificate fit.
    pub(crate) valid: bool,
    /// The range covers all but the hole.
    pub(crate) total: bool,
}

impl Exhibit {
    /// A file to be judged by the development root.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self::judged_by(bytes, &development_root())
    }

    /// A file to be judged by these roots (PEM).
    pub(crate) fn judged_by(bytes: &[u8], roots: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("file.pdf");
        fs::write(&file, bytes).unwrap();
        Self { folder, file, bytes: bytes.to_vec(), roots: roots.to_owned() }
    }

    /// Every judge accepts the file: one valid, trusted signature over all of it, and a sound structure.
    pub(crate) fn assert_accepted(&self) {
        let pdfsig = Pdfsig { signatures: 1, valid: true, trusted: true, total: true };
        assert_eq!(self.pdfsig(), pdfsig);
        assert_eq!(self.cades(), Cades { valid: true, total: true });
        assert_eq!(self.pyhanko(), Ok(()));
        assert!(self.unchanged_by_mutool());
        assert_eq!(self.qpdf(), Ok(()));
    }

    /// At least one judge of the signature refuses the file.
    pub(crate) fn is_rejected(&self) -> bool {
        let accepted = Pdfsig { signatures: 1, valid: true, trusted: true, total: true };
        let whole = Cades { valid: true, total: true };
        self.pdfsig() != accepted || self.cades() != whole || self.pyhanko().is_err()
    }

    /// `pdfsig`, with an NSS database that holds nothing but our roots.
    pub(crate) fn pdfsig(&self) -> Pdfsig {
        let nss = self.folder.path().join("nss");
        if !nss.exists() {
            fs::create_dir(&nss).unwrap();
            let database = format!("sql:{}", nss.display());
            succeed("certutil", &["-N", "-d", &database, "--empty-password"]);
            let roots = text(&self.roots);
            succeed("certutil", &["-A", "-d", &database, "-n", "root", "-t", "C,C,C", "-i", roots]);
        }
        let said = said(&run("pdfsig", &["-nssdir", text(&nss), text(&self.file)]));
        Pdfsig {
            signatures: said.matches("\nSignature #").count(),
            valid: said.contains("Signature Validation: Signature is Valid."),
            trusted: said.contains("Certificate Validation: Certificate is Trusted."),
            total: said.contains("Total document signed"),
        }
    }

    /// `openssl cms`, on the CMS and the bytes that its own reading of ByteRange gives.
    pub(crate) fn cades(&self) -> Cades {
        let Some(Range { cms, signed, total }) = range(&self.bytes) else {
            return Cades { valid: false, total: false };
        };
        let (cms_file, signed_file) =
            (self.folder.path().join("cms.der"), self.folder.path().join("signed.bin"));
        fs::write(&cms_file, cms).unwrap();
        fs::write(&signed_file, signed).unwrap();
        let output = run(
            "openssl",
            &[
                "cms",
                "-verify",
                "-cades",
                "-binary",
                "-inform",
                "DER",
                "-in",
                text(&cms_file),
                "-content",
                text(&signed_file),
                "-CAfile",
                text(&self.roots),
                "-purpose",
                "any",
                "-out",
                "/dev/null",
            ],
        );
        Cades { valid: output.status.success(), total }
    }

    /// `pyhanko sign validate`, with its analysis of later revisions; what it says where it says no.
    pub(crate) fn pyhanko(&self) -> Result<(), String> {
        let pyhanko = environment().join("bin/pyhanko");
        let output = run(
            text(&pyhanko),
            &[
                "sign",
                "validate",
                "--executive-summary",
                "--no-revocation-check",
                "--trust-replace",
                "--trust",
                text(&self.roots),
                text(&self.file),
            ],
        );
        let verdict = String::from_utf8_lossy(&output.stdout);
        let valid = output.status.success() && verdict.trim_end().ends_with(":VALID");
        if valid { Ok(()) } else { Err(said(&output)) }
    }

    /// `mutool sign -v`: the digest fits and nothing was edited. It cannot be given a root.
    pub(crate) fn unchanged_by_mutool(&self) -> bool {
        let said = said(&run("mutool", &["sign", "-v", text(&self.file)]));
        said.contains("The document is unchanged since signing.")
    }

    /// `qpdf --check`: no error, no warning; what it says where it has one.
    pub(crate) fn qpdf(&self) -> Result<(), String> {
        let output = run("qpdf", &["--check", text(&self.file)]);
        let said = said(&output);
        if output.status.success() && !said.contains("WARNING") { Ok(()) } else { Err(said) }
    }

    /// What `pdftotext -layout` reads, white space apart: each value stands in it as it was given.
    pub(crate) fn text(&self) -> String {
        let output = run("pdftotext", &["-layout", text(&self.file), "-"]);
        assert!(output.status.success(), "{}", said(&output));
        dense(&String::from_utf8(output.stdout).unwrap())
    }

    /// What `zbarimg` reads off the page at 100 dots per inch.
    pub(crate) fn qr_codes(&self) -> Vec<String> {
        let page = self.folder.path().join("page");
        succeed("pdftoppm", &["-r", "100", "-png", text(&self.file), text(&page)]);
        let mut pages: Vec<_> =
            fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        pages.retain(|path| path.extension().is_some_and(|extension| extension == "png"));
        pages.sort();
        let read = |path: &PathBuf| {
            let output = run("zbarimg", &["--quiet", "--raw", text(path)]);
            String::from_utf8(output.stdout).unwrap()
        };
        pages.iter().map(read).collect::<String>().lines().map(str::to_owned).collect()
    }
}

/// What `zbarimg` reads off a picture (PNG).
pub(crate) fn codes_in_picture(png: &[u8]) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("picture.png");
    fs::write(&file, png).unwrap();
    let read = run("zbarimg", &["--quiet", "--raw", text(&file)]);
    String::from_utf8(read.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The code of a second factor as Python's standard library reckons it (RFC 6238).
pub(crate) fn totp(secret: &str, moment: i64) -> String {
    const RECKON: &str = "import base64, hmac, struct, sys\n\
        secret, moment = sys.argv[1], int(sys.argv[2])\n\
        key = base64.b32decode(secret + '=' * (-len(secret) % 8))\n\
        mac = hmac.digest(key, struct.pack('>Q', moment // 30), 'sha1')\n\
        at = mac[-1] & 15\n\
        print('%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000))";
    let code = run("python3", &["-c", RECKON, secret, &moment.to_string()]);
    String::from_utf8(code.stdout).unwrap().trim().to_owned()
}

/// A text without its white space.
pub(crate) fn dense(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// What the last signature of a file covers.
struct Range {
    cms: Vec<u8>,
    signed: Vec<u8>,
    total: bool,
}

/// Reads ByteRange and the hole for ourselves; none where they are malformed.
fn range(bytes: &[u8]) -> Option<Range> {
    let key = b"/ByteRange";
    let at = bytes.windows(key.len()).rposition(|window| window == key)? + key.len();
    let open = at + bytes[at..].iter().position(|byte| *byte == b'[')? + 1;
    let close = open + bytes[open..].iter().position(|byte| *byte == b']')?;
    let numbers: Vec<usize> = std::str::from_utf8(&bytes[open..close])
        .ok()?
        .split_whitespace()
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    let [0, first, second, rest] = numbers[..] else { return None };
    let end = second.checked_add(rest)?;
    let hole = bytes.get(first..second)?;
    let hex = hole.strip_prefix(b"<")?.strip_suffix(b">")?;
    let der: Vec<u8> = hex
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect::<Option<_>>()?;
    let mut signed = bytes[..first].to_vec();
    signed.extend(bytes.get(second..end)?);
    Some(Range { cms: first_der(&der)?.to_vec(), signed, total: end == bytes.len() })
}

/// The first DER value (X.690) of the zero-padded hole.
fn first_der(padded: &[u8]) -> Option<&[u8]> {
    let short = usize::from(*padded.get(1)?);
    let (header, length) = match short {
        0..=0x7f => (2, short),
        0x81..=0x84 => {
            let digits = padded.get(2..2 + (short & 0x7f))?;
            (2 + digits.len(), digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)))
        }
        _ => return None,
    };
    padded.get(..header + length)
}

fn digit(hex: u8) -> Option<u8> {
    char::from(hex).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Where `tests/setup` puts what comes from PyPI: beside what cargo builds.
pub(crate) fn environment() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tests-venv")
}

fn run(program: &str, args: &[&str]) -> Output {
    let output = Command::new(program).args(args).env("LANG", "C.UTF-8").stdin(Stdio::null()).output();
    output.unwrap_or_else(|error| panic!("`{program}` is missing ({error}): run tests/setup"))
}

fn succeed(program: &str, args: &[&str]) {
    let output = run(program, args);
    assert!(output.status.success(), "{program}: {}", said(&output));
}

fn said(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part));
    parts.concat().trim_end().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
