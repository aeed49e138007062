//! The bundled regimes are sound; a regime that is not is refused with everything that is wrong, and where.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use super::*;
use crate::registration::regime::book::Book;
use crate::registration::regime::section::Fault;

/// A sound regime, small enough to be broken in one place at a time.
pub(crate) const WELDERS: &str = r#"
id = "welder"
name = "注册焊接技师"
en = "Registered welders"
warning_days = 30
conditions = ["profile_complete"]

[[classes]]
id = "welder"
name = "焊接技师"
specialties = ["电弧焊", "气焊"]
types = ["initial", "renewal", "ending", "rename"]

[classes.certificate]
kind = "welder-registration"
title = "焊接技师注册证书"
issuer = "示例焊接协会"
uscc = "52990000MJ0000001W"
years = 5

[chains.long]
approved = "发证"
rejected = "不予注册"
stages = [
    { id = "bench", name = "个人申请", actor = "person", acts = { submit = "shop" } },
    { id = "shop", name = "车间核验", actor = "unit", days = 3, withdrawal = "free", acts = { confirm = "trial", return = "returned" } },
    { id = "trial", name = "技能复核", actor = "association", days = 10, withdrawal = "consent", acts = { accept = "board", request_correction = "correction" } },
    { id = "board", name = "委员会审定", actor = "ministry", days = 20, acts = { approve = "approved", reject = "rejected", return = "returned" } },
]

[fields]
arc_hours = { label = "施焊小时数", kind = "text" }
shift = { label = "班次", kind = "choice", choices = ["早班", "晚班"] }
from_from = { label = "起", kind = "date" }
from_to = { label = "止", kind = "date" }
plant = { label = "工厂", kind = "uscc" }
forced = { label = "是否强制", kind = "bool" }
right_name = { label = "姓名", kind = "text" }

[attachments]
weld = { label = "试件照片", max_bytes = 1_000_000, media = ["image/png"] }
ruling = { label = "裁决", max_bytes = 1_000_000, media = ["application/pdf"] }

[letters.safety]
version = 3
seconds = 10
clauses = ["本人{name}在{employer}遵守焊接安全规程。"]

[[types]]
id = "initial"
name = "初始注册"
chain = "long"
form = ["arc_hours", "shift", "from_from", "from_to?", "plant?"]
attachments = ["weld"]
letter = "safety"
conditions = ["qualification", "first_registration"]
effect = "grant"

[[types]]
id = "renewal"
name = "延续注册"
chain = "long"
conditions = ["registered", "in_force", { renewal_window = 6 }]
effect = "extend"

[[types]]
id = "ending"
name = "注销"
chain = "long"
form = ["forced"]
attachments = ["ruling?"]
conditions = ["registered", { ruling_if_forced = { field = "forced", attachment = "ruling" } }]
effect = "cancel"

[[types]]
id = "rename"
name = "更名"
chain = "long"
form = ["right_name"]
effect = { correct = { name = "right_name" } }
"#;

#[track_caller]
fn faults(from: &str, to: &str) -> Vec<String> {
    assert!(WELDERS.contains(from), "the text to break is there: {from}");
    let broken = WELDERS.replacen(from, to, 1);
    Regime::read(&broken).unwrap_err().iter().map(Fault::to_string).collect()
}

#[track_caller]
fn refused(from: &str, to: &str, reason: &str) {
    let faults = faults(from, to);
    assert!(
        faults.iter().any(|fault| fault.contains(reason)),
        "{reason}\nis not among:\n{}",
        faults.join("\n")
    );
}

#[test]
fn the_bundled_regimes_are_sound_and_cover_the_matrix() {
    let book = Book::bundled().unwrap_or_else(|unsound| panic!("{unsound}"));
    let names: Vec<_> = book.regimes().map(|regime| regime.id.to_string()).collect();
    assert_eq!(names, ["architect", "constructor", "engineer", "guangdong", "planner"]);
    for (regime, class, types) in [
        ("planner", "planner", "initial change renewal cancellation data_correction conversion"),
        (
            "constructor",
            "constructor",
            "initial renewal add_specialty re_registration cancellation certificate_replacement personal_data_change",
        ),
        ("constructor", "interim", "change renewal cancellation personal_data_change"),
        (
            "architect",
            "architect",
            "initial change renewal re_registration cancellation amendment data_correction",
        ),
        (
            "engineer",
            "engineer",
            "initial change renewal re_registration cancellation amendment data_correction",
        ),
        (
            "guangdong",
            "cost_engineer",
            "enrolment initial change renewal add_specialty re_registration cancellation data_correction",
        ),
    ] {
        let regime = book.regime(&regime.parse().unwrap()).unwrap();
        let class = regime.class(Some(&class.parse().unwrap())).unwrap();
        let has: Vec<_> = class.types.iter().map(TypeId::as_str).collect();
        assert_eq!(has.join(" "), types);
    }
    assert_eq!(book.regime(&"guangdong".parse().unwrap()).unwrap().classes.len(), 4);
}

