# syntax=docker/dockerfile:1.7
# The project's own commands: the watcher, the producers, everything of cli/. docs/compose.md.
FROM node:22.22.0-bookworm-slim@sha256:dd9d21971ec4395903fa6143c2b9267d048ae01ca6d3ea96f16cb30df6187d94 AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The embedded ClickHouse engine is half a gigabyte that no container runs.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/chdb node_modules/@chdb

FROM node:22.22.0-bookworm-slim@sha256:dd9d21971ec4395903fa6143c2b9267d048ae01ca6d3ea96f16cb30df6187d94
ENV NODE_ENV=production PIPELINE_HOME=/var/lib/billing
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json tsconfig.json ./
COPY cli cli
COPY clickhouse clickhouse
COPY connectors connectors
COPY contracts contracts
COPY controlplane controlplane
COPY core core
COPY dbt dbt
COPY demo demo
COPY embedded embedded
COPY producers producers
COPY schemas schemas
COPY superset superset
COPY targets targets
RUN mkdir -p /var/lib/billing && chown node:node /var/lib/billing
VOLUME /var/lib/billing
USER node
# Of the watcher; what has no address of its own turns it off. The watcher says 503 when its looks stop.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8090/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--import", "tsx", "cli/main.ts"]
CMD ["connectors:watch"]
