//! Chance, from a seed: the same numbers on every machine.
//!
//! Owns: the generator and the few shapes that are drawn of it, in whole numbers, so that no
//! library's rounding changes a run. Called by: everything here that is random.

/// A generator of chance: `SplitMix64` (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Chance(u64);

/// One million: rates of faults are told in parts of it.
pub const MILLION: u64 = 1_000_000;

impl Chance {
    /// - `seed`, `stream`: one seed gives many streams that have nothing to do with each other.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut chance = Self(seed ^ stream.wrapping_mul(0xD134_2543_DE82_EF95));
        chance.next();
        chance
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(end);
        (wide >> 64) as u64
    }

    /// A number from `first` to `last`.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// A number from `-most` to `most`.
    pub fn around(&mut self, most: u64) -> i64 {
        self.below(2 * most + 1) as i64 - most as i64
    }

    /// Whether something happens that happens `rate` times in a million.
    pub fn hits(&mut self, rate: u64) -> bool {
        rate > 0 && self.below(MILLION) < rate
    }

    /// The time to the next of events that come at random, `mean` apart: about exponential, as the
    /// binary logarithm of an evenly drawn number is read off its leading bits.
    pub fn apart(&mut self, mean: u64) -> u64 {
        const LN_2_IN_65536: u128 = 45_426;
        let drawn = self.next() | 1;
        let zeros = drawn.leading_zeros();
        // The bits behind the leading one; of a number with none of them set the logarithm is whole.
        let behind = (drawn << zeros << 1) >> 48;
        let logarithm = (u128::from(zeros + 1) << 16) - u128::from(behind);
        ((u128::from(mean) * logarithm * LN_2_IN_65536) >> 32) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_at_random_comes_on_average_as_often_as_asked() {
        let mut chance = Chance::new(1, 2);
        let sum: u64 = (0..100_000).map(|_| chance.apart(1_000)).sum();
        let mean = sum / 100_000;
        assert!((950..1_050).contains(&mean), "{mean}");
        let hits = (0..100_000).filter(|_| chance.hits(10_000)).count();
        assert!((900..1_100).contains(&hits), "{hits}");
        assert!((0..1_000).all(|_| (-3..=3).contains(&chance.around(3))));
    }
}
