#!/usr/bin/env bash
# Makes build/bench/venvs/PEER with the packages of PEER/requirements.txt; does nothing if they are
# there already. Prints the one reason on stderr and exits with 1 where it cannot. Argument: PEER.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/$1/requirements.txt
venv=$(cd "$here/../.." && pwd)/build/bench/venvs/$1

cmp -s "$requirements" "$venv/installed.txt" && exit 0

fail() {
  echo "$1" >&2
  exit 1
}

python3 -m venv --clear "$venv" 2>/dev/null || fail 'python3 with its module venv is missing'
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
  --requirement "$requirements" || fail 'pip could not install requirements.txt'
cp "$requirements" "$venv/installed.txt"
