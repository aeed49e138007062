//! `vermilion regimes`: files are judged with everything that is wrong, and regimes are shown.

use crate::command::run;

/// A regime of one type and two stages, which is all that a regime needs.
const GUARDS: &str = r#"
id = "guard"
name = "注册消防员"
warning_days = 30

[[classes]]
id = "guard"
name = "消防员"
specialties = ["general"]
types = ["initial"]

[classes.certificate]
kind = "guard-registration"
title = "消防员注册证书"
issuer = "示例消防协会"
uscc = "52990000MJ0000001W"
years = 1

[chains.short]
approved = "办结"
rejected = "不予注册"
stages = [
    { id = "fill", name = "个人填报", actor = "person", acts = { submit = "review" } },
    { id = "review", name = "协会审核", actor = "association", days = 10, acts = { approve = "approved", reject = "rejected" } },
]

[[types]]
id = "initial"
name = "初始注册"
chain = "short"
conditions = ["first_registration"]
effect = "grant"
"#;

#[test]
fn regime_files_are_judged_each_with_everything_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let sound = write("sound.toml", GUARDS);
    let judged = run(&["regimes", "check", &sound]);
    assert_eq!((judged.code, judged.stdout.trim()), (0, format!("{sound}: ok").as_str()));

    let broken = GUARDS
        .replace("approve = \"approved\", ", "")
        .replace("name = \"协会审核\", ", "")
        .replace("years = 1", "years = 0")
        .replace("\"first_registration\"", "\"first_love\"");
    let broken = write("broken.toml", &broken);
    let judged = run(&["regimes", "check", &broken, &sound]);
    assert_eq!(judged.code, 1, "{judged:?}");
    for reason in [
        format!("{broken}: chains.short.stages.review.name: missing"),
        format!("{broken}: types.initial.conditions: there is no condition `first_love`"),
        format!("{sound}: ok"),
    ] {
        assert!(judged.stdout.contains(&reason), "{reason}\nis not told:\n{}", judged.stdout);
    }

    let lost = run(&["regimes", "check", "no-such-regime.toml"]);
    assert_eq!(lost.code, 2, "{lost:?}");
    assert!(lost.stderr.contains("no-such-regime.toml"), "{lost:?}");

    let shown = run(&["regimes", "show", &sound]);
    assert!(shown.code == 0 && shown.stdout.contains("协会审核"), "a file can be shown: {shown:?}");
}

#[test]
fn every_bundled_regime_is_shown_as_a_table_and_as_a_picture() {
    for (name, stages) in [
        ("planner", ["个人填报", "单位确认", "省级确认", "协会一审", "协会二审", "证书寄出"].as_slice()),
        ("constructor", &["个人提交", "企业确认", "省级审核", "部级审核", "办结"]),
        ("architect", &["个人上报", "企业上报", "主管部门受理", "审核", "审批通过"]),
        ("engineer", &["个人上报", "企业上报", "主管部门受理", "省级初审", "部级审核"]),
        ("guangdong", &["个人申请", "企业核验上报", "注册管理部门审查", "批准"]),
    ] {
        let table = run(&["regimes", "show", name]);
        let picture = run(&["regimes", "show", name, "--svg"]);
        assert_eq!((table.code, picture.code), (0, 0), "{table:?} {picture:?}");
        assert!(picture.stdout.starts_with("<svg ") && picture.stdout.trim_end().ends_with("</svg>"));
        for stage in stages {
            assert!(table.stdout.contains(stage), "{stage}: {}", table.stdout);
            assert!(picture.stdout.contains(stage), "{stage} is not drawn");
        }
        assert!(table.stdout.contains("photo_and_signature"), "conditions are named");
    }
    let unknown = run(&["regimes", "show", "astronaut"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("planner"), "the ones that there are, are named: {unknown:?}");
}
