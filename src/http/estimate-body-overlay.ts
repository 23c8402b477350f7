import type { BodyAnswer, BodyRefusal } from '../body/answer.ts'
import { LEVELS } from '../body/features.ts'
import { LANDMARK, type LandmarkName, landmark, type SeenBody, type SeenCloseUp } from '../body/sight.ts'
import { frontBreadth } from '../body/trunk.ts'
import { lettering, widthPx } from '../pictures/lettering.ts'
import type { SeenPhoto } from './estimate-body-photo.ts'

/** A landmark that the model is less sure of is drawn in the colour of doubt. */
const SURE = 0.5
const COLORS = {
  sure: '#35e07c',
  doubt: '#ff9f1c',
  width: '#ff3cac',
  person: '#3cc8ff',
  words: '#ffffff',
  panel: '#000000',
}

const BONES: readonly (readonly [LandmarkName, LandmarkName])[] = [
  ['leftShoulder', 'rightShoulder'],
  ['leftHip', 'rightHip'],
  ['leftShoulder', 'leftHip'],
  ['rightShoulder', 'rightHip'],
  ...(['left', 'right'] as const).flatMap((side) => [
    [`${side}Shoulder`, `${side}Elbow`] as const,
    [`${side}Elbow`, `${side}Wrist`] as const,
    [`${side}Hip`, `${side}Knee`] as const,
    [`${side}Knee`, `${side}Ankle`] as const,
    [`${side}Ankle`, `${side}Heel`] as const,
    [`${side}Heel`, `${side}Toe`] as const,
  ]),
]
const NAMES = Object.keys(LANDMARK) as LandmarkName[]

/** What was seen in a photo, to be laid over it: the skeleton, the widths that were taken, other people, and what came of it. */
export const overlaySvg = ({ photo, estimate }: SeenPhoto, outcome: BodyAnswer | BodyRefusal): string => {
  const { width, height } = photo
  const line = Math.max(1, Math.hypot(width, height) / 400)
  const { body, people } = estimate
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
  ${people.map(({ box }) => boxSvg(box, line)).join('')}
  ${body === null ? '' : skeletonSvg(body, line) + (body.closeUp === null ? '' : widthsSvg(body.closeUp, line))}
  ${panelSvg('reasons' in outcome ? wordsOfRefusal(outcome) : wordsOfAnswer(outcome), Math.max(6, height / 60), width)}</svg>`
}

const boxSvg = ({ xMin, yMin, xMax, yMax }: SeenPhoto['estimate']['people'][number]['box'], line: number): string =>
  `<path d="M${px(xMin)} ${px(yMin)}H${px(xMax)}V${px(yMax)}H${px(xMin)}Z" fill="none" stroke="${COLORS.person}" stroke-width="${px(line)}"/>`

const skeletonSvg = (body: SeenBody, line: number): string => {
  const bones = BONES.map(([from, to]) => {
    const [a, b] = [landmark(body, from), landmark(body, to)]
    return `<path d="M${px(a.x)} ${px(a.y)}L${px(b.x)} ${px(b.y)}" stroke="${colorOf(Math.min(a.visibility, b.visibility))}" stroke-width="${px(line)}"/>`
  })
  const joints = NAMES.map((name) => {
    const { x, y, visibility } = landmark(body, name)
    return `<circle cx="${px(x)}" cy="${px(y)}" r="${px(line * 2)}" fill="${colorOf(visibility)}"/>`
  })
  return [...bones, ...joints].join('')
}

const widthsSvg = (closeUp: SeenCloseUp, line: number): string =>
  LEVELS.map((level) => {
    const row = frontBreadth(closeUp, level)?.row
    if (row === undefined) return ''
    const { left, top, scale } = closeUp
    const [from, to, y] = [left + row.from * scale, left + row.to * scale, top + row.y * scale]
    return `<path d="M${px(from)} ${px(y)}H${px(to)}" stroke="${COLORS.width}" stroke-width="${px(line * 2)}"/>`
  }).join('')

const wordsOfAnswer = ({
  recommended_size: size,
  confidence,
  measurements,
  second_size,
  warnings,
}: BodyAnswer): string[] => [
  `SIZE ${size}  ${Math.round(confidence * 100)} OF 100${second_size === null ? '' : `  OR ${second_size}`}`,
  ...Object.entries(measurements).map(([name, cm]) => `${nameOf(name.replace(/_cm$/, ''))} ${cm.toFixed(1)} CM`),
  ...warnings.map(({ code }) => nameOf(code)),
]

const wordsOfRefusal = ({ reasons }: BodyRefusal): string[] => [
  'NO ESTIMATE:',
  ...reasons.map(({ code }) => nameOf(code)),
]

const nameOf = (code: string): string => code.replaceAll('_', ' ').toUpperCase()

/** Lines on a dark ground in the top left corner, no wider than the photo. */
const panelSvg = (lines: readonly string[], wanted: number, width: number): string => {
  const widest = Math.max(...lines.map((text) => widthPx({ text, heightPx: wanted })))
  const heightPx = wanted * Math.min(1, (width * 0.9) / (widest + 2 * wanted))
  const row = heightPx * 1.7
  const texts = lines.map((text, index) => {
    const drawn = lettering({ text, heightPx, strokePx: heightPx / 7, color: COLORS.words })
    return `<g transform="translate(${px(heightPx)} ${px(heightPx + index * row)})">${drawn}</g>`
  })
  const ground = `<path d="M0 0H${px((widest * heightPx) / wanted + 2 * heightPx)}V${px(lines.length * row + heightPx * 1.3)}H0Z" fill="${COLORS.panel}" opacity=".6"/>`
  return ground + texts.join('')
}

const colorOf = (visibility: number): string => (visibility >= SURE ? COLORS.sure : COLORS.doubt)
const px = (value: number): string => value.toFixed(1)
