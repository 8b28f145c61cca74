//! E0277: no stage can be read from text.

use edgeward::stage::limited::Limited;

pub fn attack() {
    fn read<T: for<'a> From<&'a str>>() {}
    read::<Limited<'static>>();
}
