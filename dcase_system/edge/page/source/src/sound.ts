/** Sound as the network takes it. Samples of several channels lie side by side, frame by frame. */

const QUIET_DECIBELS = -70;
const CLIPPED = 0.999;
const CLIPPED_SHARE = 1e-3;

/**
 * Brings channels to the number that the network takes: to one by their mean, from one by copies.
 *
 * @throws Error: there are several, and the network takes several others.
 */
export function interleaved(channels: readonly Float32Array[], wanted: number): Float32Array {
  const given = channels.length;
  if (wanted !== 1 && given !== 1 && given !== wanted) {
    throw new Error(`it has ${given} channels, the network takes ${wanted}`);
  }
  const frames = channels[0]?.length ?? 0;
  const result = new Float32Array(frames * wanted);
  for (let frame = 0; frame < frames; frame++) {
    if (wanted === 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[frame]!;
      result[frame] = sum / given;
    } else {
      for (let k = 0; k < wanted; k++) result[frame * wanted + k] = channels[k % given]![frame]!;
    }
  }
  return result;
}

/**
 * Cuts a recording into windows that do not overlap.
 *
 * An incomplete last one is left out; if it is the only one, it is repeated until it is full.
 *
 * @throws Error: there is no sound at all.
 */
export function windows(samples: Float32Array, length: number): Float32Array[] {
  if (samples.length === 0) throw new Error("it holds no sound");
  if (samples.length < length) {
    return [Float32Array.from({ length }, (_, k) => samples[k % samples.length]!)];
  }
  return Array.from({ length: Math.floor(samples.length / length) }, (_, k) =>
    samples.subarray(k * length, (k + 1) * length),
  );
}

/** Root mean square of a window in decibels below full scale; -90 at least. */
export function level(window: Float32Array): number {
  let sum = 0;
  for (const sample of window) sum += sample * sample;
  return Math.max(-90, 10 * Math.log10(sum / window.length || 1e-12));
}

/** What is wrong with the sound of a window, so that the answer says little; null if nothing. */
export function fault(window: Float32Array): string | null {
  const decibels = level(window);
  if (decibels <= -90) return "Silence: there is nothing to hear.";
  if (decibels < QUIET_DECIBELS) return "Almost silent: the scene is little more than a guess.";
  const clipped = window.reduce((sum, x) => sum + (Math.abs(x) >= CLIPPED ? 1 : 0), 0);
  if (clipped >= CLIPPED_SHARE * window.length) return "Too loud: the sound is clipped.";
  return null;
}
