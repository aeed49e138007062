//! The shape of an account on disk.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::account::{Account, Owner, PasswordHash, Region};
use crate::domain::certificate::Name;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AccountId, Malformed};
use crate::store::record::{Unreadable, read, text, text_option, write};

#[derive(Serialize, Deserialize)]
struct AccountShape {
    owner: OwnerShape,
    #[serde(with = "text")]
    name: Name,
    mobile: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<NoticeShape>,
    created_at: DateTime<Utc>,
    sessions_since: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OwnerShape {
    Holder {
        id_type: String,
        id_number: String,
    },
    Unit {
        #[serde(with = "text")]
        uscc: CreditCode,
    },
    Staff {
        login: String,
        level: String,
        #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
        region: Option<Region>,
    },
}

#[derive(Serialize, Deserialize)]
struct NoticeShape {
    version: u16,
    at: DateTime<Utc>,
}

/// The bytes of an account, to be encrypted.
pub(crate) fn write_account(account: &Account) -> Result<Vec<u8>, Unreadable> {
    let Account { id: _, owner, name, mobile, email, password, notice, created_at, sessions_since } =
        account.clone();
    write(&AccountShape {
        owner: match owner {
            Owner::Holder(person) => OwnerShape::Holder {
                id_type: person.id_type().to_owned(),
                id_number: person.number().to_owned(),
            },
            Owner::Unit(uscc) => OwnerShape::Unit { uscc },
            Owner::Staff { login, level, region } => {
                OwnerShape::Staff { login: login.as_str().to_owned(), level: level.word().to_owned(), region }
            }
        },
        name,
        mobile: mobile.as_str().to_owned(),
        email: email.map(|email| email.as_str().to_owned()),
        password: password.0,
        notice: notice.map(|(version, at)| NoticeShape { version, at }),
        created_at,
        sessions_since,
    })
}

/// Reads what [`write_account`] gave, of any version.
pub(crate) fn read_account(id: AccountId, bytes: &[u8]) -> Result<Account, Unreadable> {
    let shape: AccountShape = read(bytes)?;
    let owner = match shape.owner {
        OwnerShape::Holder { id_type, id_number } => {
            Owner::Holder(PersonId::parse(&id_type, &id_number).map_err(|_| Malformed("identity"))?)
        }
        OwnerShape::Unit { uscc } => Owner::Unit(uscc),
        OwnerShape::Staff { login, level, region } => Owner::Staff {
            login: login.parse().map_err(|_| Malformed("login name"))?,
            level: level.parse().map_err(|_| Malformed("level"))?,
            region,
        },
    };
    Ok(Account {
        id,
        owner,
        name: shape.name,
        mobile: shape.mobile.parse().map_err(|_| Malformed("mobile"))?,
        email: shape.email.map(|email| email.parse().map_err(|_| Malformed("e-mail address"))).transpose()?,
        password: PasswordHash(shape.password),
        notice: shape.notice.map(|NoticeShape { version, at }| (version, at)),
        created_at: shape.created_at,
        sessions_since: shape.sessions_since,
    })
}
