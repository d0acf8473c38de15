#!/usr/bin/env bash
# usage: tools/add-migration.sh NAME   adds a migration for each database (docs/upgrading.md)
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:?usage: tools/add-migration.sh NAME}
dotnet tool restore
dotnet build src/LlmOs.Server --nologo -v q
for provider in Sqlite Postgres; do
  dotnet ef migrations add "$name" --no-build --project src/LlmOs.Server \
    --context "${provider}Db" --output-dir "Migrations/$provider"
done
