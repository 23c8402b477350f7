/** A decoded picture, upright, without alpha: rows from the top, three bytes (R, G, B) a pixel, no padding. */
export interface RgbPicture {
  /** width × height × 3 bytes. */
  readonly rgb: Uint8Array
  /** px, 1 to `POSE_SIDE_MAX`. */
  readonly width: number
  readonly height: number
}

/** Longest side that an engine takes, px: a larger picture tells it nothing more, since it looks at 256 × 256. */
export const POSE_SIDE_MAX = 2048

/** One of BlazePose's 33 points in the picture. */
export interface Landmark {
  /** px from the picture's left and top edge; outside of it where the model supposes the point beyond the frame. */
  readonly x: number
  readonly y: number
  /** Depth relative to the middle of the hips, about px; smaller is nearer to the camera. */
  readonly z: number
  /** 0..1: how sure the model is that the point is in the picture and not hidden. */
  readonly visibility: number
}

/** The same point on an average body: metres from the middle of the hips, x to the right, y down, z away from the camera. */
export interface WorldLandmark {
  readonly x: number
  readonly y: number
  readonly z: number
  readonly visibility: number
}

/** What BlazePose full finds: the one body that fills most of the picture. */
export interface BodyPose {
  /** 33, numbered as BlazePose's topology: 0 nose, 2 and 5 eyes, 11/12 shoulders, 23/24 hips, 29/30 heels (odd: left). */
  readonly landmarks: readonly Landmark[]
  /** 33, in the same order. */
  readonly world: readonly WorldLandmark[]
  /** 0..1: whether there is a person at all. */
  readonly score: number
  /** Null where the second look finds nobody. */
  readonly closeUp: CloseUp | null
}

/**
 * The same body in a picture of its own, square and upright, to be measured in: copies of a photo (mirrored, smaller, compressed) mostly
 * lead to the same one. Its points and pixels are its own px.
 */
export interface CloseUp {
  /** px */
  readonly side: number
  readonly landmarks: readonly Omit<Landmark, 'z'>[]
  readonly world: readonly Omit<WorldLandmark, 'visibility'>[]
  /** side × side bytes, rows from the top: 0 (background) to 255 (certainly this person). */
  readonly mask: Uint8Array
  /** Where it lies in the photo: its upper left corner, and px of the photo for each of its own. */
  readonly left: number
  readonly top: number
  readonly scale: number
}

/** One person as MoveNet multipose sees it: a second opinion. */
export interface PersonSeen {
  /** 17, in COCO's order: 0 nose, 1/2 eyes, 3/4 ears, 5/6 shoulders, 11/12 hips, 13/14 knees, 15/16 ankles (odd: left). px. */
  readonly keypoints: readonly { readonly x: number; readonly y: number; readonly score: number }[]
  /** 0..1 */
  readonly score: number
  /** px */
  readonly box: { readonly xMin: number; readonly yMin: number; readonly xMax: number; readonly yMax: number }
}

export interface PoseEstimate {
  /** Null where BlazePose finds nobody. */
  readonly body: BodyPose | null
  /** MoveNet's people, the best score first, at most 6. */
  readonly people: readonly PersonSeen[]
  /** ms: waited for a free engine, then spent in each model. */
  readonly timing: { readonly queuedMs: number; readonly blazePoseMs: number; readonly moveNetMs: number }
}

/**
 * Why there is no estimate; the request can be repeated after a while, at the earliest after `retryAfterMs`.
 * `saturated`: too many wait already. `model_not_ready`: no engine is loaded (yet, or any more).
 * `engine_crashed`: the engine died over this picture or answered nonsense. `deadline`: there was no answer in time.
 */
export interface NoEstimate {
  readonly code: 'saturated' | 'model_not_ready' | 'engine_crashed' | 'deadline'
  readonly retryAfterMs: number
}

/** The models' life: `loading` until the first engine passed its self-test, `failed` while no engine is left and a new try waits. */
export interface PoseModelStatus {
  readonly state: 'loading' | 'ready' | 'failed' | 'retrying' | 'closed'
  /** Which engine runs; null before the first one is ready. */
  readonly backend: 'node' | 'wasm' | null
  /** For operators: why the last engine failed; null when none did since the models were last ready. */
  readonly reason: string | null
  readonly enginesReady: number
  readonly engines: number
  /** Requests that wait for a free engine. */
  readonly waiting: number
}

/** Finds people in pictures. The same picture gives the same answer, whatever came before it. */
export interface PoseEngine {
  /**
   * @throws RangeError when the picture is larger than `POSE_SIDE_MAX` or its bytes do not fit its size; the signal's reason
   * once it aborts.
   */
  estimate(picture: RgbPicture, signal: AbortSignal): Promise<PoseEstimate | NoEstimate>
  status(): PoseModelStatus
  /** Ends every engine; whoever waits gets `model_not_ready`. */
  close(): Promise<void>
}
