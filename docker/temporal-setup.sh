#!/bin/sh
# Creates the namespace and registers Onward's search attributes. Safe to run again.
# Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, as every Temporal tool does.
set -eu

attempts=60
until temporal operator cluster health; do
  attempts=$((attempts - 1))
  if [ "$attempts" -eq 0 ]; then
    echo "The Temporal server at $TEMPORAL_ADDRESS is not healthy." >&2
    exit 1
  fi
  sleep 1
done

if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d
fi

# A new namespace is known to all parts of the server only after some seconds.
attempts=30
until temporal operator search-attribute create \
  --name OnwardProvider --type Keyword \
  --name OnwardPath --type Keyword \
  --name OnwardStep --type Keyword \
  --name OnwardState --type Keyword \
  --name OnwardFleet --type Keyword \
  --name OnwardWave --type Int \
  --name OnwardCrossed --type Bool \
  --name OnwardHostsFree --type Bool \
  --name OnwardOpenGates --type Int; do
  attempts=$((attempts - 1))
  if [ "$attempts" -eq 0 ]; then
    echo "Onward's search attributes could not be registered in $TEMPORAL_NAMESPACE." >&2
    exit 1
  fi
  sleep 2
done
