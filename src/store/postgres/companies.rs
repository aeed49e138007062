//! Reading companies: their names lie in clear, and are searched by the database.

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::domain::identity::CreditCode;
use crate::registration::company::{COMPANIES_MOST, Company};
use crate::store::postgres::connect::again;
use crate::store::postgres::group::unsigned;
use crate::store::postgres::life::Core;
use crate::store::postgres::reads::fault;
use crate::store::record::company::CompanyShape;
use crate::store::{Fault, Revision};

const READING: &str = "reading a company";

fn company_in(row: &PgRow) -> Result<Company, Fault> {
    let record: &[u8] = row.try_get("record").map_err(fault)?;
    CompanyShape::read(record).map(Company::from).map_err(fault)
}

/// A pattern of `like` that matches what contains this part.
fn pattern(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for letter in part.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

impl Core {
    /// See [`crate::store::Store::company`].
    pub(crate) async fn company(&self, uscc: &CreditCode) -> Result<Option<(Company, Revision)>, Fault> {
        let row = again(READING, || {
            sqlx::query("/* companies.find */ select record, revision from companies where uscc = $1")
                .bind(uscc.as_str())
                .fetch_optional(&self.pool)
        })
        .await?;
        let Some(row) = row else { return Ok(None) };
        let revision = Revision(unsigned(&row, "revision").map_err(fault)?);
        Ok(Some((company_in(&row)?, revision)))
    }

    /// See [`crate::store::Store::companies`].
    pub(crate) async fn companies(&self, part: &str, limit: usize) -> Result<Vec<Company>, Fault> {
        // No name has any, and the database takes no zero in a text.
        if part.chars().any(char::is_control) {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(limit.clamp(1, COMPANIES_MOST)).unwrap_or(1);
        let rows = again(READING, || {
            sqlx::query(
                "/* companies.search */ select record from companies where names like $1 \
                 order by uscc collate \"C\" limit $2",
            )
            .bind(pattern(part))
            .bind(limit)
            .fetch_all(&self.pool)
        })
        .await?;
        rows.iter().map(company_in).collect()
    }
}
