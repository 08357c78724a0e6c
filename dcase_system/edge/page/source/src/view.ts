import { readable, windowSeconds, type Card } from "./card";
import { best, History } from "./history";

export type State = "loading" | "ready" | "listening" | "working" | "done" | "broken";

/** The element of this page with an id. */
export function element<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind;
}

/**
 * What the page shows. Names of classes and files come from outside: they become text, never
 * markup.
 */
export class View {
  readonly history: History;
  private readonly rows: readonly Row[];

  constructor(card: Card) {
    const { labels, sample_rate } = card.contract;
    this.rows = labels.map((label) => new Row(label));
    element("classes").replaceChildren(...this.rows.map((row) => row.item));
    this.history = new History(this.rows.map((row) => row.strip));
    const facts = [
      card.file,
      card.format,
      `${Math.round(card.bytes / 1000).toLocaleString("en")} kB`,
      `hears ${round(windowSeconds(card))} s at ${sample_rate / 1000} kHz`,
    ];
    element("model").textContent = facts.join(" · ");
    this.span(null);
  }

  static state(state: State, source: string): void {
    document.documentElement.dataset.state = state;
    element("source").textContent = source;
  }

  static is(state: State): boolean {
    return document.documentElement.dataset.state === state;
  }

  /** Says what went wrong; an empty text takes it back. */
  static fault(text: string): void {
    element("fault").textContent = text;
  }

  /** Says what makes an answer doubtful; an empty text takes it back. */
  static notice(text: string): void {
    element("notice").textContent = text;
  }

  /** Shows probabilities and the most probable class, or none. */
  show(probabilities: readonly number[] | null): void {
    const top = probabilities === null ? -1 : best(probabilities);
    const label = this.rows[top]?.label;
    const scene = element("scene");
    const text = label === undefined ? "Nothing heard yet" : readable(label);
    // Only a change is read aloud.
    if (scene.textContent !== text) scene.textContent = text;
    scene.classList.toggle("none", label === undefined);
    scene.dataset.label = label ?? "";
    element("share").textContent = probabilities ? percent(probabilities[top]!) : "\u00a0";
    this.rows.forEach((row, index) => row.show(probabilities?.[index] ?? null, index === top));
  }

  /** @param decibels: below full scale. */
  level(decibels: number): void {
    const meter = element("level");
    meter.ariaValueNow = decibels.toFixed(0);
    meter.ariaValueText = `${decibels.toFixed(0)} decibels`;
    (meter.firstElementChild as HTMLElement).style.width = `${((90 + decibels) / 90) * 100}%`;
  }

  /** Begins the strips anew. @param seconds: of a recording; null: the last minute. */
  span(seconds: number | null): void {
    this.history.clear(seconds);
    element("span").textContent = seconds === null ? "Last minute" : "Recording";
    element("from").textContent = seconds === null ? "60 s ago" : "0 s";
    element("to").textContent = seconds === null ? "now" : `${round(seconds)} s`;
    element("summary").textContent = "";
  }

  /** Adds to the strips, and says what they show in words. */
  add(start: number, seconds: number, probabilities: readonly number[]): void {
    this.history.add(start, seconds, probabilities);
    const parts = this.history
      .totals()
      .map((total, index) => ({ total, label: readable(this.rows[index]!.label) }))
      .filter(({ total }) => total > 0)
      .sort((a, b) => b.total - a.total)
      .map(({ total, label }) => `${label} ${round(total)} s`);
    element("summary").textContent = `Heard: ${parts.join(", ")}`;
  }
}

/** A class: its name, its probability, and what it was before. */
class Row {
  readonly item = document.createElement("li");
  readonly strip = document.createElement("canvas");
  private readonly value = document.createElement("span");
  private readonly bar = document.createElement("div");
  private readonly meter = document.createElement("div");

  constructor(readonly label: string) {
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = readable(label);
    this.value.className = "value";
    this.meter.className = "meter";
    this.meter.role = "meter";
    this.meter.ariaLabel = readable(label);
    this.meter.ariaValueMin = "0";
    this.meter.ariaValueMax = "1";
    this.meter.append(this.bar);
    this.strip.ariaHidden = "true";
    this.item.dataset.label = label;
    this.item.append(name, this.meter, this.value, this.strip);
    this.show(null, false);
  }

  show(probability: number | null, top: boolean): void {
    this.item.classList.toggle("top", top);
    this.meter.ariaValueNow = (probability ?? 0).toFixed(6);
    this.meter.ariaValueText = percent(probability);
    this.value.textContent = percent(probability);
    this.bar.style.width = `${100 * (probability ?? 0)}%`;
  }
}

function percent(probability: number | null): string {
  return probability === null ? "\u2013" : `${(100 * probability).toFixed(1)} %`;
}

/** Seconds with one decimal, and none where it says nothing. */
export function round(seconds: number): string {
  return String(Math.round(10 * seconds) / 10);
}
