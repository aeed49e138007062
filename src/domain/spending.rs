//! What callers spend of their rates, in the words in which nodes tell each other.

use std::fmt;
use std::time::Duration;

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Limit {
    /// Public calls, per client network.
    Public,
    /// Files to judge, per client network.
    Documents,
    /// Three-field queries, per client network.
    Queries,
    /// Verification codes sent, per client network.
    Codes,
    /// Agency calls, per API key.
    Agency,
    /// Calls without a valid key, per client network.
    Strangers,
}

impl Limit {
    /// Every limit, in their order.
    pub const ALL: [Self; 6] =
        [Self::Public, Self::Documents, Self::Queries, Self::Codes, Self::Agency, Self::Strangers];

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Documents => "documents",
            Self::Queries => "queries",
            Self::Codes => "codes",
            Self::Agency => "agency",
            Self::Strangers => "strangers",
        }
    }
}

/// One caller's bucket under one limit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// Which limit.
    pub limit: Limit,
    /// Whose: a network or a key, as bits.
    pub caller: u128,
}

impl fmt::Debug for Bucket {
    /// Addresses are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({:?}, …)", self.limit)
    }
}

/// What was spent from a bucket since it was last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// From which.
    pub bucket: Bucket,
    /// How long the bucket takes to fill again by it.
    pub cost: Duration,
    /// How long ago the first of it was spent. Not a moment: clocks of nodes need not agree.
    pub ago: Duration,
}
