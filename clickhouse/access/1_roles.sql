-- Who may read what: one role for each kind of reader, and nobody may write. `npm run clickhouse:access` makes it so on a
-- server; the embedded engine has no users. Users are made by hand and get a role: docs/access.md.
-- readonly = 2 lets clients choose formats and limits of their own, and change nothing; a query that runs away ends.
CREATE ROLE IF NOT EXISTS billing_analyst SETTINGS readonly = 2, max_execution_time = 300, max_memory_usage = 8000000000;
CREATE ROLE IF NOT EXISTS billing_finance SETTINGS readonly = 2, max_execution_time = 60, max_memory_usage = 4000000000;
CREATE ROLE IF NOT EXISTS billing_support SETTINGS readonly = 2, max_execution_time = 60, max_memory_usage = 4000000000;
CREATE ROLE IF NOT EXISTS billing_operations SETTINGS readonly = 2, max_execution_time = 60, max_memory_usage = 4000000000;
CREATE ROLE IF NOT EXISTS billing_executive SETTINGS readonly = 2, max_execution_time = 60, max_memory_usage = 4000000000;
-- Support that answers for one sales region sees that region only.
CREATE ROLE IF NOT EXISTS billing_support_north_america SETTINGS readonly = 2, max_execution_time = 60, max_memory_usage = 4000000000;
CREATE ROLE IF NOT EXISTS billing_support_europe SETTINGS readonly = 2, max_execution_time = 60, max_memory_usage = 4000000000;
CREATE ROLE IF NOT EXISTS billing_support_asia_pacific SETTINGS readonly = 2, max_execution_time = 60, max_memory_usage = 4000000000;