#[test]
fn a_certificate_leads_back_to_its_regime_and_class() {
    let mut book = Book::bundled().unwrap();
    let (regime, class) = book.of_certificate(&"interim-constructor-registration".parse().unwrap()).unwrap();
    assert_eq!((regime.id.as_str(), class.id.as_str()), ("constructor", "interim"));
    let thief = WELDERS.replace("welder-registration", "planner-registration");
    let unsound = book.add("thief.toml", &thief).unwrap_err();
    assert!(
        unsound.to_string().starts_with("thief.toml: classes: `planner-registration` is the certificate of")
    );
}

#[test]
fn letters_of_architects_and_engineers_have_fifteen_clauses_and_take_a_minute() {
    let book = Book::bundled().unwrap();
    for regime in ["architect", "engineer"] {
        let regime = book.regime(&regime.parse().unwrap()).unwrap();
        for business in &regime.businesses {
            let letter = business.letter.as_ref().unwrap();
            assert_eq!((letter.clauses.len(), letter.seconds), (15, 60));
            let sizes = business.attachments.iter().map(|rule| (rule.min_bytes, rule.max_bytes));
            assert!(sizes.into_iter().all(|size| size == (204_800, 512_000)));
        }
    }
}

#[test]
fn a_small_regime_is_read_as_it_is_written() {
    let regime = Regime::read(WELDERS).unwrap();
    let business = regime.business(&"welder".parse().unwrap(), &"initial".parse().unwrap()).unwrap();
    let required: Vec<_> = business.form.iter().map(|field| (field.name.as_str(), field.required)).collect();
    let expected =
        [("arc_hours", true), ("shift", true), ("from_from", true), ("from_to", false), ("plant", false)];
    assert_eq!(required, expected);
    let conditions: Vec<_> = business.conditions.iter().map(Condition::word).collect();
    assert_eq!(conditions, ["profile_complete", "qualification", "first_registration"]);
    let stage = business.chain.stage(&"trial".parse().unwrap()).unwrap();
    assert_eq!(
        (stage.seat, stage.days, stage.withdrawal),
        (Seat::Association, Some(10), Withdrawal::Consent)
    );
    assert_eq!(stage.acts[&Act::Accept], Target::Stage("board".parse().unwrap()));
}

#[test]
fn the_file_that_explains_regimes_is_a_sound_one() {
    let source = include_str!("../regime.rs");
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines = lines.skip_while(|line| *line != " ```toml").skip(1).take_while(|line| *line != " ```");
    let text = lines.collect::<Vec<_>>().join("\n");
    let regime = Regime::read(&text).unwrap();
    assert_eq!((regime.id.as_str(), regime.businesses.len()), ("guard", 1));
}

#[test]
fn a_chain_that_does_not_hold_together_is_refused() {
    refused(
        "accept = \"board\"",
        "accept = \"moon\"",
        "chains.long.stages.trial.acts.accept: `moon` is no stage",
    );
    refused("confirm = \"trial\"", "confirm = \"board\"", "chains.long.stages.trial: no act leads to it");
    refused("accept = \"board\", ", "", "chains.long.stages.shop: no way from it leads to approval");
    refused("approve = \"approved\", ", "", "chains.long.stages.board: no way from it leads to approval");
    refused(
        "acts = { submit = \"shop\" }",
        "acts = {}",
        "chains.long.stages.bench: nothing can be done there",
    );
    refused("actor = \"ministry\", ", "", "chains.long.stages.board.actor: missing");
    refused("actor = \"ministry\"", "actor = \"guild\"", "`guild` is not one of person, unit");
    refused(
        "actor = \"person\"",
        "actor = \"unit\"",
        "chains.long.stages.bench: the first stage is the person's",
    );
    refused("actor = \"ministry\"", "actor = \"person\"", "a person acts at the first stage only");
    refused("id = \"board\"", "id = \"trial\"", "chains.long.stages: `trial` is there more than once");
    refused("confirm = \"trial\"", "approve = \"trial\"", "`unit` does not do this here");
    refused("reject = \"rejected\"", "reject = \"approved\"", "acts.reject: it cannot lead there");
    refused(
        "return = \"returned\" } },\n    { id = \"trial\"",
        "withdraw = \"returned\" } },\n    { id = \"trial\"",
        "it is no act of a stage",
    );
    refused("confirm = \"trial\"", "juggle = \"trial\"", "acts.juggle: there is no such act");
    refused("confirm = \"trial\"", "confirm = \"bench\"", "`bench` is no stage to lead to");
    refused("days = 20", "days = 0", "chains.long.stages.board.days: 1 to 250 working days are wanted");
    refused("withdrawal = \"free\"", "withdrawal = \"maybe\"", "`maybe` is not free, consent or none");
    refused("actor = \"unit\"", "actor = \"province\"", "nobody could consent");
}

