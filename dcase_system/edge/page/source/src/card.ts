/** What a network hears and says: the part of a model's card that the page needs. */
export interface Card {
  /** Name of the `.tflite` file. */
  readonly file: string;
  /** Of the file. */
  readonly bytes: number;
  /** Of its numbers: float32, float16, dynamic, int8. */
  readonly format: string;
  readonly contract: {
    /** Class names in the order of the logits. */
    readonly labels: readonly string[];
    /** Of one window, in each channel. */
    readonly samples: number;
    readonly channels: number;
    readonly activation: "softmax" | "sigmoid";
    /** In Hz. */
    readonly sample_rate: number;
  };
  /** What the network says to a known sound, and how far off it may be elsewhere. */
  readonly check: { readonly logits: readonly number[]; readonly tolerance: number };
}

/** Seconds of one window. */
export function windowSeconds(card: Card): number {
  return card.contract.samples / card.contract.sample_rate;
}

/** A class name as people read it. */
export function readable(label: string): string {
  return label.replaceAll("_", " ");
}
