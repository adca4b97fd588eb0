#!/bin/sh
# run_independent.sh WRITE_LOG: logs of several sizes written by us verify with code that is not
# ours, and do not any more once a byte has been changed.
set -eu
here=$(dirname "$0")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for size in 0 1 255 256 257 1000 70000; do
  log=$scratch/$size
  vkey=$("$1" "$log" "$size")
  said=$(python3 "$here/verify_independent.py" "$log" "$vkey")
  [ "$said" = "verifies: $size entries" ] || { echo "size $size: $said" >&2; exit 1; }
done

# Each of these must be refused.
refused() {
  if python3 "$here/verify_independent.py" "$1" "$vkey" 2>"$scratch/why"; then
    echo "not noticed: $2" >&2
    exit 1
  fi
  grep -q "does not verify: $3" "$scratch/why" || { cat "$scratch/why" >&2; exit 1; }
}
change() {  # FILE OFFSET BYTE
  printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
cp -r "$scratch/70000" "$scratch/a"
change "$scratch/a/tile/entries/100" 1000 '~'
refused "$scratch/a" "an edited entry" "the entries do not give the root"
cp -r "$scratch/70000" "$scratch/b"
change "$scratch/b/tile/1/001.p/17" 40 '~'
refused "$scratch/b" "an edited tile" "tile 1/1 does not match"
cp -r "$scratch/70000" "$scratch/c"
sed -i '2s/.*/69999/' "$scratch/c/checkpoint"
refused "$scratch/c" "an edited checkpoint" "the checkpoint's signature is wrong"
vkey=$(cat "$scratch/1000/log.vkey")
refused "$scratch/70000" "another key" "the checkpoint is not signed by this key"
echo "7 logs verified, 4 attacks refused, by code that is not ours"
