//! Registration (注册): filings of persons, reviewed by units and authorities, that end in a certificate. Pure: regimes are
//! data, functions here decide, the desk writes.

pub mod case;
pub mod company;
pub mod query;
pub mod registrant;
pub mod word;
