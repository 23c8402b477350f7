import sharp from 'sharp'

const WIDTH_PX = 800
const HEIGHT_PX = 1_200
const GARMENT_PX = 800
const QUALITY = 88

const SKINS = ['#f1c9a5', '#d9a47a', '#a86f45', '#6e4428', '#e6b58f']
const HAIRS = ['#2b1d16', '#5a3a22', '#1a1a1f', '#8a5a2b', '#3d2b2b']
const SHIRTS = ['#9aa5b1', '#b8b09c', '#8f9a8b', '#a89aa8', '#a7a29a']
const TROUSERS = ['#31405a', '#4a4238', '#2f3a36', '#3b3550', '#464b52']
const WALLS = ['#dfe6ea', '#ebe3d8', '#dde8df', '#e8dfe6', '#e3e6d8']
const FABRICS = ['#c2413b', '#1f6f8b', '#e0a030', '#4b7f52', '#7a4fa0', '#d0607f']
const PRINTS = ['#ffffff', '#f7e9c8', '#18222f', '#ffe27a']

/** A person to dress, drawn: a JPEG of 800 x 1200. Seeds (any integer) differ in colours and hair. */
export const drawPerson = (seed: number): Promise<Uint8Array> => toJpeg(personSvg(seed))

/** A t-shirt on white, drawn: a JPEG of 800 x 800. Seeds (any integer) differ in colour and pattern. */
export const drawGarment = (seed: number): Promise<Uint8Array> => toJpeg(garmentSvg(seed))

const toJpeg = async (svg: string): Promise<Uint8Array> =>
  sharp(Buffer.from(svg)).flatten({ background: '#ffffff' }).jpeg({ quality: QUALITY }).toBuffer()

/** Each list is turned at its own pace, so that neighbouring seeds share little. */
const pick = (list: readonly string[], seed: number, pace: number): string =>
  list[Math.abs(Math.trunc(seed) * pace + pace) % list.length] ?? ''

