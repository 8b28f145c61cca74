//! Which of a route's origins a caller is sent to: always the same, as long as it is well.
//!
//! Owns: the arithmetic. Does not own: whether an origin is well (`breaker`), who the caller is.

/// Parts that callers are divided into.
pub const PARTS: u32 = 100;

/// Chooses an origin: 0 is the route's own, which gets what the others leave; `n` is the `n`th share.
///
/// - `shares`: parts of a hundred that the others get; together a hundred at most.
/// - `point`: the caller's, in `0..PARTS`.
/// - `is_well`: asked of the origin that is chosen first, and of others where that is not.
///
/// Where none is well, the first choice stands: its breaker answers.
pub fn choose(shares: &[u32], point: u32, is_well: impl Fn(usize) -> bool) -> usize {
    let mut end = 0_u32;
    let first = shares.iter().position(|share| {
        end = end.saturating_add(*share);
        point < end
    });
    let first = first.map_or(0, |place| place.saturating_add(1));
    if shares.is_empty() || is_well(first) {
        return first;
    }
    let others = (0..=shares.len()).filter(|one| *one != first);
    others
        .into_iter()
        .find(|one| is_well(*one))
        .unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(shares: &[u32], is_well: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut counts = vec![0; shares.len() + 1];
        for point in 0..PARTS {
            counts[choose(shares, point, &is_well)] += 1;
        }
        counts
    }

    #[test]
    fn each_gets_its_share_and_the_routes_own_the_rest() {
        assert_eq!(counts(&[], |_| true), [100]);
        assert_eq!(counts(&[5], |_| true), [95, 5]);
        assert_eq!(counts(&[5, 20], |_| true), [75, 5, 20]);
        assert_eq!(counts(&[0, 100], |_| true), [0, 0, 100]);
    }

    #[test]
    fn those_of_an_origin_that_is_not_well_go_to_one_that_is() {
        assert_eq!(counts(&[5, 20], |one| one != 1), [80, 0, 20]);
        assert_eq!(counts(&[5, 20], |one| one != 0), [0, 80, 20]);
        assert_eq!(counts(&[5, 20], |one| one == 2), [0, 0, 100]);
        assert_eq!(counts(&[5, 20], |_| false), [75, 5, 20]);
    }
}
