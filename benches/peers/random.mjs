// Numbers that look random and come again with the same seed.

/** Gives a function that gives numbers in [0, 1): the generator "mulberry32" over the seed, an unsigned 32-bit number. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed of this run's own, to be printed. */
export const newSeed = () => Math.floor(Math.random() * 2 ** 32);
