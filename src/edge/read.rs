//! Content read whole, counted while it is read.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

use crate::ports::ReadFault;

/// Reads `stream` to its end; what exceeds `bytes_max` is not read.
pub(super) async fn whole(stream: ReadableStream, bytes_max: u64) -> Result<Vec<u8>, ReadFault> {
    let reader: ReadableStreamDefaultReader = stream
        .get_reader()
        .dyn_into()
        .map_err(|_| ReadFault::Broken)?;
    let mut bytes = Vec::new();
    loop {
        let step = JsFuture::from(reader.read())
            .await
            .map_err(|_| ReadFault::Broken)?;
        let part = |name: &str| Reflect::get(&step, &JsValue::from_str(name));
        if part("done").is_ok_and(|done| done.is_truthy()) {
            return Ok(bytes);
        }
        let chunk: Uint8Array = part("value")
            .ok()
            .and_then(|value| value.dyn_into().ok())
            .ok_or(ReadFault::Broken)?;
        if bytes.len() as u64 + u64::from(chunk.length()) > bytes_max {
            // Not awaited: the sender is not waited for.
            let _ = reader.cancel();
            return Err(ReadFault::TooLarge);
        }
        let start = bytes.len();
        bytes.resize(start + chunk.length() as usize, 0);
        if let Some(place) = bytes.get_mut(start..) {
            chunk.copy_to(place);
        }
    }
}
