//! What is asked of the platform's cache of answers, each in one crossing (`platform.js`).

use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;

use super::{number, read_fault};
use crate::edge::turn::{Crossing, Found};
use crate::ports::ReadFault;

#[wasm_bindgen(module = "/src/edge/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = stored)]
    fn stored_under(request: &Request, url: &str, bytes_max: f64, waits_ms: f64) -> u32;

    #[wasm_bindgen(js_name = store)]
    fn store_under(url: &str, bytes: &[u8], seconds: f64, waits_ms: f64) -> u32;
}

/// That nothing lies there.
const ABSENT: u32 = 12;

/// What lies in the cache of answers under a URL, of at most `bytes_max`.
pub(in crate::edge) async fn stored(
    request: &Request,
    url: &str,
    bytes_max: u64,
    waits_ms: u64,
) -> std::result::Result<Option<Vec<u8>>, ReadFault> {
    let asked = stored_under(request, url, number(bytes_max), number(waits_ms));
    match Crossing::new(asked).await {
        Found::Bytes(bytes) => Ok(Some(bytes)),
        Found::Number(ABSENT) => Ok(None),
        found => Err(read_fault(&found)),
    }
}

/// Puts `bytes` there for `seconds`. Whatever fails: they are not there.
pub(in crate::edge) async fn store(url: &str, bytes: &[u8], seconds: u64, waits_ms: u64) {
    let put = store_under(url, bytes, number(seconds), number(waits_ms));
    Crossing::new(put).await;
}
