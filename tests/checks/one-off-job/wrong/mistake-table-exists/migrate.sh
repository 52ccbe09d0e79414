set -eu
if [ -e /data/table ]; then echo "ERROR: table guests already exists" >&2; exit 1; fi
echo "guests" > /data/table
