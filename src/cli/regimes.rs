//! `vermilion regimes`: what is wrong with a regime's file, and what a regime is like.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::Failure;
use crate::cli::output::say;
use crate::domain::certificate::Line;
use crate::registration::picture;
use crate::registration::regime::book::{Book, Unsound};
use crate::registration::regime::{Business, Chain, Class, Regime, Stage, Target, Withdrawal};
use crate::registration::word::RegimeId;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Regimes {
    /// Judges regime files: `ok`, or everything that is wrong and where; exit 1 if any is unsound.
    Check {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Shows the classes, business types and stages of a regime.
    Show {
        /// The name of a bundled regime, or a regime's file.
        #[arg(value_name = "NAME")]
        name: String,
        /// Draws its stages, as SVG.
        #[arg(long)]
        svg: bool,
    },
}

impl Regimes {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Check { files } => check(&files),
            Self::Show { name, svg } => {
                let book = Book::bundled()?;
                let regime = found(&book, &name)?;
                if svg {
                    say(picture::svg(&regime).trim_end());
                } else {
                    describe(&regime);
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn check(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut sound = true;
    // Together, as a service reads them: two files must not claim one certificate.
    let mut book = Book::bundled()?;
    for file in files {
        let name = file.display().to_string();
        match book.add(&name, &read(file)?) {
            Ok(()) => say(&format!("{name}: ok")),
            Err(unsound) => {
                sound = false;
                say(&unsound.to_string());
            }
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    Ok(std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?)
}

fn found(book: &Book, name: &str) -> Result<Regime, Failure> {
    let bundled = name.parse::<RegimeId>().ok().and_then(|id| book.regime(&id));
    if let Some(regime) = bundled {
        return Ok(regime.clone());
    }
    let file = PathBuf::from(name);
    if file.is_file() {
        let faults = |faults| Unsound { file: name.to_owned(), faults };
        return Ok(Regime::read(&read(&file)?).map_err(faults)?);
    }
    let names: Vec<_> = book.regimes().map(|regime| regime.id.as_str()).collect();
    Err(format!("there is neither a regime nor a file `{name}`; bundled are {}", names.join(", ")).into())
}

fn describe(regime: &Regime) {
    say(&format!("{}  {}", regime.id, regime.name.zh));
    say("");
    table(&["class", "名称", "years", "certificate", "specialties"], regime.classes.iter().map(class));
    say("");
    table(
        &["type", "名称", "classes", "conditions", "form", "attachments"],
        regime.businesses.iter().map(|one| business(regime, one)),
    );
    for (businesses, chain) in picture::chains(regime) {
        let mut names: Vec<_> = businesses.iter().map(|business| business.id.as_str()).collect();
        names.dedup();
        say("");
        say(&format!("{} → {}", names.join(", "), chain.approved.zh));
        table(
            &["stage", "名称", "actor", "days", "withdrawal", "acts"],
            chain.stages.iter().map(|one| stage(chain, one)),
        );
    }
}

fn class(class: &Class) -> Vec<String> {
    let specialties: Vec<_> = class.specialties.iter().map(Line::as_str).collect();
    vec![
        class.id.to_string(),
        class.name.zh.to_string(),
        class.certificate.years.to_string(),
        class.certificate.kind.to_string(),
        specialties.join(" "),
    ]
}

fn business(regime: &Regime, business: &Business) -> Vec<String> {
    let has = |class: &&Class| class.types.contains(&business.id) && business.serves(&class.id);
    let classes: Vec<_> = regime.classes.iter().filter(has).map(|class| class.id.as_str()).collect();
    let conditions: Vec<_> = business.conditions.iter().map(|condition| condition.word()).collect();
    let optional = |name: &str, required: bool| if required { name.to_owned() } else { format!("{name}?") };
    let form: Vec<_> =
        business.form.iter().map(|field| optional(field.name.as_str(), field.required)).collect();
    let files: Vec<_> =
        business.attachments.iter().map(|rule| optional(rule.kind.as_str(), rule.required)).collect();
    vec![
        business.id.to_string(),
        business.name.zh.to_string(),
        classes.join(" "),
        conditions.join(" "),
        form.join(" "),
        files.join(" "),
    ]
}

fn stage(chain: &Chain, stage: &Stage) -> Vec<String> {
    let withdrawal = match stage.withdrawal {
        Withdrawal::Free => "free",
        Withdrawal::Consent => "consent",
        Withdrawal::None => "-",
    };
    let acts = stage.acts.iter().map(|(act, target)| {
        let to = match target {
            Target::Stage(id) => {
                chain.stage(id).map_or_else(|| id.to_string(), |stage| stage.name.zh.to_string())
            }
            Target::Approved => chain.approved.zh.to_string(),
            Target::Rejected => chain.rejected.zh.to_string(),
            Target::Returned => "退回".to_owned(),
            Target::Correction => "补正".to_owned(),
        };
        format!("{} → {to}", act.word())
    });
    vec![
        stage.id.to_string(),
        stage.name.zh.to_string(),
        stage.seat.word().to_owned(),
        stage.days.map_or_else(|| "-".to_owned(), |days| days.to_string()),
        withdrawal.to_owned(),
        acts.collect::<Vec<_>>().join("; "),
    ]
}

/// Rows beneath a heading, each column as wide as its widest cell.
fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let mut lines = vec![heading.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
    let widths: Vec<usize> = (0..heading.len())
        .map(|column| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| columns(cell)).max().unwrap_or(0)
        })
        .collect();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| {
            let padding = " ".repeat(width.saturating_sub(columns(cell)));
            format!("{cell}{padding}")
        });
        say(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// How many columns of a terminal a text takes: what is not ASCII is Chinese here, and takes two; arrows take one.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() || c == '→' { 1 } else { 2 }).sum()
}
