#!/bin/sh
# Puts an image into service on the machine that it runs on, and puts back the one before when the new one does not become healthy.
#
#   scripts/deploy.sh IMAGE        by its digest, as in ghcr.io/owner/wearon@sha256:...
#   scripts/deploy.sh --rollback   the image that was in service before the present one
#
# May be repeated, also after it was broken off: what is there already is left as it is. Asks the new image first whether it would
# change sessions of the last days (wearon replay); DEPLOY_REPLAY=off leaves that out. DEPLOY_WAIT: seconds until all must be healthy.
# Ends with 0: in service; 1: not, and what ran before runs; 2: not, and neither does what ran before; 3: it could not begin.
set -eu
cd "$(dirname "$0")/.."

STATE=.deploy
WAIT=${DEPLOY_WAIT:-180}
SINCE=${DEPLOY_SINCE:-7d}

say() { echo "deploy: $1"; }
refuse() {
  say "$1" >&2
  exit 3
}

# What is noted under a name; nothing when nothing is.
noted() { cat "$STATE/$1" 2>/dev/null || true; }
# In one move, so that nobody reads half of it.
note() {
  printf '%s\n' "$2" >"$STATE/$1.new"
  mv "$STATE/$1.new" "$STATE/$1"
}

compose() {
  image=$1
  shift
  WEARON_IMAGE=$image docker compose "$@"
}

start() { compose "$1" up --detach --no-build --remove-orphans --wait --wait-timeout "$WAIT"; }

pull() { docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1"; }

# Whether the sessions that the present image left are the same to the new one.
passes() {
  [ "${DEPLOY_REPLAY:-on}" = off ] || compose "$1" run --rm --no-deps --no-TTY migrate wearon replay --since "$SINCE"
}

put_back() {
  [ -n "$1" ] || {
    say 'there is no image before it to go back to' >&2
    exit 2
  }
  say "going back to $1" >&2
  start "$1" || {
    say "and $1 does not become healthy either: see to docker compose ps, and docker compose logs" >&2
    exit 2
  }
  say "$1 is in service again" >&2
  exit 1
}

keep() {
  current=$(noted current)
  [ "$1" != "$current" ] || return 0
  oldest=$(noted previous)
  [ -z "$current" ] || note previous "$current"
  note current "$1"
  # Two are kept: the one in service, and the one to go back to.
  [ -z "$oldest" ] || [ "$oldest" = "$1" ] || docker image rm "$oldest" >/dev/null 2>&1 || true
}

[ $# = 1 ] || refuse 'give one image, or --rollback'
mkdir -p "$STATE"
exec 9>"$STATE/lock"
flock --nonblock 9 || refuse 'another deployment is running'
# A lost connection must not leave half of it.
trap '' HUP

present=$(noted current)
if [ "$1" = --rollback ]; then
  wanted=$(noted previous)
  [ -n "$wanted" ] || refuse 'no image was in service before the present one'
else
  wanted=$1
  pull "$wanted" || refuse "$wanted cannot be pulled"
  [ -z "$present" ] || [ "$present" = "$wanted" ] || passes "$wanted" || refuse "$wanted would change sessions (above): nothing was touched"
fi

say "putting $wanted into service"
start "$wanted" || {
  say "$wanted does not become healthy" >&2
  [ "$wanted" != "$present" ] || exit 2
  put_back "$present"
}
keep "$wanted"
say "$wanted is in service"
