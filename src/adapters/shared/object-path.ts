const PATH_MAX = 500
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/

/** A path that no object may have: it could leave the bucket, or mean something else in a URL or a file system. */
class BadObjectPath extends Error {
  constructor() {
    super('an object path has segments of A-Z a-z 0-9 . _ - that begin with no dot, with / between them')
    this.name = 'BadObjectPath'
  }
}

/** The segments of an object's path. @throws BadObjectPath */
export function objectSegments(path: string): string[] {
  const segments = path.split('/')
  if (path.length > PATH_MAX || !segments.every((segment) => SEGMENT.test(segment))) throw new BadObjectPath()
  return segments
}
