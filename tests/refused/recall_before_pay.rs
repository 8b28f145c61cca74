//! E0599: what was not charged all that it costs is not answered from what is kept.

use edgeward::ports::ReadFault;
use edgeward::stage::Exchange;
use edgeward::stage::validated::{Content, Validated};

pub fn attack<B>(validated: Exchange<Validated<'_>, Content<B>>, told: Result<Option<Vec<u8>>, ReadFault>) {
    let _ = validated.serve(Some(told), 0, |stored| Some(stored));
}
