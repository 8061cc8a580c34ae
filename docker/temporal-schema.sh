#!/bin/sh
# Creates Temporal's two databases on PostgreSQL, or brings them up to the version of this image. Safe to run again.
# Reads SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD.
set -eu

schema() {
  database=$1
  shift
  temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" --port "$SQL_PORT" --user "$SQL_USER" --db "$database" "$@"
}

for kind in temporal visibility; do
  case $kind in
    temporal) database=temporal ;;
    visibility) database=temporal_visibility ;;
  esac
  schema "$database" create
  schema "$database" setup-schema -v 0.0
  schema "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/$kind/versioned"
done
