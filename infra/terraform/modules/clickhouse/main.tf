resource "random_password" "default" {
  length      = 32
  min_lower   = 1
  min_upper   = 1
  min_numeric = 1
  min_special = 1
  # None that a shell, a URL or the sink's comma-separated settings read otherwise.
  override_special = "-_"
}

resource "clickhouse_service" "this" {
  name           = var.name
  cloud_provider = "aws"
  region         = var.region
  num_replicas   = var.replicas

  min_replica_memory_gb = var.replica_memory_gb.min
  max_replica_memory_gb = var.replica_memory_gb.max

  idle_scaling         = var.idle_minutes > 0
  idle_timeout_minutes = var.idle_minutes > 0 ? var.idle_minutes : null

  # The service gets the hash; the password itself goes to Secrets Manager.
  password_hash = base64sha256(random_password.default.result)

  ip_access = [
    for description, source in var.allowed_addresses : {
      source      = source
      description = description
    }
  ]
}
