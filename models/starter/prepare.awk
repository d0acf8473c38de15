# Turns one book of Project Gutenberg into training text: a story a document, a paragraph a line.
#   awk -v from=FIRST_LINE -v to=LAST_LINE -f prepare.awk BOOK.txt
# Rules, in order:
#   1. Only lines from..to count (the book's stories: no licence, preface, contents, notes).
#   2. Quotation marks, apostrophes, dashes and ellipses become ASCII; underscores and equals signs (italics) go;
#      "[Illustration...]" and marks of footnotes ("[12]", "(3)", "*") go.
#   3. A block is what stands between empty lines; its lines are joined by single spaces.
#   4. A block is a heading if it has no lower-case letter, or if two empty lines or more stand before it, it has at most
#      70 characters and does not end a sentence. Headings are dropped; what follows one is a new document.
#   5. Blocks without a letter, of footnotes (they begin with a mark), and "[...]" blocks are dropped.
BEGIN { blanks = 9; fresh = 1 }

NR >= from && NR <= to { line($0) }

END { flush() }

function line(text) {
  sub(/\r$/, "", text)
  sub(/^\357\273\277/, "", text)
  gsub(/\342\200[\230\231]/, "'", text)
  gsub(/\342\200[\234\235]/, "\"", text)
  gsub(/\342\200[\223\224]/, "--", text)
  gsub(/\342\200\246/, "...", text)
  gsub(/[_=]/, "", text)
  if (text ~ /^[ \t]*$/) {
    flush()
    blanks++
    return
  }
  if (block == "") before = blanks
  blanks = 0
  block = block " " text
}

function flush(   text) {
  if (block == "") return
  text = block
  block = ""
  gsub(/\[Illustration[^]]*\]?/, "", text)
  note = text ~ /^ *(\[[0-9]+\]|\([0-9]+\)|\*+) */
  gsub(/\[[0-9]+\]|\([0-9]+\)|\*/, "", text)
  gsub(/[ \t]+/, " ", text)
  gsub(/^ | $/, "", text)
  if (text !~ /[A-Za-z]/ || note || text ~ /^\[.*\]$/) return
  if (text !~ /[a-z]/ || (before >= 2 && length(text) <= 70 && text !~ /[.!?:;,'")-]$/)) {
    fresh = 1
    return
  }
  if (fresh) print "<|endoftext|>"
  fresh = 0
  print text
}
