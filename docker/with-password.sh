#!/bin/sh
# Runs a command with the database's password in an environment variable: with-password.sh <variable> <command...>
# The password is read when the container starts, so that neither the Compose file nor `docker inspect` has it.
set -eu

variable=$1
shift
password=$(cat "$(dirname "$0")/database-password")
export "$variable=$password"
exec "$@"
