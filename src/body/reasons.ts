import { z } from 'zod'

/** Why a photo will not do, and what the person can do about it. All that apply are told. */
export const REASONS = {
  no_person: 'Nobody can be made out. Use a photo of one person, standing, from head to feet.',
  several_people: 'More than one person is in the photo. Use one with nobody else in it.',
  head_out_of_frame: 'The head is cut off. Step back until there is room above it.',
  feet_out_of_frame: 'The feet are cut off or hidden. Step back until there is floor below them.',
  not_standing: 'Stand upright with straight legs, arms a little away from the body.',
  turned: 'Face the camera straight on.',
  not_from_the_side: 'For the photo from the side, turn by a quarter so that one shoulder points at the camera.',
  tilted: 'Hold the camera upright.',
  too_small: 'The person is too small in the photo. Come nearer, or use a larger photo.',
  implausible:
    'The proportions are not those of a person. Use a photo, from chest height and a few steps away, not a drawing.',
} as const
export const Reason = z.enum(Object.keys(REASONS) as [ReasonCode, ...ReasonCode[]])
type ReasonCode = keyof typeof REASONS
export type Reason = z.infer<typeof Reason>

/** What makes an answer less sure than the numbers alone tell, and what would help. */
export const WARNINGS = {
  arms_close_to_body: 'The arms touch the body, so that its width cannot be seen. Hold them a little away.',
  slightly_turned: 'The body is turned a little. Face the camera straight on.',
  camera_not_level: 'The camera looked down. Hold it level, at the height of the waist, and step back.',
  loose_clothes: 'The clothes seem loose for this weight. Wear something close-fitting for a better estimate.',
  weight_disagrees: 'The body looks slimmer than this weight. Please check it; the estimate does without.',
  side_photo_not_used:
    'The photo from the side could not be used. Stand upright, from head to feet, one shoulder to the camera.',
  unusual_build: 'Few people of this build were measured, so that the estimate is less sure.',
  size_at_end_of_chart: 'The size is at the end of the chart; it may not go far enough.',
} as const
export const Warning = z.enum(Object.keys(WARNINGS) as [WarningCode, ...WarningCode[]])
type WarningCode = keyof typeof WARNINGS
export type Warning = z.infer<typeof Warning>
