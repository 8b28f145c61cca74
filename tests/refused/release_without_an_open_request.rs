//! E0061: nothing is released without the open request that has to be ended after it.

use edgeward::ports::OriginAnswer;
use edgeward::stage::Exchange;
use edgeward::stage::release::Fit;

pub fn attack<A: OriginAnswer>(fit: Exchange<Fit<'_>, A>) {
    let _ = fit.release();
}
