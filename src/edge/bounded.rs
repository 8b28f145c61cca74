//! Waiting, never for ever.

use std::future::Future;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::pin_mut;
use worker::Delay;

/// Waits for `future` at most `limit_ms`; `None` if it took longer.
pub(super) async fn within<F: Future>(limit_ms: u64, future: F) -> Option<F::Output> {
    let delay = Delay::from(Duration::from_millis(limit_ms));
    pin_mut!(future);
    pin_mut!(delay);
    match select(future, delay).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

/// Waits.
pub(super) async fn pause(ms: u64) {
    Delay::from(Duration::from_millis(ms)).await;
}
