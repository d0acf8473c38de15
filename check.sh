#!/usr/bin/env bash
# What a change must pass: restore, build (warnings are errors), whitespace, publish, tests.
# Prints the seconds of each stage and, last, "N passed, N failed, N skipped".
# Built as it is shipped (Release), once: the server and the trainer that tests start are what the Dockerfile publishes.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
export DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1 NO_COLOR=1
# One compiler for all projects, warm after the first: with one each, most of the build is starting compilers.
export UseSharedCompilation=true
trap 'dotnet build-server shutdown --vbcscompiler >/dev/null 2>&1' EXIT

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
published=$PWD/artifacts/published/server

# Reads files alone and needs no build, so it runs beside it.
begin_whitespace() {
  dotnet format whitespace . --folder --exclude artifacts --verify-no-changes >"$whitespace_log" 2>&1 &
  whitespace=$!
}

end_whitespace() {
  wait "$whitespace"
  local rc=$?
  cat "$whitespace_log"
  return $rc
}

# The publish lines of the Dockerfile, compiled ahead of time, with the build arguments' defaults.
publish() {
  rm -rf "$published"
  local line lines
  lines=$(sed -nE 's/^RUN (dotnet publish .*)/\1/p' Dockerfile)
  [ -n "$lines" ] || return 1
  while IFS= read -r line; do
    line=${line//'${ORT_FLAVOR}'/cpu}
    line=${line//'${LLMOS_TORCH}'/cpu}
    line=${line//'/out/server'/"$published"}
    # shellcheck disable=SC2086 # words are meant to be split
    $line -nologo -v quiet </dev/null || return
  done <<<"$lines"
}

run_tests() {
  # Modules mostly wait for servers and trainers that they have started, so more of them run than there are cores.
  LLMOS_PUBLISHED=$published dotnet test -c Release --no-build --no-ansi --no-progress --max-parallel-test-modules "${LLMOS_TEST_MODULES:-3}" \
    --report-xunit-ctrf --results-directory "$PWD/artifacts/results" 2>&1 | tee "$log"
  return "${PIPESTATUS[0]}"
}

mkdir -p artifacts
rm -rf artifacts/results
whitespace_log=artifacts/whitespace.log
# The properties of the publish lines, so that they find everything restored.
stage restore dotnet restore LlmOs.sln -p:PublishReadyToRun=true || stop restore
begin_whitespace
stage build dotnet build LlmOs.sln -c Release --no-restore -nologo -v quiet || stop build
stage publish publish || stop publish
stage whitespace end_whitespace || stop whitespace
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
