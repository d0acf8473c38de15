#!/usr/bin/env bash
# What a change must pass: restore, build (warnings are errors), whitespace, tests.
# Prints the seconds of each stage and, last, "N passed, N failed, N skipped".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
export DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1 NO_COLOR=1

stage() {
  local name=$1 begin=$SECONDS rc
  shift
  echo "== $name: $*"
  "$@"
  rc=$?
  echo "== $name: $((SECONDS - begin)) s"
  return $rc
}

# A stage that breaks before the tests still ends with the closing line, as one failure.
stop() {
  echo "The stage '$1' failed."
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

log=artifacts/test.log
run_tests() {
  dotnet test --no-ansi --no-progress 2>&1 | tee "$log"
  return "${PIPESTATUS[0]}"
}

stage restore dotnet restore LlmOs.sln || stop restore
stage build dotnet build LlmOs.sln --no-restore -nologo -v quiet || stop build
stage whitespace dotnet format whitespace LlmOs.sln --no-restore --verify-no-changes || stop whitespace
mkdir -p artifacts
stage test run_tests
rc=$?

read -r passed failed skipped < <(awk '
  /^Test run summary:/ { summary = 1 }
  summary && /^ *succeeded:/ { p = $2 }
  summary && /^ *failed:/ { f = $2 }
  summary && /^ *skipped:/ { s = $2 }
  END { print p + 0, f + 0, s + 0 }' "$log")
# A runner that died, or that found nothing to run, has counted no failure of its own.
[ $rc -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
[ $((passed + failed)) -eq 0 ] && failed=1
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
