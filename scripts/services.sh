#!/bin/sh
# Sees to the servers and programs that tests need: as root on Debian it installs what is missing, saying so first; elsewhere it lists
# what is missing with the command that installs it. With CI=true a missing one fails the run, else its tests are left out.
# Touches neither the network nor apt when all are there.
set -eu

# One line per server: its Debian package, then where one of its programs may lie (a pattern, or a name in the PATH).
services() {
  cat <<'TABLE'
postgresql /usr/lib/postgresql/*/bin/postgres postgres
redis-server redis-server
openssl openssl
prometheus promtool
shellcheck shellcheck
chromium chromium chromium-browser google-chrome
TABLE
}

# The packages of the servers whose programs are not there.
missing() {
  services | while read -r package places; do
    is_there "$places" || printf '%s ' "$package"
  done
}

is_there() {
  for place in $1; do # unquoted, so that a pattern becomes the files that match it
    if [ -x "$place" ] || command -v "$place" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

install_packages() {
  echo "These servers are needed by tests and will be installed with apt-get: $1"
  # shellcheck disable=SC2086 # several packages
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1 </dev/null
}

# Looks at the workflows; Go's registry has it. Without it one test is left out.
ACTIONLINT=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
modules=$(cd "$(dirname "$0")/.." && pwd)/node_modules
linter=$modules/.cache/bin/actionlint
if [ -d "$modules" ] && [ ! -x "$linter" ] && command -v go >/dev/null 2>&1 && ! command -v actionlint >/dev/null 2>&1; then
  echo "The linter of workflows will be installed with go: $ACTIONLINT"
  GOBIN=$modules/.cache/bin go install "$ACTIONLINT" || echo "go could not install it."
fi

packages=$(missing)
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  install_packages "$packages" || echo "apt-get could not install them."
  packages=$(missing)
  [ -n "$packages" ] || exit 0
fi

echo "Missing, so the tests that need them are left out: $packages"
echo "On Debian or Ubuntu this installs them: sudo apt-get install $packages"
[ "${CI:-}" != true ] || exit 1
