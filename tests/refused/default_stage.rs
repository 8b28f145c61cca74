//! E0277: no stage comes from nothing.

use edgeward::stage::limited::Limited;

pub fn attack() {
    fn make<T: Default>() {}
    make::<Limited<'static>>();
}
