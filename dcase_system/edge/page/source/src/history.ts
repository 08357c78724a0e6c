/** What was heard when, drawn as a strip for each class: the darker, the more probable. */

interface Entry {
  readonly start: number;
  readonly seconds: number;
  readonly probabilities: readonly number[];
}

const MINUTE = 60;

export class History {
  private entries: Entry[] = [];
  private seconds = MINUTE;
  private latest = true;
  private mark: number | null = null;

  constructor(private readonly strips: readonly HTMLCanvasElement[]) {
    new ResizeObserver(() => this.draw()).observe(strips[0]!);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Begins anew. @param seconds: that the strips show; null: always the last minute. */
  clear(seconds: number | null): void {
    this.entries = [];
    this.mark = null;
    this.seconds = seconds ?? MINUTE;
    this.latest = seconds === null;
    this.draw();
  }

  /** @param start: seconds since the beginning, in order. */
  add(start: number, seconds: number, probabilities: readonly number[]): void {
    this.entries.push({ start, seconds, probabilities });
    this.entries = this.entries.filter((entry) => entry.start + entry.seconds > this.first());
    this.draw();
  }

  /** Marks a time in the strips, or none, and gives the probabilities there. */
  at(time: number | null): readonly number[] | null {
    const entry =
      time === null ? null : this.entries.find(({ start, seconds }) => time < start + seconds);
    this.mark = entry?.start ?? null;
    this.draw();
    return entry?.probabilities ?? null;
  }

  /** Seconds in which each class was the most probable one. */
  totals(): number[] {
    const totals = this.strips.map(() => 0);
    for (const { seconds, probabilities } of this.entries) {
      totals[best(probabilities)]! += seconds;
    }
    return totals;
  }

  /** Start of what the strips show. */
  private first(): number {
    const last = this.entries.at(-1);
    return this.latest && last ? last.start + last.seconds - this.seconds : 0;
  }

  private draw(): void {
    const first = this.first();
    for (const [index, strip] of this.strips.entries()) {
      const scale = devicePixelRatio;
      strip.width = Math.round(strip.clientWidth * scale);
      strip.height = Math.round(strip.clientHeight * scale);
      const context = strip.getContext("2d")!;
      const position = (time: number) => Math.round(((time - first) / this.seconds) * strip.width);
      context.fillStyle = getComputedStyle(strip).color;
      for (const { start, seconds, probabilities } of this.entries) {
        const x = position(start);
        context.globalAlpha = probabilities[index]!;
        context.fillRect(x, 0, position(start + seconds) - x, strip.height);
      }
      if (this.mark !== null) {
        context.globalAlpha = 1;
        context.fillStyle = getComputedStyle(strip).outlineColor;
        context.fillRect(position(this.mark), 0, 2 * scale, strip.height);
      }
    }
  }
}

/** Index of the largest. */
export function best(probabilities: readonly number[]): number {
  return probabilities.indexOf(Math.max(...probabilities));
}
