//! The futures of requests and errands, each polled at the instants at which something reached it.
//!
//! Owns: where they are kept, and which isolate's they are. There is one thread, and no waker: who
//! waits is polled by the event that it waits for. Called by: `world`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A future of one request or errand.
pub type Work = Pin<Box<dyn Future<Output = ()>>>;

/// A task; of one that is over, the name of none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TaskId {
    place: usize,
    turn: u32,
}

#[derive(Default)]
struct Slot {
    turn: u32,
    life: u64,
    work: Option<Work>,
}

/// All that is under way.
#[derive(Default)]
pub struct Tasks {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

impl Tasks {
    /// A name for a task of the isolate `life`, before there is one.
    pub fn reserve(&mut self, life: u64) -> TaskId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        let slot = &mut self.slots[place];
        slot.life = life;
        TaskId {
            place,
            turn: slot.turn,
        }
    }

    /// Takes a task out to poll it; `None` if it is over.
    pub fn take(&mut self, task: TaskId) -> Option<Work> {
        let slot = &mut self.slots[task.place];
        match slot.turn == task.turn {
            true => slot.work.take(),
            false => None,
        }
    }

    /// Puts back one that waits.
    pub fn put(&mut self, task: TaskId, work: Work) {
        self.slots[task.place].work = Some(work);
    }

    /// Forgets one that is over.
    pub fn end(&mut self, task: TaskId) {
        let slot = &mut self.slots[task.place];
        slot.turn = slot.turn.wrapping_add(1);
        slot.work = None;
        self.free.push(task.place);
    }

    /// Takes everything that an isolate had under way, which is gone with it.
    pub fn kill(&mut self, life: u64) -> Vec<Work> {
        let mut killed = Vec::new();
        for (place, slot) in self.slots.iter_mut().enumerate() {
            if slot.life == life
                && let Some(work) = slot.work.take()
            {
                killed.push(work);
                slot.turn = slot.turn.wrapping_add(1);
                self.free.push(place);
            }
        }
        killed
    }
}

/// Goes on with a task; whether it is over.
pub fn poll(work: &mut Work) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(work.as_mut().poll(&mut context), Poll::Ready(()))
}
