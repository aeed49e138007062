//! One problem of each kind, as they are explained under the address that names them.

use crate::domain::key::Scope;
use crate::domain::refusal::examples::{further_refusals, refusals};
use crate::http::problem::Problem;

/// One problem for each code.
pub(crate) fn problems() -> Vec<Problem> {
    kinds().into_iter().chain(further_refusals().into_iter().map(Problem::Refused)).collect()
}

/// One problem of each kind.
fn kinds() -> Vec<Problem> {
    let refused = refusals().into_iter().map(Problem::Refused);
    let others = [
        Problem::NotFound,
        Problem::MethodNotAllowed,
        Problem::Unauthenticated,
        Problem::ScopeMissing(Scope::AuditRead),
        Problem::CrossSite,
        Problem::MalformedJson { line: 3, column: 14 },
        Problem::BodyBroken,
        Problem::BodyTimeout,
        Problem::UnsupportedMediaType("application/json"),
        Problem::TooLarge(65_536),
        Problem::TooManyRequests(30),
        Problem::Unavailable("busy"),
        Problem::Panicked,
    ];
    refused.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the examples a problem is like. A new kind does not compile until it has a number here.
    fn number(problem: &Problem) -> usize {
        let refusals = refusals();
        let other = match problem {
            Problem::Refused(refusal) => {
                let same = |example: &_| std::mem::discriminant(example) == std::mem::discriminant(refusal);
                return refusals.iter().position(same).unwrap_or(usize::MAX);
            }
            Problem::NotFound => 0,
            Problem::MethodNotAllowed => 1,
            Problem::Unauthenticated => 2,
            Problem::ScopeMissing(_) => 3,
            Problem::CrossSite => 4,
            Problem::MalformedJson { .. } => 5,
            Problem::BodyBroken => 6,
            Problem::BodyTimeout => 7,
            Problem::UnsupportedMediaType(_) => 8,
            Problem::TooLarge(_) => 9,
            Problem::TooManyRequests(_) => 10,
            Problem::Unavailable(_) => 11,
            Problem::Fault(_) | Problem::Panicked => 12,
        };
        refusals.len() + other
    }

    #[test]
    fn there_is_one_of_each_and_each_has_a_code_of_its_own() {
        let kinds = kinds();
        assert!(kinds.iter().map(number).eq(0..kinds.len()));
        let problems = problems();
        let codes: std::collections::BTreeSet<_> = problems.iter().map(Problem::code).collect();
        assert_eq!(codes.len(), problems.len());
    }
}
