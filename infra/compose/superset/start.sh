#!/bin/sh
# Prepares the metadata, which may be there already, and serves. One process: the metadata is a file.
set -eu
superset db upgrade
superset fab create-admin --username admin --firstname Admin --lastname Admin --email admin@localhost \
  --password "$(cat "$SUPERSET_PASSWORD_FILE")"
superset init
exec gunicorn --bind 0.0.0.0:8088 --workers 1 --worker-class gthread --threads 8 --timeout 120 \
  'superset.app:create_app()'
