# For showing it: a steady stream, enough room for years of history.
environment                  = "demo"
region                       = "eu-central-1"
kafka_cluster_type           = "standard"
kafka_availability           = "SINGLE_ZONE"
clickhouse_replicas          = 2
clickhouse_replica_memory_gb = { min = 8, max = 32 }
clickhouse_idle_minutes      = 30
instance_types               = { control_plane = "t4g.small", producers = "t4g.medium" }
producers_rate               = 100
log_retention_days           = 14
