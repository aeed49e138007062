//! Configuration: every mistake is reported at once, with the setting's name; production refuses what is development's.

use tempfile::TempDir;

use crate::command::{ran, vermilion};

#[test]
fn production_with_the_settings_of_development_is_refused_and_all_that_is_wrong_is_said() {
    let folder = TempDir::new().unwrap();
    let mut command = vermilion(&["serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(folder.path().join("data"));
    command.env("VERMILION_PROFILE", "production").env("VERMILION_PUBLIC_URL", "http://vermilion.example");
    for (setting, value) in [("HOST", "mail.example.org"), ("FROM", "a@example.org"), ("TLS", "none")] {
        command.env(format!("VERMILION_SMTP__{setting}"), value);
    }
    let refused = ran(command.output().unwrap());
    assert_ne!(refused.code, 0, "{refused:?}");
    let said = refused.said().to_lowercase();
    for setting in ["public_url", "seal", "master_key", "smtp.tls"] {
        assert!(said.contains(setting), "{setting} is not complained of:\n{said}");
    }
    assert!(!folder.path().join("data").exists(), "nothing was begun");
}

#[test]
fn every_wrong_setting_of_a_file_is_named_at_once() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("vermilion.toml");
    std::fs::write(&file, "profile = \"staging\"\npublic_url = 7\nno_such_setting = true\n").unwrap();
    let mut command = vermilion(&["check", "--config", file.to_str().unwrap()]);
    command.env_remove("VERMILION_PROFILE");
    let refused = ran(command.output().unwrap());
    assert_ne!(refused.code, 0, "{refused:?}");
    for setting in ["profile", "public_url", "no_such_setting"] {
        assert!(refused.said().contains(setting), "{setting} is not named: {refused:?}");
    }
}

#[test]
fn a_variable_that_is_no_setting_is_named() {
    let mut command = vermilion(&["check"]);
    command.env("VERMILION_PUBLIK_URL", "https://vermilion.example");
    let refused = ran(command.output().unwrap());
    assert_ne!(refused.code, 0);
    assert!(refused.said().contains("publik_url"), "{refused:?}");
}

#[test]
fn a_command_that_does_not_exist_is_refused_with_the_ones_that_do() {
    let refused = crate::command::run(&["srve"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("serve"), "{refused:?}");
    let help = crate::command::run(&["--help"]);
    assert_eq!(help.code, 0);
    for command in ["demo", "serve", "import", "verify", "keys", "admin", "check", "backup", "restore"] {
        assert!(help.stdout.contains(command), "{command} is not in the help");
    }
}
