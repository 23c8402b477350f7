#!/bin/sh
# A docker that starts nothing: it notes what it is asked, and fails where the test says so. No other part of it is played.
#   $FAKE_DOCKER/asked    one line for each call, with the image that compose was given
#   $FAKE_DOCKER/missing, refused, sick   images that cannot be pulled, would change sessions, never become healthy
set -eu
echo "${WEARON_IMAGE:-} $*" >>"$FAKE_DOCKER/asked"
is_in() { grep -qxF -- "$2" "$FAKE_DOCKER/$1" 2>/dev/null; }
case "$*" in
  "image inspect"*) exit 1 ;;
  "pull --quiet "*) ! is_in missing "$3" ;;
  "compose run "*) ! is_in refused "$WEARON_IMAGE" ;;
  "compose up "*)
    echo "$WEARON_IMAGE" >"$FAKE_DOCKER/running"
    ! is_in sick "$WEARON_IMAGE"
    ;;
  *) ;;
esac
