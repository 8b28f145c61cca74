//! E0061: nothing is released without the open request that has to be ended after it.

use edgeward::ports::OriginAnswer;
use edgeward::stage::Exchange;
use edgeward::stage::answered::Answered;

pub fn attack<A: OriginAnswer>(answered: Exchange<Answered<'_>, A>) {
    let _ = answered.release();
}
