import type { Card } from "./card";
import { Resampler } from "./resample";
import { interleaved } from "./sound";
import tap from "./tap.js?raw";

/** What is said where a microphone cannot be had, by the browser's name for the reason. */
const REASONS: Record<string, string> = {
  NotAllowedError:
    "The microphone is not allowed. Allow it for this page in the browser's settings, " +
    "or open a sound file.",
  NotFoundError: "There is no microphone. Connect one, or open a sound file.",
  NotReadableError: "The microphone is in use elsewhere. Close what uses it and try again.",
};

export class Microphone {
  private constructor(
    private readonly stream: MediaStream,
    private readonly context: AudioContext,
  ) {}

  /**
   * Opens the microphone.
   *
   * @param heard: takes the latest window, again after each half of one.
   * @param ended: called if the microphone is taken away.
   * @throws Error: with what to tell the user.
   */
  static async open(
    card: Card,
    heard: (window: Float32Array) => void,
    ended: () => void,
  ): Promise<Microphone> {
    // Pages from elsewhere than this machine must come by https to have one.
    if (navigator.mediaDevices === undefined) {
      throw new Error("The browser gives this page no microphone. Open a sound file.");
    }
    const stream = await navigator.mediaDevices.getUserMedia({ audio: raw(card) }).catch((error) => {
      throw new Error(REASONS[error.name] ?? `The microphone cannot be used (${error.message}).`);
    });
    const context = new AudioContext();
    const microphone = new Microphone(stream, context);
    try {
      await context.audioWorklet.addModule(`data:text/javascript,${encodeURIComponent(tap)}`);
      await context.resume();
    } catch (error) {
      microphone.close();
      throw new Error(`The microphone cannot be listened to (${String(error)}).`);
    }
    const node = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
    const latest = new Latest(card, context.sampleRate, heard);
    node.port.onmessage = ({ data }) => {
      for (const channels of data as Float32Array[][]) latest.add(channels);
    };
    context.createMediaStreamSource(stream).connect(node);
    stream.getAudioTracks()[0]!.onended = ended;
    return microphone;
  }

  close(): void {
    for (const track of this.stream.getTracks()) track.stop();
    void this.context.close();
  }
}

/** The scene is in what calls take out of the sound: noise, echoes, differences of level. */
function raw(card: Card): MediaTrackConstraints {
  return {
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
    channelCount: card.contract.channels,
  };
}

/** The latest window of a stream, at the network's rate. */
class Latest {
  private readonly resampler: Resampler;
  private readonly kept: Float32Array;
  private readonly half: number;
  private missing: number;

  /** @param rate: of the stream in Hz. */
  constructor(
    private readonly card: Card,
    rate: number,
    private readonly heard: (window: Float32Array) => void,
  ) {
    const { samples, channels, sample_rate } = card.contract;
    this.resampler = new Resampler(rate, sample_rate);
    const frames = this.resampler.takes(samples);
    this.kept = new Float32Array(frames * channels);
    this.half = Math.round((samples / sample_rate / 2) * rate);
    this.missing = frames;
  }

  /** @param given: the next samples of each channel of the stream. */
  add(given: Float32Array[]): void {
    const { channels } = this.card.contract;
    // A microphone with more channels than the network takes is heard by their mean or their first.
    const frames = interleaved(channels === 1 ? given : given.slice(0, channels), channels);
    this.kept.copyWithin(0, frames.length);
    this.kept.set(frames, this.kept.length - frames.length);
    this.missing -= frames.length / channels;
    if (this.missing <= 0) {
      this.missing += this.half;
      this.heard(this.window());
    }
  }

  private window(): Float32Array {
    const { samples, channels } = this.card.contract;
    const resampled = Array.from({ length: channels }, (_, channel) => {
      const one = this.kept.filter((_, k) => k % channels === channel);
      return this.resampler.resampled(one, samples);
    });
    return interleaved(resampled, channels);
  }
}
