# For trying a change: smallest of everything, asleep when nobody works.
environment                  = "dev"
region                       = "eu-central-1"
kafka_cluster_type           = "basic"
kafka_availability           = "SINGLE_ZONE"
clickhouse_replicas          = 1
clickhouse_replica_memory_gb = { min = 8, max = 8 }
clickhouse_idle_minutes      = 5
instance_types               = { control_plane = "t4g.small", producers = "t4g.small" }
producers_rate               = 0
log_retention_days           = 7
