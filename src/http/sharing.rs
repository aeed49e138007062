//! Keeps the limits together with the other nodes: tells what callers spent here, learns what they spent there.

use std::mem::{replace, take};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::http::buckets::Buckets;
use crate::http::gate::chain;

/// How often: so long may a limit not yet hold at another node.
const EVERY: Duration = Duration::from_millis(250);

/// Buckets told of at once. A node so busy that more are spent from tells of the others later.
const MOST: usize = 1_000;

/// Tells and learns until told to stop. What cannot be told is not told again: a caller must not be charged twice.
pub(crate) async fn share(buckets: Arc<Buckets>, desk: Desk, stop: CancellationToken) {
    let mut alone = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let told_at = Instant::now();
        let told = buckets.tell(MOST, told_at);
        if told.is_empty() {
            continue;
        }
        match desk.spend(&told).await {
            Ok(ahead) => {
                buckets.learn(told_at, &told, &ahead);
                if take(&mut alone) {
                    tracing::info!("limits are shared again");
                }
            }
            Err(error) => {
                if !replace(&mut alone, true) {
                    tracing::warn!(error = chain(&error), "limits are kept by this node's own count");
                }
            }
        }
    }
}
