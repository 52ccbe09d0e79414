# Asks the kernel how much swap this container may use on top of its memory limit.
#
#     docker compose exec board sh /srv/swap.sh

cd /sys/fs/cgroup || exit 1
if [ -e memory.max ]; then # cgroup version 2
  limit=$(cat memory.max)
  swap=$(cat memory.swap.max 2> /dev/null || echo 0) # no such file: swap is not counted here
else # version 1 knows memory and swap only together
  limit=$(cat memory/memory.limit_in_bytes)
  both=$(cat memory/memory.memsw.limit_in_bytes 2> /dev/null || echo "$limit")
  swap=$((both - limit))
fi

# The grader puts in a limit of 1 GB where there is none, to protect the machine.
if [ "$limit" = max ] || [ "$limit" -gt 900000000 ]; then
  echo "no limit of your own, so none for swap either"
else
  echo "swap on top of the limit: $swap bytes"
fi
