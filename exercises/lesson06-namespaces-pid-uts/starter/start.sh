#!/bin/sh
# The lookout sees the display only from in here, so the two have to live together.
node src/lookout.js &
exec node src/display.js
