//! The shape of an account on disk.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::account::{Account, Invitation, Owner, PasswordHash};
use crate::domain::certificate::Name;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AccountId, Malformed, Sha256};
use crate::domain::staff::{Post, Region};
use crate::domain::totp::Totp;
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
    totp: Option<TotpShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invitation: Option<InvitationShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
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
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        former_names: Vec<String>,
    },
    Staff {
        login: String,
        level: String,
        #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
        region: Option<Region>,
        role: String,
        #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
        issuer: Option<CreditCode>,
    },
}

#[derive(Serialize, Deserialize)]
struct TotpShape {
    secret: Vec<u8>,
    last_step: i64,
}

#[derive(Serialize, Deserialize)]
struct InvitationShape {
    #[serde(with = "text")]
    token: Sha256,
    expires_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct NoticeShape {
    version: u16,
    at: DateTime<Utc>,
}

/// The bytes of an account, to be encrypted.
pub(crate) fn write_account(account: &Account) -> Result<Vec<u8>, Unreadable> {
    let Account {
        id: _,
        owner,
        name,
        mobile,
        email,
        password,
        totp,
        invitation,
        ended_at,
        notice,
        created_at,
        sessions_since,
    } = account.clone();
    write(&AccountShape {
        owner: match owner {
            Owner::Holder(person) => OwnerShape::Holder {
                id_type: person.id_type().to_owned(),
                id_number: person.number().to_owned(),
            },
            Owner::Unit { uscc, former_names } => {
                let former_names = former_names.iter().map(ToString::to_string).collect();
                OwnerShape::Unit { uscc, former_names }
            }
            Owner::Staff(Post { login, level, region, role, issuer }) => OwnerShape::Staff {
                login: login.as_str().to_owned(),
                level: level.word().to_owned(),
                region,
                role: role.word().to_owned(),
                issuer,
            },
        },
        name,
        mobile: mobile.as_str().to_owned(),
        email: email.map(|email| email.as_str().to_owned()),
        password: password.0,
        totp: totp.map(|Totp { secret, last_step }| TotpShape { secret: secret.to_vec(), last_step }),
        invitation: invitation.map(|Invitation { token, expires_at }| InvitationShape { token, expires_at }),
        ended_at,
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
        OwnerShape::Unit { uscc, former_names } => {
            let former_names = former_names.iter().map(|name| name.parse()).collect::<Result<_, _>>();
            Owner::Unit { uscc, former_names: former_names.map_err(|_| Malformed("former name"))? }
        }
        OwnerShape::Staff { login, level, region, role, issuer } => Owner::Staff(Post {
            login: login.parse().map_err(|_| Malformed("login name"))?,
            level: level.parse().map_err(|_| Malformed("level"))?,
            region,
            role: role.parse().map_err(|_| Malformed("role"))?,
            issuer,
        }),
    };
    let totp = |TotpShape { secret, last_step }| match secret.try_into() {
        Ok(secret) => Ok(Totp { secret, last_step }),
        Err(_) => Err(Malformed("secret of the second factor")),
    };
    Ok(Account {
        id,
        owner,
        name: shape.name,
        mobile: shape.mobile.parse().map_err(|_| Malformed("mobile"))?,
        email: shape.email.map(|email| email.parse().map_err(|_| Malformed("e-mail address"))).transpose()?,
        password: PasswordHash(shape.password),
        totp: shape.totp.map(totp).transpose()?,
        invitation: shape
            .invitation
            .map(|InvitationShape { token, expires_at }| Invitation { token, expires_at }),
        ended_at: shape.ended_at,
        notice: shape.notice.map(|NoticeShape { version, at }| (version, at)),
        created_at: shape.created_at,
        sessions_since: shape.sessions_since,
    })
}
