//! Cases in the index: the lists of seats and units are keys sorted as they are listed, and hold the words by which they
//! are filtered and counted. Their keys begin with `e`; the second letter says what of.

use std::collections::{BTreeMap, HashSet};

use chrono::{Datelike as _, NaiveDate};

use crate::domain::identity::CreditCode;
use crate::domain::ids::CaseId;
use crate::domain::query::Page;
use crate::domain::staff::Region;
use crate::registration::case::{Case, Seat};
use crate::registration::query::{CaseCount, CaseQuery, CasesOf};
use crate::registration::word::RegimeId;
use crate::store::cipher::Kind;
use crate::store::embedded::accounts::owner_key;
use crate::store::embedded::fold::{
    Place, certificate_value, id_at_end, photo_key, push_number, revision_and_slot, take_number,
};
use crate::store::embedded::index::{Draft, View};
use crate::store::embedded::reads::{STRIDE, fault, page, place};
use crate::store::embedded::writer::Core;
use crate::store::entry::registration::CaseLine;
use crate::store::entry::{self, SealedLine, parse_sealed};
use crate::store::record::Text;
use crate::store::record::case::read_case;
use crate::store::{Fault, Revision};

/// Keys of all cases begin so.
pub(crate) const CASES: &[u8] = b"ec";
/// Keys of those that a seat holds begin so.
const HELD: &[u8] = b"ea";
/// Keys of those that a unit holds begin so.
const HELD_BY_UNIT: &[u8] = b"eb";
/// Keys of all that a unit has begin so.
const OF_UNIT: &[u8] = b"ef";

pub(crate) fn case_key(id: CaseId) -> Vec<u8> {
    [CASES, &id.as_bytes()[..]].concat()
}

/// A day as it sorts; after all others where there is none.
fn day(due_on: Option<NaiveDate>) -> [u8; 4] {
    due_on.map_or(i32::MAX, |day| day.num_days_from_ce()).to_be_bytes()
}

/// The cases that a seat holds, of a region and a regime, or of every one.
fn held_prefix(seat: &str, region: Option<Region>, regime: Option<&str>) -> Vec<u8> {
    let region = region.map_or("--".to_owned(), |region| region.to_string());
    [HELD, seat.as_bytes(), b" ", region.as_bytes(), regime.unwrap_or_default().as_bytes(), b" "].concat()
}

/// The cases that a unit holds.
fn held_by_unit_prefix(unit: &CreditCode) -> Vec<u8> {
    [HELD_BY_UNIT, unit.as_str().as_bytes()].concat()
}

/// The cases of a unit.
fn of_unit_prefix(unit: &CreditCode) -> Vec<u8> {
    [OF_UNIT, unit.as_str().as_bytes()].concat()
}

/// A name that sorts in reverse.
fn reversed(mut id: [u8; 16]) -> [u8; 16] {
    for byte in &mut id {
        *byte = !*byte;
    }
    id
}

/// Of what the keys of a case are made: they are taken away when it moves on.
struct Standing<'a> {
    due: [u8; 4],
    regime: &'a str,
    seat: Option<&'a str>,
    unit: Option<CreditCode>,
}

impl<'a> Standing<'a> {
    fn of(line: &'a CaseLine<'_>) -> Self {
        Self { due: day(line.due_on), regime: line.regime.as_str(), seat: line.seat, unit: line.unit }
    }

    fn write(&self) -> Vec<u8> {
        let unit = self.unit.as_ref().map_or("", CreditCode::as_str);
        let words = [self.regime, self.seat.unwrap_or_default(), unit].join(" ");
        [&self.due[..], words.as_bytes()].concat()
    }

    /// Reads it from the value of a case.
    fn read(mut value: &'a [u8]) -> Option<Self> {
        Place::take(&mut value)?;
        take_number(&mut value)?;
        take_number(&mut value)?;
        let (due, words) = value.split_first_chunk::<4>()?;
        let mut words = std::str::from_utf8(words).ok()?.split(' ');
        let (regime, seat, unit) = (words.next()?, words.next()?, words.next()?);
        let seat = Some(seat).filter(|seat| !seat.is_empty());
        let unit = Some(unit).filter(|unit| !unit.is_empty()).map(str::parse).transpose().ok()?;
        Some(Self { due: *due, regime, seat, unit })
    }

