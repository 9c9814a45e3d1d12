#!/bin/sh
# Unpacks what carry.mjs has packed, and runs it: run.sh [test|bench|all] [options of test:gpu and bench:gpu]
# Results go to $OUT, or to a folder beside this script.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=${WARMSWAP_GPU_FOLDER:-${TMPDIR:-/tmp}/warmswap-gpu}
out=${OUT:-$here/results}

case "${1:-}" in
  test | bench | all) what=$1 && shift ;;
  '' | -*) what=all ;;
  *) echo "usage: run.sh [test|bench|all] [options]" >&2 && exit 2 ;;
esac

# Parts that are still on their way are named.
(cd "$here" && sha256sum --check --quiet SHA256SUMS)
if ! cmp -s "$here/SHA256SUMS" "$target/SHA256SUMS"; then
  rm -rf "$target"
  mkdir -p "$target"
  cat "$here"/part-* | tar -xzf - -C "$target"
  cp "$here/SHA256SUMS" "$target/SHA256SUMS"
fi

library=
for path in "$target"/ort/libonnxruntime.so*; do
  [ -e "$path" ] && library=$path && break
done
[ -n "$library" ] && set -- --ort-library "$library" "$@"
export LD_LIBRARY_PATH="$target/cuda${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export PATH="$target/bin:$PATH"

cd "$target"
mkdir -p "$out"
status=0
if [ "$what" != bench ]; then
  node --import tsx test/gpu/main.ts "$@" || status=$?
  cp build/test-gpu.json "$out/" || status=1
fi
if [ "$what" != test ]; then
  node --import tsx bench/gpu/main.ts "$@" || status=$?
  cp build/bench/gpu.json "$out/" || status=1
fi
exit "$status"
