#!/usr/bin/env bash
# Makes build/bench/venv with the packages of requirements.txt; does nothing if they are there already.
# Prints the one reason on stderr and exits with 1 where it cannot.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$(cd "$here/../../.." && pwd)/build/bench/venv

cmp -s "$here/requirements.txt" "$venv/installed.txt" && exit 0

fail() {
  echo "$1" >&2
  exit 1
}

python3 -m venv --clear "$venv" 2>/dev/null || fail 'python3 with its module venv is missing'
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
  --requirement "$here/requirements.txt" || fail 'pip could not install requirements.txt'
cp "$here/requirements.txt" "$venv/installed.txt"
