#!/usr/bin/env bash
# Prepares the starter's training text from its books, and checks that it is the same to the byte.
# usage: models/starter/make.sh BOOKS OUT.txt     BOOKS: a folder with the books of recipe.json; what is missing is fetched
# Then: POST /api/v1/training with the fields "training" of recipe.json and "text": "file:OUT.txt".
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
books=${1:?usage: make.sh BOOKS OUT.txt}
out=${2:?usage: make.sh BOOKS OUT.txt}
mkdir -p "$books"
: >"$out"
node -e '
  const recipe = require(process.argv[1]);
  for (const t of recipe.texts) console.log([t.file, t.from, t.to, t.sha256, t.address].join(" "));
  console.log(["-", 0, 0, recipe.prepared.sha256, "-"].join(" "));
' "$here/recipe.json" | while read -r file from to sha256 address; do
  if [ "$file" = - ]; then
    echo "$sha256  $out" | sha256sum --check
    continue
  fi
  [ -f "$books/$file" ] || curl -fsSL "$address" -o "$books/$file"
  echo "$sha256  $books/$file" | sha256sum --check --quiet
  awk -v from="$from" -v to="$to" -f "$here/prepare.awk" "$books/$file" >>"$out"
done
