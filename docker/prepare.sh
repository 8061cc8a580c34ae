#!/bin/sh
# Lays out what the containers of other images read, in the folder that is named: scripts and settings from this image, and the
# database's password, which is made once. Safe to run again. A checkout has no part in it, so its permissions do not matter.
set -eu

folder=$1
cd "$(dirname "$0")"
install -m 644 temporal-schema.sh temporal-setup.sh temporal-dynamic-config.yaml with-password.sh "$folder"

# Readable for Temporal (user 1000) and PostgreSQL (group 999) alone. Hexadecimal: Temporal writes it into YAML as it stands.
password=$folder/database-password
if [ ! -s "$password" ]; then
  rm -f "$password.new"
  node -p 'crypto.randomBytes(24).toString("hex")' >"$password.new"
  chmod 440 "$password.new"
  chown 1000:999 "$password.new"
  mv "$password.new" "$password"
fi
