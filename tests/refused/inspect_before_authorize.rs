//! E0599: a caller that may not is not told what form its request should have.

use edgeward::stage::Exchange;
use edgeward::stage::limited::Limited;

pub fn attack<B>(limited: Exchange<Limited<'_>, B>) {
    let _ = limited.inspect();
}
