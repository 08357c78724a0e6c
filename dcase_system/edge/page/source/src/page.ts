import { windowSeconds, type Card } from "./card";
import { Microphone } from "./microphone";
import { mean, type Model } from "./model";
import { Recording } from "./recording";
import { fault, level } from "./sound";
import { element, View } from "./view";

const READY = "Press Listen, or drop a sound file here.";

/** What the page does: it listens, or it reads a file, and each of them ends the other. */
export class Page {
  private readonly view: View;
  private readonly player = element<HTMLAudioElement>("player");
  private readonly button = element<HTMLButtonElement>("listen");
  private microphone: Microphone | null = null;
  private turn = 0;
  private whole: number[] | null = null;

  constructor(
    private readonly card: Card,
    private readonly model: Model,
  ) {
    this.view = new View(card);
    this.view.show(null);
    this.player.ontimeupdate = this.player.onpause = () => this.follow();
    this.button.onclick = () => (View.is("listening") ? this.stop() : void this.listen());
    this.takeFiles();
    View.state("ready", READY);
  }

  private takeFiles(): void {
    const choose = element<HTMLButtonElement>("choose");
    const chosen = element<HTMLInputElement>("file");
    this.button.disabled = choose.disabled = false;
    choose.onclick = () => chosen.click();
    chosen.onchange = () => {
      if (chosen.files?.[0]) void this.read(chosen.files[0]);
      chosen.value = ""; // so that the same file can be chosen again
    };
    const dropping = document.documentElement.classList;
    document.ondragover = (event) => {
      event.preventDefault();
      dropping.add("dropping");
    };
    document.ondragleave = (event) => {
      if (event.relatedTarget === null) dropping.remove("dropping");
    };
    document.ondrop = (event) => {
      event.preventDefault();
      dropping.remove("dropping");
      const file = event.dataTransfer?.files[0];
      if (file) void this.read(file);
    };
  }

  /** Ends what is going on; what it still has under way finds that its turn is over. */
  private stop(): number {
    this.microphone?.close();
    this.microphone = null;
    this.button.textContent = "Listen";
    View.notice("");
    View.state("ready", READY);
    return ++this.turn;
  }

  /** Begins something new on an empty page. */
  private begin(): number {
    this.whole = null;
    this.player.pause();
    URL.revokeObjectURL(this.player.src);
    this.player.removeAttribute("src");
    this.player.load();
    this.player.hidden = true;
    this.view.show(null);
    this.view.span(null);
    View.fault("");
    return this.stop();
  }

  /** Ends a turn with what went wrong in it. */
  private fail(turn: number, text: string): void {
    if (turn !== this.turn) return;
    this.stop();
    View.fault(text);
  }

  private async listen(): Promise<void> {
    const turn = this.begin();
    View.state("listening", "Waiting for the microphone …");
    this.button.textContent = "Stop";
    const half = windowSeconds(this.card) / 2;
    let time = 0;
    let busy = false;
    const heard = async (window: Float32Array) => {
      time += half;
      if (turn !== this.turn || busy) return;
      busy = true; // a device that is too slow leaves windows out and stays with the sound
      const end = time;
      const probabilities = await this.model.probabilities(window);
      busy = false;
      if (turn !== this.turn) return;
      View.state("listening", "Listening to the microphone");
      View.notice(fault(window) ?? "");
      this.view.level(level(window));
      this.view.show(probabilities);
      this.view.add(end - half, half, probabilities);
    };
    try {
      const microphone = await Microphone.open(
        this.card,
        (window) => void heard(window).catch((error) => this.fail(turn, failed(error))),
        () => this.fail(turn, "The microphone was taken away."),
      );
      if (turn === this.turn) this.microphone = microphone;
      else microphone.close();
    } catch (error) {
      this.fail(turn, (error as Error).message);
    }
  }

  private async read(file: File): Promise<void> {
    const turn = this.begin();
    View.state("working", `Reading “${file.name}” …`);
    const recording = await Recording.of(file, this.card).catch((error: Error) => {
      this.fail(turn, `“${file.name}” cannot be read as sound: ${error.message}`);
    });
    if (recording && turn === this.turn) await this.classify(recording, turn, file);
  }

  private async classify(recording: Recording, turn: number, file: File): Promise<void> {
    try {
      const seconds = windowSeconds(this.card);
      const count = recording.windows.length;
      this.view.span(count * seconds);
      const all: number[][] = [];
      for (const window of recording.windows) {
        const probabilities = await this.model.probabilities(window);
        await new Promise((resume) => setTimeout(resume)); // lets the page draw and answer
        if (turn !== this.turn) return;
        this.view.show(probabilities);
        this.view.add(all.length * seconds, seconds, probabilities);
        all.push(probabilities);
        View.state("working", `“${recording.name}”: ${all.length} of ${count}`);
      }
      this.whole = mean(all);
      this.view.show(this.whole);
      this.player.src = URL.createObjectURL(file);
      this.player.hidden = false;
      View.notice(recording.doubts);
      View.state("done", recording.description);
    } catch (error) {
      this.fail(turn, failed(error));
    }
  }

  /** While a recording is played, what is shown is what is heard; then the whole of it again. */
  private follow(): void {
    if (this.whole === null) return;
    const playing = !this.player.paused && !this.player.ended;
    this.view.show(this.view.history.at(playing ? this.player.currentTime : null) ?? this.whole);
  }
}

function failed(error: unknown): string {
  return `The network does not run any more (${(error as Error).message}). Load the page again.`;
}
