import { windowSeconds, type Card } from "./card";
import { fault, interleaved, windows } from "./sound";
import { round } from "./view";

/** A sound file as the network takes it. */
export class Recording {
  private constructor(
    private readonly card: Card,
    readonly name: string,
    /** Of the network's length. */
    readonly windows: readonly Float32Array[],
    /** In windows, with what fills none. */
    private readonly length: number,
  ) {}

  /** @throws Error: it cannot be decoded, or is not what the network takes. */
  static async of(file: File, card: Card): Promise<Recording> {
    const { samples, channels, sample_rate } = card.contract;
    const context = new OfflineAudioContext(1, 1, sample_rate);
    const buffer = await context.decodeAudioData(await file.arrayBuffer()).catch(() => {
      throw new Error("the browser cannot decode it.");
    });
    const given = Array.from({ length: buffer.numberOfChannels }, (_, k) =>
      buffer.getChannelData(k),
    );
    const sound = interleaved(given, channels);
    const cut = windows(sound, samples * channels);
    return new Recording(card, file.name, cut, sound.length / (samples * channels));
  }

  /** Its name and how long it is. */
  get description(): string {
    const parts = [`“${this.name}”`, `${round(this.length * windowSeconds(this.card))} s`];
    if (this.windows.length > 1) parts.push(`mean of ${this.windows.length} windows`);
    return parts.join(", ");
  }

  /** What to know about the answer; empty if nothing. */
  get doubts(): string {
    const seconds = windowSeconds(this.card);
    const rest = (this.length % 1) * seconds;
    const said = [...new Set(this.windows.map(fault))].filter((text) => text !== null);
    if (this.length < 1) said.push(`Shorter than ${round(seconds)} s: it was repeated to fill them.`);
    else if (rest >= 0.05) said.push(`The last ${round(rest)} s fill no window and were left out.`);
    return said.join(" ");
  }
}
