# Survives the loss of a zone. The records come from your own services; set producers_rate to rehearse.
environment                  = "prod"
region                       = "eu-central-1"
kafka_cluster_type           = "standard"
kafka_availability           = "MULTI_ZONE"
clickhouse_replicas          = 3
clickhouse_replica_memory_gb = { min = 16, max = 64 }
clickhouse_idle_minutes      = 0
instance_types               = { control_plane = "t4g.medium", producers = "m7g.large" }
producers_rate               = 0
log_retention_days           = 90
