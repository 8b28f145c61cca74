// What is made of samples: medians, their spread, and ratios of them.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `{ median, least, most }` of one field of samples. */
export function spread(samples, field) {
  const numbers = samples.map((one) => one[field]);
  return { median: median(numbers), least: Math.min(...numbers), most: Math.max(...numbers) };
}

/**
 * What a gateway adds to the floor over what another adds: the median over rounds of the ratio within each round, since
 * a round's samples were made under one load.
 *
 * - `rounds`: `[{ floor, one, other }]`, numbers.
 */
export const addedRatio = (rounds) => median(rounds.map(({ floor, one, other }) => (one - floor) / (other - floor)));

export const ratio = (rounds) => median(rounds.map(({ one, other }) => one / other));

/** Things in the order of this round: every other round the other way around. */
export const inTurn = (things, round) => (round % 2 ? [...things].reverse() : things);

export const rounded = (number, digits = 3) => Number(number.toFixed(digits));

/** `median (least–most)`, for a table. */
export function told({ median, least, most }, digits = 0) {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}-${most.toFixed(digits)})`;
}
