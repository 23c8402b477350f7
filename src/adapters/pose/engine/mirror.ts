/** A square picture as in a mirror, with so many values a pixel. */
export const mirrored = (values: Float32Array, size: number, channels: number): Float32Array => {
  const other = new Float32Array(values.length)
  for (let pixel = 0; pixel < size * size; pixel++) {
    const column = pixel % size
    const twin = pixel - column + (size - 1 - column)
    for (let channel = 0; channel < channels; channel++)
      other[twin * channels + channel] = values[pixel * channels + channel] ?? 0
  }
  return other
}

/** BlazePose's points with left and right exchanged: 1-3 and 4-6 are the eyes, and from 7 on they take turns. */
export const twinOf = <T>(points: readonly T[]): T[] => points.map((point, index) => points[twinIndex(index)] ?? point)

const twinIndex = (index: number): number => {
  if (index === 0) return 0
  if (index <= 6) return index <= 3 ? index + 3 : index - 3
  return index % 2 === 1 ? index + 1 : index - 1
}
