#!/usr/bin/env bash
# Adds up what `dotnet test` left in its .trx files and prints one line: N passed, N failed; exit status 0 only if nothing failed.
#   tests/count-results.sh STATUS FILES FILE...     the exit status of dotnet test, how many files it had to leave, the files
set -uo pipefail
status=$1 files=$2
shift 2
read -r passed failed < <(cat "$@" 2>/dev/null | grep -o '<Counters [^>]*' |
  awk '{ for (i = 1; i <= NF; i++) { split($i, a, "\""); if (a[1] == "total=") total += a[2]; if (a[1] == "passed=") ok += a[2] } } END { print ok + 0, total - ok }')
# A crashed test host leaves too few files, or a failure that no counter shows.
if [ $# -ne "$files" ] || { [ "$status" != 0 ] && [ "$failed" = 0 ]; }; then failed=$((failed + 1)); fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
