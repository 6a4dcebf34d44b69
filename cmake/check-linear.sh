#!/usr/bin/env bash
# Checks that every remedy is linearizable under stalls, and that every planted bug is rejected.
#
#   cmake/check-linear.sh BUILD OPERATIONS RUNS     OPERATIONS: at least so many over all remedies, and 100000 over each
#                                                   that can do them in 20 s; RUNS: over each planted bug
#
# Exits 0 if all is as it should be, 1 if not.
set -uo pipefail

build=$1
operations=$2
runs=$3
most=20000  # of a run over a planted bug

mapfile -t remedies < <(sed -n 's/^linear //p' "$build/linear_programs.txt")
mapfile -t planted < <(sed -n 's/^planted //p' "$build/linear_programs.txt")
status=0

header=()
total=0
left=${#remedies[@]}
for map in "${remedies[@]}"; do
  # What a slow one leaves is shared by those after it; after the last one nobody is.
  each=$(((operations - total + left - 1) / left))
  left=$((left - 1))
  ((each >= 100000)) || each=100000
  limit=(--seconds 20)
  ((left > 0)) || limit=()
  rows=$(timeout 300 "$build/programs/linear/linear.$map" --operations "$each" "${limit[@]}" "${header[@]}")
  code=$?
  echo "$rows"
  ((code == 0)) || { echo "linear.$map: exit code $code"; status=1; }
  total=$((total + $(awk -v map="$map" '$1 == map { done = $2 } END { print done + 0 }' <<< "$rows")))
  header=(--no-header)
done
echo "${#remedies[@]} remedies, $total operations"
if ((total < operations)); then
  echo "fewer operations than the $operations asked for"
  status=1
fi

echo
printf '%-22s %10s %9s   operations until then: %s\n' "planted bug" runs rejected "median, most"
for map in "${planted[@]}"; do
  rejected=0
  needed=()
  for ((run = 1; run <= runs; ++run)); do
    rows=$(timeout 300 "$build/programs/planted/linear.$map" --operations "$most" --seed "$run" --no-header)
    if (($? == 1)); then
      rejected=$((rejected + 1))
      needed+=("$(awk 'NR == 1 { print $2 }' <<< "$rows")")
    fi
  done
  mapfile -t needed < <(printf '%s\n' "${needed[@]}" | sort -n)
  printf '%-22s %10d %9d   %d, %d\n' "$map" "$runs" "$rejected" "${needed[(rejected - 1) / 2]:-0}" "${needed[-1]:-0}"
  ((rejected == runs)) || status=1
done
exit "$status"
