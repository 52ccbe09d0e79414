#!/bin/sh
echo "payments: good evening"
node src/server.js
