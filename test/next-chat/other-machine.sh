#!/bin/sh
# Starts the browser of CHROMIUM with the lowest priority: where a server runs, its visitors' browsers do not.
# Linux shares its cores out between sessions before it looks at niceness, and a browser gets a session of its own.
[ -w /proc/self/autogroup ] && echo 19 > /proc/self/autogroup
exec nice -n 19 "$CHROMIUM" "$@"
