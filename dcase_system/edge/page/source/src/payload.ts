/** Something that the page carries: compressed and in base64, in an element of its own. */
export async function payload(id: string): Promise<Uint8Array<ArrayBuffer>> {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`this page carries no ${id}`);
  const packed = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
  // It is megabytes of text, and read once.
  element.remove();
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

export async function payloadJson<Value>(id: string): Promise<Value> {
  return JSON.parse(new TextDecoder().decode(await payload(id))) as Value;
}
