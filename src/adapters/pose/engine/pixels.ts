/** Takes pictures' bytes out of a pipe, one after the other into the same memory. */
export class PixelReader {
  readonly #take: (bytes: Uint8Array) => number
  #block = new Uint8Array()

  /** @param take fills the first of these bytes, at least one, and tells how many; 0 where the pipe ends. */
  constructor(take: (bytes: Uint8Array) => number) {
    this.#take = take
  }

  /** Waits for so many bytes; they are the caller's until `forget`. @throws Error when the pipe ends before. */
  read(length: number): Uint8Array {
    if (this.#block.length < length) this.#block = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      const count = this.#take(this.#block.subarray(at, length))
      if (count === 0) throw new Error('a picture ends too early')
      at += count
    }
    return this.#block.subarray(0, length)
  }

  /** Nothing of a picture is kept once it was looked at. */
  forget(): void {
    this.#block.fill(0)
  }
}