    fn keys(&self, id: CaseId) -> Vec<Vec<u8>> {
        let by_day = |prefix: Vec<u8>| [&prefix[..], &self.due, id.as_bytes()].concat();
        let mut keys = Vec::with_capacity(6);
        if let Some(seat) = self.seat {
            let regions = [None, self.unit.as_ref().map(Region::of)];
            for region in &regions[..1 + usize::from(self.unit.is_some())] {
                keys.push(by_day(held_prefix(seat, *region, None)));
                keys.push(by_day(held_prefix(seat, *region, Some(self.regime))));
            }
        }
        if let Some(unit) = &self.unit {
            if self.seat == Some(Seat::Unit.word()) {
                keys.push(by_day(held_by_unit_prefix(unit)));
            }
            keys.push([&of_unit_prefix(unit)[..], &reversed(*id.as_bytes())].concat());
        }
        keys
    }
}

/// What a list says of a case.
struct Listed<'a> {
    slot: u32,
    regime: &'a str,
    business: &'a str,
    stage: &'a str,
}

impl<'a> Listed<'a> {
    fn write(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(48);
        push_number(&mut value, self.slot.into());
        value.extend_from_slice([self.regime, self.business, self.stage].join(" ").as_bytes());
        value
    }

    fn read(mut value: &'a [u8]) -> Option<Self> {
        let slot = u32::try_from(take_number(&mut value)?).ok()?;
        let mut words = std::str::from_utf8(value).ok()?.split(' ');
        Some(Self { slot, regime: words.next()?, business: words.next()?, stage: words.next()? })
    }
}

pub(crate) fn fold_case(
    draft: &mut Draft<'_>,
    line: &CaseLine<'_>,
    place: Place,
    seq: u64,
) -> Result<(), Fault> {
    let key = case_key(line.id);
    let before = draft.find(&key)?;
    for key in before.iter().filter_map(|value| Standing::read(value)).flat_map(|was| was.keys(line.id)) {
        draft.remove(key);
    }
    let standing = Standing::of(line);
    let listed = Listed {
        slot: line.slot,
        regime: line.regime.as_str(),
        business: line.business.as_str(),
        stage: line.stage.as_ref().map_or("", |stage| stage.as_str()),
    };
    for key in standing.keys(line.id) {
        draft.put(key, listed.write());
    }
    draft.put(key, [certificate_value(&place, seq, line.slot), standing.write()].concat());
    draft.put(owner_key(line.person), line.slot.to_be_bytes().to_vec());
    for Text(document) in &line.documents {
        draft.put(photo_key(*document), Vec::new());
    }
    Ok(())
}

/// The revision of a case.
pub(crate) fn case_revision(view: &impl View, id: CaseId) -> Result<Option<Revision>, Fault> {
    let value = view.find(&case_key(id))?;
    Ok(value.and_then(|value| revision_and_slot(&value)).map(|(revision, _)| Revision(revision)))
}

impl Core {
    /// See [`crate::store::Store::case`].
    pub(crate) fn case(&self, id: CaseId) -> Result<Option<(Case, Revision)>, Fault> {
        let Some(value) = self.index.now().find(&case_key(id))? else { return Ok(None) };
        let (revision, _) = revision_and_slot(&value).ok_or_else(|| fault("a revision is missing"))?;
        let line = self.ledger.line(&place(&value)?)?;
        let SealedLine::Case(line) = entry::read_sealed(&line).map_err(fault)? else {
            return Err(fault("another record lies in its place"));
        };
        let mut sealed = parse_sealed(line.sealed).map_err(fault)?;
        let plain = self.vault.read(line.slot, Kind::Case, id.as_bytes(), &mut sealed)?;
        let case = plain.map(|plain| read_case(id, plain)).transpose().map_err(fault)?;
        Ok(case.map(|case| (case, Revision(revision))))
    }

