#!/usr/bin/env bash
# Compare the ownership map with a repository's infrastructure, in a pipeline. Runs in the repository's folder.
#
# All that it is told comes in variables (docs/pull-requests.md), and none of them is evaluated: a branch or a path may
# have any name. Exit status: 0 no drift, 1 drift, 2 something could not be read.
set -euo pipefail

# Never import what lies in the repository: a pull request may come from anyone.
export PYTHONSAFEPATH=1

registry=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
reader=${DRIFT_READER:-serverless}
format=${DRIFT_FORMAT:-text}
output=${DRIFT_OUTPUT:-}

fail() {
  printf 'drift: %s\n' "$1" >&2
  exit 2
}

[[ $reader =~ ^[a-z]+$ ]] || fail "there is no reader $reader"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A Python that has the requirements already, or one made for this run.
python=${DRIFT_PYTHON:-}
if [[ -z $python ]]; then
  command -v python3 >/dev/null || fail 'Python 3.11 or newer is needed'
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail 'Python 3.11 or newer is needed'
  python3 -m venv "$work/venv" || fail 'no virtual environment: install python3-venv'
  python=$work/venv/bin/python
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --require-hashes --requirement "$registry/deploy/drift/requirements.txt" || fail 'the requirements were not installed'
fi

# One value a line; blank lines count for nothing.
paths=()
while IFS= read -r line; do
  [[ -z ${line//[[:space:]]/} ]] || paths+=("$line")
done <<<"${DRIFT_PATH:-.}"
options=()
while IFS= read -r line; do
  [[ -z ${line//[[:space:]]/} ]] || options+=("$line")
done <<<"${DRIFT_OPTIONS:-}"

arguments=("$reader" "--format=$format")
[[ -z ${DRIFT_REGISTRY:-} ]] || arguments+=("--registry=$DRIFT_REGISTRY")
[[ -z ${DRIFT_ENVIRONMENT:-} ]] || arguments+=("--environment=$DRIFT_ENVIRONMENT")
[[ -z ${DRIFT_BASELINE:-} ]] || arguments+=("--baseline=$DRIFT_BASELINE")
arguments+=("${options[@]}")
[[ $reader == dynamodb ]] || arguments+=(-- "${paths[@]}")

status=0
if [[ -z $output ]]; then
  PYTHONPATH=$registry "$python" -m ownership.drift "${arguments[@]}" || status=$?
else
  PYTHONPATH=$registry "$python" -m ownership.drift "${arguments[@]}" >"$work/report" || status=$?
  # An empty report is none: whoever takes it would complain of its form.
  [[ ! -s $work/report ]] || cp -- "$work/report" "$output"
fi
exit "$status"
