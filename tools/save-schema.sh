#!/usr/bin/env bash
# usage: tools/save-schema.sh NAME   writes a filled database of the present schema for both providers to
#        tests/LlmOs.Server.Tests/Schemas/NAME (docs/upgrading.md). Needs PostgreSQL with pg_dump.
set -euo pipefail
cd "$(dirname "$0")/.."
export LLMOS_SAVE_SCHEMA=${1:?usage: tools/save-schema.sh NAME}
dotnet build tests/LlmOs.Server.Tests --nologo -v q
dotnet test --project tests/LlmOs.Server.Tests --no-build -- --explicit only --filter-class '*SchemaMaker'
ls -l "tests/LlmOs.Server.Tests/Schemas/$LLMOS_SAVE_SCHEMA"
