//! E0616: an answer is not to be had without the open request that has to be ended after it.

use edgeward::ports::Ports;
use edgeward::stage::release::{Cleared, Release};

pub fn attack<P: Ports>(release: Release<'_, P>) -> Cleared<P::Answer> {
    release.cleared
}
