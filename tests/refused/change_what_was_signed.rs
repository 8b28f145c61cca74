//! E0616: the request is a private field: nobody changes it once its message is asked for.

use edgeward::stage::forward::Unsigned;

pub fn attack<B>(mut unsigned: Unsigned<B>) {
    unsigned.forward.url = "https://origin.example/another".into();
}
