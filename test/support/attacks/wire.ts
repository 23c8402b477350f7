import type { Socket } from 'node:net'

/** What a server does once it was asked. */
export type Serve = (socket: Socket) => void

export const JPEG_TYPE = 'content-type: image/jpeg'

/** The head of an answer that says that a picture follows. */
export const head = (...headers: readonly string[]): string => status('200 OK', JPEG_TYPE, ...headers)

export const status = (line: string, ...headers: readonly string[]): string =>
  `HTTP/1.1 ${line}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`

/** Says this and ends. */
export const says =
  (...parts: readonly (string | Uint8Array)[]): Serve =>
  (socket) => {
    for (const part of parts) socket.write(part)
    socket.end()
  }

/** Says this and then nothing, but stays. */
export const stalls =
  (...parts: readonly string[]): Serve =>
  (socket) => {
    for (const part of parts) socket.write(part)
  }

/** Says the piece as fast as it is taken, for ever. */
export const endless =
  (first: string, piece: string | Uint8Array): Serve =>
  (socket) => {
    socket.write(first)
    const block = Buffer.concat(Array.from({ length: 1 + Math.floor(32_768 / piece.length) }, () => Buffer.from(piece)))
    const more = () => {
      while (!socket.destroyed && socket.write(block));
    }
    socket.on('drain', more)
    more()
  }

/** Says a piece now and then, for ever. */
export const drips =
  (first: string, piece: string, everyMs = 20): Serve =>
  (socket) => {
    socket.write(first)
    const dripping = setInterval(() => socket.write(piece), everyMs)
    socket.on('close', () => clearInterval(dripping))
  }

/** Says this and resets the connection. */
export const resets =
  (...parts: readonly (string | Uint8Array)[]): Serve =>
  (socket) => {
    for (const part of parts) socket.write(part)
    setTimeout(() => socket.resetAndDestroy(), 20)
  }

/** One chunk of a chunked body. */
export const chunk = (bytes: string): string => `${bytes.length.toString(16)}\r\n${bytes}\r\n`
