/** How many points a machine draws without a stutter while the map moves; found out from the frames themselves. */

const LEAST = 0.05;
/** Time between two frames, ms: above it fewer points are drawn, below it more. */
const SLOW = 26;
const FAST = 19;
/** Two frames further apart belong to two movements. */
const PAUSE = 400;

export class Pace {
  private last = -Infinity;
  private share = 1;

  /** Call for each frame with its time; the share of the points to draw in it. What was learned in one movement holds for the next. */
  frame(now: number): number {
    const took = now - this.last;
    this.last = now;
    if (took > PAUSE) return this.share;
    if (took > SLOW) this.share = Math.max(LEAST, this.share * Math.max(0.4, SLOW / took));
    else if (took < FAST) this.share = Math.min(1, this.share * 1.04);
    return this.share;
  }
}
