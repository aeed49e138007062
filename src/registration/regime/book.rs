//! The regimes that a service knows: the bundled ones, and those that were added by files.

use std::collections::BTreeMap;

use crate::domain::certificate::CertificateType;
use crate::registration::regime::section::Fault;
use crate::registration::regime::{Class, Regime};
use crate::registration::word::RegimeId;

/// The bundled regimes: where each is from, and its text.
const BUNDLED: [(&str, &str); 5] = [
    ("planner.toml", include_str!("../regimes/planner.toml")),
    ("constructor.toml", include_str!("../regimes/constructor.toml")),
    ("architect.toml", include_str!("../regimes/architect.toml")),
    ("engineer.toml", include_str!("../regimes/engineer.toml")),
    ("guangdong.toml", include_str!("../regimes/guangdong.toml")),
];

/// Every regime that a service knows, by its name.
#[derive(Clone, Debug)]
pub struct Book(BTreeMap<RegimeId, Regime>);

/// A regime's file that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.file, .faults))]
pub struct Unsound {
    /// Which file.
    pub file: String,
    /// Everything that is wrong with it. At least one.
    pub faults: Vec<Fault>,
}

fn list(file: &str, faults: &[Fault]) -> String {
    let lines = faults.iter().map(|fault| format!("{file}: {fault}"));
    lines.collect::<Vec<_>>().join("\n")
}

impl Book {
    /// The bundled regimes.
    pub fn bundled() -> Result<Self, Unsound> {
        let mut book = Self(BTreeMap::new());
        for (file, text) in BUNDLED {
            book.add(file, text)?;
        }
        Ok(book)
    }

    /// Adds the regime of a file. It takes the place of one of the same name, so that a bundled one can be changed.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Unsound> {
        let unsound = |faults| Unsound { file: file.to_owned(), faults };
        let regime = Regime::read(text).map_err(unsound)?;
        for kind in regime.classes.iter().map(|class| &class.certificate.kind) {
            // A certificate leads back to its registration by its type.
            if let Some((other, _)) = self.of_certificate(kind).filter(|(other, _)| other.id != regime.id) {
                let what = format!("`{kind}` is the certificate of `{}` already", other.id);
                return Err(unsound(vec![Fault { place: "classes".to_owned(), what }]));
            }
        }
        self.0.insert(regime.id.clone(), regime);
        Ok(())
    }

    /// The regime of this name.
    pub fn regime(&self, id: &RegimeId) -> Option<&Regime> {
        self.0.get(id)
    }

    /// Every regime, by its name.
    pub fn regimes(&self) -> impl Iterator<Item = &Regime> {
        self.0.values()
    }

    /// Whose registrations a type of certificate stands for.
    pub fn of_certificate(&self, kind: &CertificateType) -> Option<(&Regime, &Class)> {
        let of = |regime: &'_ &Regime| regime.classes.iter().any(|class| class.certificate.kind == *kind);
        let regime = self.0.values().find(of)?;
        Some((regime, regime.classes.iter().find(|class| class.certificate.kind == *kind)?))
    }
}
