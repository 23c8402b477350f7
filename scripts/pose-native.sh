#!/bin/sh
# Installs the native engine of the body estimate, tfjs-node, from the npm registry and PyPI alone: its own install script
# downloads TensorFlow from a host that many networks do not reach. Optional: without it WebAssembly does the same work. Does nothing
# when it is there. For Linux on x86-64 with g++, Python 3 with pip, and Node's headers; prints what disk it takes at its end.
set -eu
cd "$(dirname "$0")/.."

FOLDER=$PWD/node_modules/.cache/pose-native
TFJS=@tensorflow/tfjs-node
VERSION=4.22.0
# Its libraries are built from the same source as libtensorflow, and tfjs-node works on them.
TENSORFLOW=2.15.1
WHEEL_SHA256=54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26

fail() {
  echo "pose-native: $1" >&2
  exit 1
}

if find "$FOLDER/node_modules/$TFJS/lib" -name tfjs_binding.node 2>/dev/null | grep -q .; then exit 0; fi

[ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || fail 'the libraries on PyPI are for Linux on x86-64'
for program in npm node python3 g++ make sha256sum; do
  command -v "$program" >/dev/null || fail "$program is missing"
done

# Node 24 itself, as every command of ours; Node's headers where they lie beside some Node of this machine.
PATH=$PWD/node_modules/.bin:$PATH
for prefix in ${npm_config_nodedir:-} "$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")" /usr/local /usr; do
  [ -f "$prefix/include/node/node_api.h" ] && export npm_config_nodedir="$prefix" && break
done

rm -rf "$FOLDER"
mkdir -p "$FOLDER/wheel"
# What was begun and not ended would be taken for an engine.
trap 'rm -rf "$FOLDER"' EXIT

echo "Installing $TFJS $VERSION ..."
echo '{ "private": true }' >"$FOLDER/package.json"
npm install --prefix "$FOLDER" --loglevel=error --ignore-scripts "$TFJS@$VERSION"

echo "Fetching TensorFlow $TENSORFLOW from PyPI (207 MB) ..."
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --implementation cp \
  --python-version 3.11 --abi cp311 --platform manylinux_2_17_x86_64 --dest "$FOLDER/wheel" "tensorflow-cpu==$TENSORFLOW"
echo "$WHEEL_SHA256  $(echo "$FOLDER"/wheel/*.whl)" | sha256sum --check --quiet || fail 'PyPI sent another file than expected'

deps=$FOLDER/node_modules/$TFJS/deps
mkdir -p "$deps/lib"
python3 - "$FOLDER"/wheel/*.whl "$FOLDER/wheel" <<'PYTHON'
import sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist()
        if name.startswith("tensorflow/include/") or name in ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")])
PYTHON
mv "$FOLDER/wheel/tensorflow/include" "$deps/include"
mv "$FOLDER"/wheel/tensorflow/libtensorflow_*.so.2 "$deps/lib"
for link in libtensorflow.so libtensorflow.so.2 libtensorflow.so.2.9.1; do ln -s libtensorflow_cc.so.2 "$deps/lib/$link"; done
ln -s libtensorflow_framework.so.2 "$deps/lib/libtensorflow_framework.so"

echo 'Compiling the addon ...'
npm rebuild --prefix "$FOLDER" --loglevel=error --build-from-source "$TFJS"
rm -rf "$FOLDER/wheel" "$deps/include"
find "$FOLDER/node_modules/$TFJS/lib" -name tfjs_binding.node | grep -q . || fail 'the addon was not built'
trap - EXIT
echo "The native engine lies in $FOLDER ($(du -sm "$FOLDER" | cut -f1) MB)."
