//! What stands around the pages that everybody with an account has: the frame of whose account it is, so that nobody is
//! offered others' pages.

use crate::desk::account::session::{LoggedIn, StaffMember};
use crate::domain::account::Owner;
use crate::pages::console::Shell;
use crate::pages::speech::Speech;

/// Whose pages these are.
pub(crate) enum Frame {
    /// A holder's.
    Holder,
    /// A unit's.
    Unit,
    /// A staff member's: the console's.
    Staff(Shell),
}

impl Frame {
    pub(crate) fn of(who: &LoggedIn, say: Speech) -> Self {
        match (&who.account().owner, StaffMember::of(who)) {
            (_, Some(staff)) => Self::Staff(Shell::of(&staff, None, say)),
            (Owner::Unit { .. }, None) => Self::Unit,
            (Owner::Holder(_) | Owner::Staff(_), None) => Self::Holder,
        }
    }

    /// Where the brand leads.
    pub(crate) fn home(&self) -> &'static str {
        match self {
            Self::Holder => "/me",
            Self::Unit => "/unit",
            Self::Staff(_) => "/console",
        }
    }

    pub(crate) fn is_holders(&self) -> bool {
        matches!(self, Self::Holder)
    }

    pub(crate) fn is_units(&self) -> bool {
        matches!(self, Self::Unit)
    }

    /// The console's shell, where it is a staff member's.
    pub(crate) fn shell(&self) -> Option<&Shell> {
        match self {
            Self::Staff(shell) => Some(shell),
            Self::Holder | Self::Unit => None,
        }
    }
}
