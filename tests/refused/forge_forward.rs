//! E0451: a `Forward` has private fields: only a validated request makes one.

use edgeward::facts::Method;
use edgeward::stage::forward::Forward;
use edgeward::stage::validated::Content;

pub fn attack() -> Forward<()> {
    Forward {
        url: String::new(),
        method: Method::Get,
        remove: Vec::new(),
        set: Vec::new(),
        content: Content::Nothing,
        timeout_ms: 0,
        session_ms: 0,
        origin: todo!(),
        answer: None,
        fraction: 0.0,
        is_claimed: false,
    }
}
