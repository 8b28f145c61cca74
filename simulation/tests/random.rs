//! The chance that every run is made of.

use edgeward_simulation::world::random::Chance;

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
