#!/bin/sh
# Fetches a package of the npm registry for a test, once: npm.sh PKG@VERSION
# prints the folder that it is in, below $O/npm (O is the build folder).
set -eu
spec=$1
name=${spec%@*}
version=${spec##*@}
# A folder each: npm removes what an install does not name.
prefix=${O:-build}/npm/test/$name
folder=$prefix/node_modules/$name
# Two suites may want it at once.
mkdir -p "$prefix"
exec 9>"$prefix/.lock"
flock 9
have=
if [ -f "$folder/package.json" ]; then
	have=$(sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' \
	    "$folder/package.json")
fi
if [ "$have" != "$version" ]; then
	npm install --no-save --no-audit --no-fund --ignore-scripts \
	    --loglevel=error --prefix "$prefix" "$spec" >&2 9>&-
fi
printf '%s\n' "$folder"
