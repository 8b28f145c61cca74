// Whether more was admitted than a limit allows, for certain: each admission was decided at some instant between its
// asking and its answer, so a stretch of time holds for certain those that were asked and answered within it.

/**
 * The most units that some stretch of `length` ms holds for certain, beyond `allowed(length)`; over every stretch
 * that begins with a question and ends with an answer, if `lengths` is not given.
 *
 * - `admitted`: `[{ began, ended }, …]` in ms.
 */
export function overWindow(admitted, length, limit) {
  const inside = admitted.filter(({ began, ended }) => ended - began < length);
  const over = inside.map(({ began }) => {
    const within = inside.filter((one) => one.began >= began && one.ended < began + length);
    return within.length - limit;
  });
  return Math.max(-limit, ...over);
}

/** The most units beyond `burst + rate · length` in any stretch, `rate` in units a ms. */
export function overRate(admitted, burst, rate) {
  let worst = -burst;
  for (const { began } of admitted) {
    const after = admitted.filter((one) => one.began >= began).sort((a, b) => a.ended - b.ended);
    after.forEach(({ ended }, index) => {
      worst = Math.max(worst, index + 1 - burst - rate * (ended - began));
    });
  }
  return worst;
}
