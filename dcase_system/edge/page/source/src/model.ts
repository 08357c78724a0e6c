import { loadAndCompile, loadLiteRt, Tensor, type CompiledModel } from "@litertjs/core";
import type { Card } from "./card";
import { payload } from "./payload";

/** The network of this page. */
export class Model {
  private constructor(
    private readonly compiled: CompiledModel,
    private readonly card: Card,
  ) {}

  /**
   * Starts LiteRT and gives it the file that the page carries.
   *
   * @throws Error: the browser cannot run it, or the file is not what its card says.
   */
  static async load(card: Card): Promise<Model> {
    const said: string[] = [];
    const [loader, runtime, file] = await Promise.all(
      ["loader", "runtime", "network"].map(payload),
    );
    // The loader finds its options here: the runtime itself, so that it fetches nothing, and where
    // its messages go.
    Object.assign(globalThis, {
      Module: { wasmBinary: runtime, print: () => {}, printErr: (line: string) => said.push(line) },
    });
    const address = URL.createObjectURL(new Blob([loader!], { type: "text/javascript" }));
    try {
      // The end of the address tells LiteRT that this is a script and not a folder.
      const litert = await loadLiteRt(`${address}#.js`);
      // It takes hold of a graphics processor, where there is one; the network does not need it.
      litert.getWebGpuDevice()?.destroy();
      const compiled = await loadAndCompile(file!, { accelerator: "wasm" });
      const model = new Model(compiled, card);
      await model.check();
      return model;
    } catch (error) {
      const reasons = said.filter((line) => line.startsWith("ERROR"));
      throw new Error([(error as Error).message, ...reasons].join(" "), { cause: error });
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  /** Probabilities of the classes in one window, which holds (samples, channels) in a row. */
  async probabilities(window: Float32Array): Promise<number[]> {
    const { labels, activation } = this.card.contract;
    const logits = await this.logits(window);
    const rows = [];
    for (let start = 0; start < logits.length; start += labels.length) {
      const row = logits.slice(start, start + labels.length);
      rows.push(activation === "softmax" ? softmax(row) : row.map(sigmoid));
    }
    return mean(rows);
  }

  private async logits(window: Float32Array): Promise<number[]> {
    const { samples, channels } = this.card.contract;
    const shape = channels === 1 ? [1, samples] : [1, samples, channels];
    const input = new Tensor(window, shape);
    const outputs = (await this.compiled.run(input)) as Tensor[];
    const logits = Array.from((await outputs[0]!.data()) as Float32Array);
    for (const tensor of [input, ...outputs]) tensor.delete();
    return logits;
  }

  /**
   * Compares what the network says here to one known sound with what it said where the page was
   * made: LiteRT passes over an operator that it lacks, and then says anything.
   */
  private async check(): Promise<void> {
    const { contract, check } = this.card;
    const sound = Float32Array.from({ length: contract.samples * contract.channels }, (_, k) => {
      return ((k * k) % 1009) / 5040 - 0.1;
    });
    const logits = await this.logits(sound);
    const far = (value: number, index: number) =>
      !(Math.abs(value - logits[index]!) <= check.tolerance);
    if (check.logits.length !== logits.length || check.logits.some(far)) {
      throw new Error("it gives other values here than where this page was made.");
    }
  }
}

/** Mean of rows of the same length, column by column. */
export function mean(rows: readonly (readonly number[])[]): number[] {
  return rows[0]!.map((_, column) => rows.reduce((sum, row) => sum + row[column]!, 0) / rows.length);
}

function softmax(logits: number[]): number[] {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
