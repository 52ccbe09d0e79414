set -eu
echo "guests" >> /data/table