    /// See [`crate::store::Store::cases`].
    pub(crate) fn cases(&self, query: &CaseQuery) -> Result<Page<Case>, Fault> {
        let regime = query.regime.as_ref().map(RegimeId::as_str);
        let (prefix, newest_first) = match &query.of {
            CasesOf::Unit { uscc, held: true } => (held_by_unit_prefix(uscc), false),
            CasesOf::Unit { uscc, held: false } => (of_unit_prefix(uscc), true),
            CasesOf::Seat { seat, region } => (held_prefix(seat.word(), *region, regime), false),
        };
        let after = query.after.map(|(due_on, id)| match newest_first {
            true => [&prefix[..], &reversed(*id.as_bytes())].concat(),
            false => [&prefix[..], &day(due_on), id.as_bytes()].concat(),
        });
        let load = |id: Result<[u8; 16], Fault>| {
            let id = if newest_first { reversed(id?) } else { id? };
            let found = self.case(CaseId::from_bytes(id))?;
            Ok(found.map(|(case, _)| case).filter(|case| query.fits(case)))
        };
        page(query.limit, self.listed(&prefix, after, regime).map(load))
    }

    /// The names at the end of the keys with a prefix, after one of them, in order; where a regime is given, of those whose
    /// value says it.
    fn listed(
        &self,
        prefix: &[u8],
        after: Option<Vec<u8>>,
        regime: Option<&str>,
    ) -> impl Iterator<Item = Result<[u8; 16], Fault>> {
        let mut last = after;
        let mut ahead = Vec::new().into_iter();
        let mut ended = false;
        std::iter::from_fn(move || {
            while ahead.len() == 0 && !ended {
                let look = self.index.read(|now| {
                    let (mut ids, mut seen, mut end) = (Vec::with_capacity(STRIDE), 0, None);
                    now.walk(prefix, last.as_deref(), |key, value| {
                        let fits = |wanted| Listed::read(value).is_some_and(|listed| listed.regime == wanted);
                        ids.extend(id_at_end(key).filter(|_| regime.is_none_or(fits)));
                        seen += 1;
                        if seen == STRIDE {
                            end = Some(key.to_vec());
                        }
                        Ok(seen < STRIDE)
                    })?;
                    Ok((ids, end))
                });
                match look {
                    Ok((ids, end)) => {
                        ended = end.is_none();
                        last = end;
                        ahead = ids.into_iter();
                    }
                    Err(fault) => {
                        ended = true;
                        return Some(Err(fault));
                    }
                }
            }
            ahead.next().map(Ok)
        })
    }

    /// See [`crate::store::Store::case_counts`].
    pub(crate) fn case_counts(
        &self,
        seat: Seat,
        region: Option<Region>,
        today: NaiveDate,
    ) -> Result<Vec<CaseCount>, Fault> {
        let erased: HashSet<u32> = self.vault.erased().map_err(fault)?.into_iter().collect();
        let (prefix, today) = (held_prefix(seat.word(), region, None), day(Some(today)));
        let counts = self.index.read(|now| {
            let mut counts: BTreeMap<[String; 3], (u64, u64)> = BTreeMap::new();
            now.walk(&prefix, None, |key, value| {
                let listed = Listed::read(value).ok_or_else(|| fault("a list says nothing of a case"))?;
                if !erased.contains(&listed.slot) {
                    let words = [listed.regime, listed.business, listed.stage].map(str::to_owned);
                    let (count, overdue) = counts.entry(words).or_default();
                    *count += 1;
                    *overdue += u64::from(key[prefix.len()..] < today[..]);
                }
                Ok(true)
            })?;
            Ok(counts)
        })?;
        let read = |([regime, business, stage], (count, overdue)): ([String; 3], (u64, u64))| {
            Ok(CaseCount {
                regime: regime.parse().map_err(fault)?,
                business: business.parse().map_err(fault)?,
                stage: Some(stage)
                    .filter(|stage| !stage.is_empty())
                    .map(|stage| stage.parse())
                    .transpose()
                    .map_err(fault)?,
                count,
                overdue,
            })
        };
        counts.into_iter().map(read).collect()
    }
}
