#!/bin/sh
# Makes a folder that Zed installs as a dev extension, with the grammar of this checkout.
#
#     editors/zed/prepare.sh FOLDER
set -eu
out=${1:?the folder to make is missing}
here=$(cd "$(dirname "$0")" && pwd)
root=$(git -C "$here" rev-parse --show-toplevel)
mkdir -p "$out"
cp -R "$here/Cargo.toml" "$here/src" "$here/languages" "$out/"
sed -e "s|@repository@|file://$root|" -e "s|@revision@|$(git -C "$root" rev-parse HEAD)|" \
  "$here/extension.toml" >"$out/extension.toml"
echo "in Zed: install dev extension, $out"
