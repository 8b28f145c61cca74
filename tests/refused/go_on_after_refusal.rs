//! E0382: a refused request is gone.

use edgeward::stage::Exchange;
use edgeward::refusal::Refusal;
use edgeward::stage::limited::Limited;

pub fn attack<B>(limited: Exchange<Limited<'_>, B>) {
    let _refused = limited.refuse(Refusal::NotAllowed);
    let _ = limited.authorize();
}