#[test]
fn a_text_that_is_missing_is_refused() {
    refused("name = \"注册焊接技师\"", "name = \"\"", "name: `` is not a line of 1 to 60 characters");
    refused("name = \"车间核验\", ", "", "chains.long.stages.shop.name: missing");
    refused("label = \"班次\", ", "", "fields.shift.label: missing");
    refused("approved = \"发证\"\n", "", "chains.long.approved: missing");
    refused("title = \"焊接技师注册证书\"\n", "", "classes.welder.certificate.title: missing");
    refused("clauses = [\"本人{name}", "clauses = [\"本人{shoe_size}", "letters.safety.clauses:");
    refused(
        "clauses = [\"本人{name}在{employer}遵守焊接安全规程。\"]",
        "clauses = []",
        "at least one is wanted",
    );
}

#[test]
fn what_is_named_has_to_be_there_and_what_is_there_has_to_be_named() {
    refused(
        "chain = \"long\"",
        "chain = \"short\"",
        "types.initial.chain: there is no `short` among the chains",
    );
    refused(
        "\"arc_hours\", ",
        "\"arc_days\", ",
        "types.initial.form: there is no `arc_days` among the fields",
    );
    refused("attachments = [\"weld\"]", "attachments = []", "attachments.weld: no type names it");
    refused("letter = \"safety\"", "letter = \"peace\"", "there is no `peace` among the letters");
    refused("\"ending\", ", "\"beginning\", ", "there is no business type `beginning` for this class");
    refused("\"ending\", ", "", "types.ending: no class has it");
    refused("\"qualification\", \"first", "\"full_moon\", \"first", "there is no condition `full_moon`");
    refused(
        "conditions = [\"profile_complete\"]",
        "conditions = [\"qualification\"]",
        "`qualification` is there more than once",
    );
    refused("renewal_window = 6", "renewal_window = 0", "`renewal_window` takes 1 to 120 months");
    refused(
        "attachment = \"ruling\"",
        "attachment = \"weld\"",
        "types.ending.conditions: there is no attachment `weld`",
    );
    refused("field = \"forced\"", "field = \"shift\"", "there is no field `shift` in the form");
    refused("name = \"right_name\"", "name = \"wrong_name\"", "there is no field `wrong_name` in the form");
    refused("effect = \"grant\"", "effect = \"crown\"", "there is no effect `crown`");
    refused(
        "\"qualification\", \"first_registration\"",
        "\"qualification\"",
        "its effect needs the condition `first_registration`",
    );
    refused("id = \"renewal\"", "id = \"initial\"", "the class `welder` has it more than once");
    refused(
        "warning_days = 30",
        "warning_days = 30\nwarming_days = 3",
        "warming_days: there is no such setting",
    );
    refused(
        "id = \"initial\"",
        "id = \"initial\"\nclasses = [\"blacksmith\"]",
        "there is no class `blacksmith`",
    );
    refused(
        "specialties = [\"电弧焊\", \"气焊\"]",
        "specialties = []",
        "classes.welder.specialties: at least one is wanted",
    );
    refused("uscc = \"52990000MJ0000001W\"", "uscc = \"52990000MJ0000001X\"", "is not a credit code");
    refused("max_bytes = 1_000_000", "min_bytes = 2_000_000, max_bytes = 1_000_000", "no size fits");
    refused(
        "kind = \"choice\", choices = [\"早班\", \"晚班\"]",
        "kind = \"choice\"",
        "fields.shift.choices:",
    );
    refused("kind = \"uscc\"", "kind = \"colour\"", "`colour` is not text, date, choice, uscc or bool");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let faults = faults(
        "name = \"委员会审定\", actor = \"ministry\", days = 20",
        "actor = \"guild\", days = \"soon\"",
    );
    let told = |what: &str| faults.iter().any(|fault| fault.contains(what));
    assert!(
        told("board.name: missing") && told("`guild`") && told("board.days: a whole number"),
        "{faults:?}"
    );
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_line() {
    let faults = Regime::read("id = \"welder\"\nname = \n").unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].place, "line 2");
}

#[test]
fn the_worked_example_of_the_project_s_page_is_sound() {
    let page = include_str!("../../../README.md");
    let example = page.split("```toml\nid = \"guard\"").nth(1).unwrap().split("```").next().unwrap();
    let regime = Regime::read(&format!("id = \"guard\"{example}")).unwrap();
    assert_eq!((regime.id.as_str(), regime.businesses.len()), ("guard", 1));
}
