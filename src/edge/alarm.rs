//! An object's alarm, set without waiting: the call starts at once and belongs to the same write as
//! the rows; awaiting it would let another question in between.

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use worker::{Error, Result, State};

/// How long after the last thing has ended an object clears itself.
const IDLE_MS: u64 = 1_000;

/// Sets the alarm to just after `end_at_ms`; the one before, if any, is replaced.
pub(super) fn set(state: &State, end_at_ms: u64) -> Result<()> {
    let failed = || Error::RustError("no alarm".into());
    let storage: JsValue = state.storage().as_raw().into();
    let set = Reflect::get(&storage, &JsValue::from_str("setAlarm")).map_err(|_| failed())?;
    let set: Function = set.dyn_into().map_err(|_| failed())?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds are far below 2^53"
    )]
    let at = JsValue::from_f64(end_at_ms.saturating_add(IDLE_MS) as f64);
    set.call1(&storage, &at).map_err(|_| failed())?;
    Ok(())
}
