//! Anomalies (社保异常, 人员查重异常), and what persons say to them (我的申辩).

use crate::desk::registration::Registering;
use crate::desk::{Desk, DeskError};
use crate::domain::certificate::Line;
use crate::domain::event::Deed;
use crate::domain::ids::AnomalyId;
use crate::registration::registrant::{Anomaly, Defence};

impl Desk {
    /// What was noticed about the person who asks, newest first.
    ///
    /// # Errors
    /// `NotFound` for units and authorities.
    pub async fn own_anomalies(&self, who: &Registering) -> Result<Vec<Anomaly>, DeskError> {
        let mut anomalies = self.own_registrant(who).await?.anomalies;
        anomalies.reverse();
        Ok(anomalies)
    }

    /// Says something to an anomaly; what was said before is replaced.
    ///
    /// # Errors
    /// `NotFound`, where it is not theirs.
    pub async fn defend(
        &self,
        who: &Registering,
        id: AnomalyId,
        words: Line<500>,
    ) -> Result<Anomaly, DeskError> {
        let at = self.now();
        let registrant = self
            .change_registrant(who, Deed::AnomalyAnswered, |registrant| {
                let known = registrant.anomalies.iter_mut().find(|anomaly| anomaly.id == id);
                if let Some(anomaly) = known {
                    anomaly.defence = Some(Defence { words: words.clone(), at });
                }
                Ok(())
            })
            .await?;
        registrant.anomalies.into_iter().find(|anomaly| anomaly.id == id).ok_or(DeskError::NotFound)
    }
}