function personSvg(seed: number): string {
  const skin = pick(SKINS, seed, 3)
  const hair = pick(HAIRS, seed, 2)
  const shirt = pick(SHIRTS, seed, 4)
  const trousers = pick(TROUSERS, seed, 1)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH_PX} ${HEIGHT_PX}" width="${WIDTH_PX}" height="${HEIGHT_PX}">
  ${roomSvg(pick(WALLS, seed, 1))}
  <ellipse cx="400" cy="1130" rx="190" ry="20" fill="#000" opacity=".16"/>
  ${legsSvg(trousers)}
  ${armSvg(skin, shirt)}<g transform="matrix(-1 0 0 1 800 0)">${armSvg(skin, shirt)}</g>
  <path d="M362 236V318Q400 352 438 318V236Z" fill="${skin}"/><path d="M362 262Q400 306 438 262V282Q400 322 362 282Z" fill="#000" opacity=".12"/>
  <path d="M358 296Q318 308 288 322Q270 334 272 372L292 480Q296 560 284 672Q400 700 516 672Q504 560 508 480L528 372Q530 334 512 322Q482 308 442 296Q400 344 358 296Z" fill="${shirt}"/>
  <path d="M358 296Q400 344 442 296L450 300Q400 364 350 300Z" fill="#000" opacity=".14"/>
  <path d="M292 480Q296 560 284 672Q310 679 334 682Q326 570 300 420Z" fill="#000" opacity=".07"/>
  ${headSvg(skin, hair, seed)}</svg>`
}

const roomSvg = (wall: string): string => `<defs>
  <linearGradient id="wall" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#fff" stop-opacity=".35"/><stop offset="1" stop-color="#000" stop-opacity=".05"/></linearGradient></defs>
  <rect width="800" height="1200" fill="${wall}"/><rect width="800" height="1040" fill="url(#wall)"/>
  <rect y="1040" width="800" height="160" fill="#000" opacity=".1"/><rect y="1034" width="800" height="8" fill="#fff" opacity=".5"/>`

const legsSvg = (trousers: string): string => `
  <path d="M318 1096Q300 1128 262 1130Q256 1142 268 1144H372V1090Z" fill="#3a3230"/>
  <path d="M482 1096Q500 1128 538 1130Q544 1142 532 1144H428V1090Z" fill="#3a3230"/>
  <path d="M286 650Q282 800 306 940L312 1106H376L392 800Q396 770 400 760Q404 770 408 800L424 1106H488L494 940Q518 800 514 650Z" fill="${trousers}"/>
  <path d="M400 690V762Q396 790 394 830" fill="none" stroke="#000" stroke-opacity=".25" stroke-width="4"/>
  <path d="M345 800L348 1100M455 800L452 1100" stroke="#fff" stroke-opacity=".07" stroke-width="10"/>`

/** The left arm; the right one is its mirror image. */
const armSvg = (skin: string, shirt: string): string => `
  <path d="M250 450Q226 560 222 640Q216 668 222 700Q232 726 248 708Q258 690 256 660Q276 560 300 462Z" fill="${skin}"/>
  <path d="M292 320Q262 332 254 376L240 476Q270 496 304 486L316 400Z" fill="${shirt}"/>
  <path d="M240 476Q270 496 304 486L305 474Q272 484 242 464Z" fill="#000" opacity=".15"/>`

function headSvg(skin: string, hair: string, seed: number): string {
  const long = Math.abs(Math.trunc(seed)) % 2 === 1
  const back = `<path d="M316 170Q312 82 400 80Q488 82 484 170Q486 250 474 312Q448 330 440 290V200H360V290Q352 330 326 312Q314 250 316 170Z" fill="${hair}"/>`
  const top = `<path d="M330 186Q316 92 400 88Q484 92 470 186Q462 150 438 136Q390 150 352 134Q334 152 330 186Z" fill="${hair}"/>`
  return `${long ? back : ''}
  <ellipse cx="331" cy="196" rx="11" ry="20" fill="${skin}"/><ellipse cx="469" cy="196" rx="11" ry="20" fill="${skin}"/>
  <path d="M332 170Q334 108 400 106Q466 108 468 170Q468 226 446 252Q424 276 400 276Q376 276 354 252Q332 226 332 170Z" fill="${skin}"/>
  <path d="M354 172Q368 163 382 171M418 171Q432 163 446 172" fill="none" stroke="${hair}" stroke-width="6" stroke-linecap="round"/>
  <ellipse cx="369" cy="190" rx="6.5" ry="7.5" fill="#2a2320"/><ellipse cx="431" cy="190" rx="6.5" ry="7.5" fill="#2a2320"/>
  <path d="M400 196Q392 218 400 222" fill="none" stroke="#000" stroke-opacity=".25" stroke-width="4" stroke-linecap="round"/>
  <path d="M380 240Q400 254 420 240" fill="none" stroke="#8c3b35" stroke-width="6" stroke-linecap="round"/>
  ${top}`
}

function garmentSvg(seed: number): string {
  const fabric = pick(FABRICS, seed, 5)
  const shape =
    'M300 120Q400 200 500 120L560 140Q610 160 640 210L742 372L640 440L588 360L592 700Q400 724 208 700L212 360L160 440L58 372L160 210Q190 160 240 140Z'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 800" width="${GARMENT_PX}" height="${GARMENT_PX}">
  <defs><clipPath id="shirt"><path d="${shape}"/></clipPath>${patternSvg(seed, pick(PRINTS, seed, 3))}</defs>
  <rect width="800" height="800" fill="#ffffff"/>
  <g clip-path="url(#shirt)"><rect width="800" height="800" fill="${fabric}"/><rect width="800" height="800" fill="url(#print)" opacity=".85"/>
  <path d="M300 120Q400 200 500 120L520 128Q400 236 280 128Z" fill="#000" opacity=".28"/>
  <path d="M212 360L222 300Q206 270 214 232M588 360L578 300Q594 270 586 232" fill="none" stroke="#000" stroke-opacity=".3" stroke-width="5"/>
  <path d="M208 700L212 360Q240 520 256 712ZM592 700L588 360Q560 520 544 712Z" fill="#000" opacity=".1"/>
  <path d="M208 684Q400 708 592 684" fill="none" stroke="#000" stroke-opacity=".22" stroke-width="4" stroke-dasharray="9 6"/></g></svg>`
}

function patternSvg(seed: number, print: string): string {
  const tile = (size: number, content: string) =>
    `<pattern id="print" width="${size}" height="${size}" patternUnits="userSpaceOnUse">${content}</pattern>`
  const patterns = [
    tile(64, `<rect y="18" width="64" height="20" fill="${print}"/>`),
    tile(72, `<circle cx="18" cy="18" r="11" fill="${print}"/><circle cx="54" cy="54" r="11" fill="${print}"/>`),
    tile(80, `<path d="M0 52L40 22L80 52" fill="none" stroke="${print}" stroke-width="12"/>`),
    tile(
      70,
      `<path d="M0 0H14V70H0Z" fill="${print}" opacity=".8"/><path d="M0 0H70V14H0Z" fill="${print}" opacity=".5"/>`,
    ),
  ]
  return patterns[Math.abs(Math.trunc(seed)) % patterns.length] ?? ''
}
