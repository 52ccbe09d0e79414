#!/bin/sh
# Sets the type for everything that the house prints: cards, slips, bills.
# Each run makes a new edition, with a number that was never there before.
#
#   /app/house/edition.json   the number of the edition
#   /app/house/type.bin       the type, 3 MB
#   /tmp/proofs               proof sheets, 24 MB. Only this script needs them.
set -eu

mkdir -p /tmp/proofs
for sheet in 1 2 3 4 5 6; do
    head -c 4000000 /dev/urandom > "/tmp/proofs/sheet-$sheet.raw"
done
cat /tmp/proofs/sheet-*.raw | head -c 3000000 > /app/house/type.bin
printf '{ "edition": "%s" }\n' "$(cat /proc/sys/kernel/random/uuid)" > /app/house/edition.json
