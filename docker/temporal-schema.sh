#!/bin/sh
# Creates Temporal's two databases on PostgreSQL, or brings them up to the version of this image. Safe to run again.
# Reads SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD.
set -eu

schema() {
  database=$1
  shift
  temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" --port "$SQL_PORT" --user "$SQL_USER" --db "$database" "$@"
}

for database in temporal temporal_visibility; do
  schema "$database" create
  schema "$database" setup-schema -v 0.0
  schema "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/${database#temporal_}/versioned"
done
