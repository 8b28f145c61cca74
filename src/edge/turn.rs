//! Runs what answers requests, each as far as it gets, whenever something that is waited for is there.
//!
//! Owns: the queue of what can go on, and what is waited for in JavaScript (`platform.js`) under a
//! number. The executor of `wasm-bindgen-futures` does the same with two closures, a promise and a
//! microtask of the platform for each wait: here a value that arrives enters wasm once and what waited
//! for it goes on in the same call.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use async_task::Runnable;
use wasm_bindgen::JsValue;

use crate::edge::platform;

/// What was waited for.
pub(super) enum Found {
    /// A fault's number, or a verdict's.
    Number(u32),
    Text(String),
    Bytes(Vec<u8>),
    Value(JsValue),
}

/// One wait.
enum Wait {
    /// Who goes on then; nobody looked yet.
    Open(Option<Waker>),
    Over(Found),
}

thread_local! {
    static READY: RefCell<VecDeque<Runnable>> = RefCell::default();
    /// Whether what is ready is being run, or will be soon.
    static IS_MINDED: Cell<bool> = const { Cell::new(false) };
    static WAITS: RefCell<BTreeMap<u32, Wait>> = const { RefCell::new(BTreeMap::new()) };
}

/// Runs `future` to its first wait, and then on by turns.
pub(super) fn spawn(future: impl Future<Output = ()> + 'static) {
    let (runnable, task) = async_task::spawn_local(future, ready);
    task.detach();
    minding(|| go_on(runnable));
}

/// Queues what can go on.
fn ready(runnable: Runnable) {
    READY.with_borrow_mut(|ready| ready.push_back(runnable));
    if !IS_MINDED.replace(true) {
        platform::soon();
    }
}

/// Does something, and then runs what became ready by it; unless somebody else is at that.
fn minding(act: impl FnOnce()) {
    let is_minded = IS_MINDED.replace(true);
    act();
    if !is_minded {
        run();
    }
}

/// Runs what is ready now. What becomes ready by it comes after what else the platform has to do: a task
/// that wakes itself holds nobody up.
fn run() {
    let count = READY.with_borrow(VecDeque::len);
    for _ in 0..count {
        let Some(runnable) = READY.with_borrow_mut(VecDeque::pop_front) else {
            break;
        };
        go_on(runnable);
    }
    let is_idle = READY.with_borrow(VecDeque::is_empty);
    IS_MINDED.set(!is_idle);
    if !is_idle {
        platform::soon();
    }
}

/// A task that panics all the same holds no other up.
fn go_on(runnable: Runnable) {
    let _ = catch_unwind(AssertUnwindSafe(|| runnable.run()));
}

/// Something that JavaScript hands over, once.
pub(super) struct Crossing(u32);

impl Crossing {
    /// - `number`: under which it is handed over.
    pub(super) fn new(number: u32) -> Self {
        WAITS.with_borrow_mut(|waits| waits.insert(number, Wait::Open(None)));
        Self(number)
    }
}

impl Future for Crossing {
    type Output = Found;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Found> {
        WAITS.with_borrow_mut(|waits| match waits.remove(&self.0) {
            Some(Wait::Over(found)) => Poll::Ready(found),
            // One that was given already is never given again.
            None => Poll::Pending,
            Some(Wait::Open(_)) => {
                let waker = context.waker().clone();
                waits.insert(self.0, Wait::Open(Some(waker)));
                Poll::Pending
            }
        })
    }
}

impl Drop for Crossing {
    fn drop(&mut self) {
        WAITS.with_borrow_mut(|waits| waits.remove(&self.0));
    }
}

/// What nobody waits for any more is dropped.
fn hand(number: u32, found: Found) {
    let waker = WAITS.with_borrow_mut(|waits| match waits.get_mut(&number) {
        Some(wait @ Wait::Open(_)) => match std::mem::replace(wait, Wait::Over(found)) {
            Wait::Open(waker) => waker,
            Wait::Over(_) => None,
        },
        Some(Wait::Over(_)) | None => None,
    });
    minding(|| {
        if let Some(waker) = waker {
            waker.wake();
        }
    });
}

#[expect(
    unreachable_pub,
    reason = "called from JavaScript, which needs them public"
)]
mod exports {
    use js_sys::Function;
    use wasm_bindgen::JsValue;
    use wasm_bindgen::prelude::wasm_bindgen;

    use super::{Found, hand, run};
    use crate::edge::platform;

    /// Takes the function by which JavaScript comes back in: it calls one of the following. And the one by which
    /// it hears of a trap.
    #[wasm_bindgen]
    pub fn enter_by(by: &Function, hear: &Function) {
        platform::enter_by(by, hear);
    }

    #[wasm_bindgen]
    pub fn hand_number(number: u32, found: u32) {
        hand(number, Found::Number(found));
    }

    #[wasm_bindgen]
    pub fn hand_text(number: u32, found: String) {
        hand(number, Found::Text(found));
    }

    #[wasm_bindgen]
    pub fn hand_bytes(number: u32, found: Vec<u8>) {
        hand(number, Found::Bytes(found));
    }

    #[wasm_bindgen]
    pub fn hand_value(number: u32, found: JsValue) {
        hand(number, Found::Value(found));
    }

    /// Runs what is ready.
    #[wasm_bindgen]
    pub fn run_ready() {
        run();
    }
}
