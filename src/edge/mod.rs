//! The only code that names `worker`.
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, DurableObject, Env, Request, Response, Result, State, durable_object, event};

#[event(fetch)]
async fn fetch(req: web_sys::Request, _env: Env, _ctx: Context) -> Result<web_sys::Response> {
    let _ = jsonschema::is_valid(&serde_json::Value::String(req.url()), &serde_json::Value::Null);
    let _ = cel::Env::stdlib().compile(&req.url());
    if req.url().contains("panic") {
        std::panic::panic_any("asked to");
    }
    Ok(web_sys::Response::new_with_opt_str(Some("hello"))?)
}

#[durable_object(alarm)]
pub struct Limiter {
    state: State,
    hits: std::cell::Cell<u32>,
}

impl std::panic::RefUnwindSafe for Limiter {}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        Self { state, hits: std::cell::Cell::new(0) }
    }
    async fn fetch(&self, _req: Request) -> Result<Response> {
        Response::error("call by RPC", 405)
    }
    async fn alarm(&self) -> Result<Response> {
        let _ = &self.state;
        Response::empty()
    }
}

#[wasm_bindgen]
impl Limiter {
    /// Answers a charge.
    pub fn charge(&self, question: String) -> String {
        self.hits.set(self.hits.get() + 1);
        format!("{question}{}", self.hits.get())
    }
}
