/**
 * Sound of one rate at another, by a windowed sinc: what a microphone gives is seldom at the rate
 * that the network takes. Browsers do not all offer this for a live stream, and the one way that
 * they share (a buffer played at another rate) interpolates linearly in some, which folds high
 * sounds down into the scene.
 */

const ZERO_CROSSINGS = 32;
const BETA = 8; // of the Kaiser window: what is folded down lies 80 dB below
const PASSED = 0.94; // of the lower of the two Nyquist frequencies

export class Resampler {
  /** Samples that are wanted on both sides of what is resampled. */
  readonly reach: number;
  private readonly up: number;
  private readonly down: number;
  private readonly filters = new Map<number, Float64Array>();
  private readonly cutoff: number;

  /** @param from, to: rates in Hz. */
  constructor(from: number, to: number) {
    const divisor = greatestDivisor(from, to);
    this.up = to / divisor;
    this.down = from / divisor;
    this.cutoff = from === to ? 1 : Math.min(1, to / from) * PASSED;
    this.reach = from === to ? 0 : Math.ceil(ZERO_CROSSINGS / this.cutoff);
  }

  /** How many samples it takes to give some, the two margins included. */
  takes(given: number): number {
    return Math.floor(((given - 1) * this.down) / this.up) + 1 + 2 * this.reach;
  }

  /** @param samples: `takes(given)` of one channel. */
  resampled(samples: Float32Array, given: number): Float32Array {
    if (this.reach === 0) return samples.slice(0, given);
    const result = new Float32Array(given);
    for (let k = 0; k < given; k++) {
      const start = Math.floor((k * this.down) / this.up);
      const filter = this.filter((k * this.down) % this.up);
      let sum = 0;
      for (let tap = 0; tap < filter.length; tap++) sum += filter[tap]! * samples[start + tap]!;
      result[k] = sum;
    }
    return result;
  }

  /** Of the outputs that lie `phase / up` behind an input. */
  private filter(phase: number): Float64Array {
    let filter = this.filters.get(phase);
    if (filter === undefined) {
      filter = Float64Array.from({ length: 2 * this.reach + 1 }, (_, tap) => {
        const x = tap - this.reach - phase / this.up;
        return sinc(x * this.cutoff) * kaiser(x / (this.reach + 1));
      });
      const sum = filter.reduce((a, b) => a + b, 0);
      filter = filter.map((value) => value / sum);
      this.filters.set(phase, filter);
    }
    return filter;
  }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/** Modified Bessel function of the first kind and order 0, by its power series. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
