//! What has arrived and waits for its checks: bounded, for the platform holds nobody up who sends.
//!
//! Owns: the order, and that nothing beyond the bounds is kept. Does not own: waiting (`edge`).

use std::collections::VecDeque;

use crate::socket::Side;
use crate::socket::close::{Close, Ending};

/// Most messages that wait, of both sides.
pub const QUEUE_MESSAGES_MAX: usize = 1_024;
/// Most bytes of them: two messages of the largest bound there is.
pub const QUEUE_BYTES_MAX: u64 = 2_097_152;

/// What arrived.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event<M> {
    Message {
        from: Side,
        bytes: u64,
        message: M,
    },
    /// One side closed, or went away.
    Over(Ending),
}

/// What waits. Once it is over, nothing more is taken.
#[derive(Debug)]
pub struct Queue<M> {
    message_bytes_max: u64,
    waiting: VecDeque<Event<M>>,
    bytes: u64,
    is_over: bool,
}

impl<M> Queue<M> {
    pub fn new(message_bytes_max: u64) -> Self {
        Self {
            message_bytes_max,
            waiting: VecDeque::new(),
            bytes: 0,
            is_over: false,
        }
    }

    /// Takes a message. One over its bound is not kept; where too much waits, nothing of it is.
    pub fn message(&mut self, from: Side, bytes: u64, message: M) {
        if self.is_over {
            return;
        }
        if bytes > self.message_bytes_max {
            return self.over(Ending::MessageTooLarge { from });
        }
        let total = self.bytes.saturating_add(bytes);
        if total > QUEUE_BYTES_MAX || self.waiting.len() >= QUEUE_MESSAGES_MAX {
            self.waiting.clear();
            return self.over(Ending::TooFast { from });
        }
        self.bytes = total;
        self.waiting.push_back(Event::Message {
            from,
            bytes,
            message,
        });
    }

    /// Takes word that one side closed. What it sent before still goes on.
    pub fn closed(&mut self, by: Side, code: u16, reason: String) {
        let close = Close::heard(code, reason);
        self.over(Ending::Closed { by, close });
    }

    /// Takes word that one side is gone.
    pub fn lost(&mut self, by: Side) {
        self.over(Ending::Lost { by });
    }

    /// What arrived first.
    pub fn take(&mut self) -> Option<Event<M>> {
        let event = self.waiting.pop_front()?;
        if let Event::Message { bytes, .. } = event {
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        Some(event)
    }

    fn over(&mut self, ending: Ending) {
        if !self.is_over {
            self.is_over = true;
            self.waiting.push_back(Event::Over(ending));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut queue: Queue<u32>) -> Vec<Event<u32>> {
        std::iter::from_fn(|| queue.take()).collect()
    }

    #[test]
    fn what_was_sent_before_a_close_still_comes_first_and_nothing_after_it() {
        let mut queue = Queue::new(10);
        queue.message(Side::Caller, 10, 1);
        queue.message(Side::Origin, 0, 2);
        queue.closed(Side::Caller, 4000, "bye".into());
        queue.message(Side::Origin, 1, 3);
        queue.lost(Side::Origin);
        let message = |from, bytes, message| Event::Message {
            from,
            bytes,
            message,
        };
        let close = Close::new(4000, "bye");
        let closed = Ending::Closed {
            by: Side::Caller,
            close,
        };
        let expected = [
            message(Side::Caller, 10, 1),
            message(Side::Origin, 0, 2),
            Event::Over(closed),
        ];
        assert_eq!(all(queue), expected);
    }

    #[test]
    fn a_message_over_its_bound_is_not_kept() {
        let mut queue = Queue::new(10);
        queue.message(Side::Caller, 11, 1);
        let from = Side::Caller;
        let over = Event::Over(Ending::MessageTooLarge { from });
        assert_eq!(all(queue), [over]);
    }

    #[test]
    fn whoever_sends_faster_than_it_is_checked_has_nothing_kept() {
        let from = Side::Origin;
        let mut queue = Queue::new(QUEUE_BYTES_MAX);
        for n in 0..QUEUE_MESSAGES_MAX {
            queue.message(from, 0, u32::try_from(n).unwrap());
        }
        assert!(matches!(queue.take(), Some(Event::Message { .. })));
        queue.message(from, 0, 0);
        queue.message(from, 0, 0);
        assert_eq!(all(queue), [Event::Over(Ending::TooFast { from })]);

        let mut queue = Queue::new(QUEUE_BYTES_MAX);
        queue.message(from, QUEUE_BYTES_MAX, 1);
        assert!(matches!(queue.take(), Some(Event::Message { .. })));
        queue.message(from, QUEUE_BYTES_MAX - 1, 2);
        queue.message(from, 1, 3);
        queue.message(from, 1, 4);
        assert_eq!(all(queue), [Event::Over(Ending::TooFast { from })]);
    }
}
