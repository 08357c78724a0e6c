// Runs in the audio thread: hands what comes in to the page, in pieces of about 40 ms.
class Tap extends AudioWorkletProcessor {
  held = [];

  process([channels]) {
    if (channels.length > 0) this.held.push(channels.map((channel) => channel.slice()));
    if (this.held.length >= 16) {
      this.port.postMessage(this.held);
      this.held = [];
    }
    return true;
  }
}
registerProcessor("tap", Tap);
