import type { RgbPicture } from '../../../machines/ports/pose.ts'

const WIDTH_PX = 128
const HEIGHT_PX = 192

/** Left half of a person who stands upright with the arms a little away, in a frame of 2 × 3; the right half is its mirror image. */
const LEFT_HALF: readonly { readonly colour: readonly [number, number, number]; readonly outline: readonly Point[] }[] =
  [
    { colour: [223, 230, 234], outline: rectangle(0, 0, 1, 3) },
    { colour: [190, 195, 200], outline: rectangle(0, 2.6, 1, 3) },
    {
      colour: [49, 64, 90],
      outline: [
        [0.71, 1.62],
        [0.77, 2.35],
        [0.78, 2.77],
        [0.94, 2.77],
        [0.98, 2],
        [1, 1.9],
        [1, 1.62],
      ],
    },
    {
      colour: [58, 50, 48],
      outline: [
        [0.8, 2.74],
        [0.66, 2.82],
        [0.67, 2.86],
        [0.93, 2.86],
        [0.94, 2.74],
      ],
    },
    {
      colour: [241, 201, 165],
      outline: [
        [0.63, 1.1],
        [0.56, 1.6],
        [0.55, 1.75],
        [0.6, 1.82],
        [0.64, 1.65],
        [0.75, 1.15],
      ],
    },
    {
      colour: [154, 165, 177],
      outline: [
        [0.9, 0.74],
        [0.72, 0.8],
        [0.64, 0.9],
        [0.6, 1.19],
        [0.74, 1.23],
        [0.72, 1.68],
        [1, 1.72],
        [1, 0.74],
      ],
    },
    {
      colour: [241, 201, 165],
      outline: [
        [0.905, 0.6],
        [0.905, 0.78],
        [1, 0.83],
        [1, 0.6],
      ],
    },
    {
      colour: [43, 29, 22],
      outline: [
        [1, 0.2],
        [0.9, 0.22],
        [0.82, 0.32],
        [0.82, 0.47],
        [1, 0.47],
      ],
    },
    {
      colour: [241, 201, 165],
      outline: [
        [1, 0.34],
        [0.87, 0.36],
        [0.83, 0.45],
        [0.84, 0.56],
        [0.9, 0.65],
        [1, 0.7],
      ],
    },
    { colour: [42, 35, 32], outline: rectangle(0.905, 0.455, 0.94, 0.49) },
    { colour: [140, 59, 53], outline: rectangle(0.95, 0.6, 1, 0.615) },
  ]

type Point = readonly [x: number, y: number]

/** Where the figure's nose, shoulders and ankles are, as shares of the picture, by BlazePose's numbers. */
export const figurePoints: Readonly<Record<number, Point>> = {
  0: [0.5, 0.18],
  11: [0.64, 0.295],
  12: [0.36, 0.295],
  27: [0.57, 0.9],
  28: [0.43, 0.9],
}

/** A standing person, drawn: what an engine must find before it is trusted. */
export const drawFigure = (): RgbPicture => {
  const rgb = new Uint8Array(WIDTH_PX * HEIGHT_PX * 3)
  for (let y = 0; y < HEIGHT_PX; y++) for (let x = 0; x < WIDTH_PX; x++) rgb.set(colourAt(x, y), (y * WIDTH_PX + x) * 3)
  return { rgb, width: WIDTH_PX, height: HEIGHT_PX }
}

const colourAt = (x: number, y: number): readonly number[] => {
  const scale = 2 / WIDTH_PX
  const left = Math.min(x, WIDTH_PX - 1 - x) + 0.5
  return LEFT_HALF.findLast(({ outline }) => holds(outline, left * scale, (y + 0.5) * scale))?.colour ?? [0, 0, 0]
}

/** Whether a point lies in a polygon: a ray from it crosses the outline an odd number of times. */
const holds = (outline: readonly Point[], x: number, y: number): boolean =>
  outline.reduce((inside, [x1, y1], index) => {
    const [x2, y2] = outline[(index + 1) % outline.length] ?? [x1, y1]
    const crosses = y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1
    return crosses ? !inside : inside
  }, false)

function rectangle(left: number, top: number, right: number, bottom: number): Point[] {
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ]
}
