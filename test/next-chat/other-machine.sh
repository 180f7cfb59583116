#!/bin/sh
# Starts the browser of CHROMIUM with a low priority: where a server runs, its visitors' browsers do not.
# Linux shares its cores out between sessions before it looks at niceness, and a browser gets a session of its own.
[ -w /proc/self/autogroup ] && echo 10 > /proc/self/autogroup
exec nice -n 10 "$CHROMIUM" "$@"
