locals {
  name    = "billing-${var.environment}"
  catalog = yamldecode(file("${path.module}/../../schemas/topics.yaml"))
}

module "confluent" {
  source = "./modules/confluent"

  name         = local.name
  region       = var.region
  cluster_type = var.kafka_cluster_type
  availability = var.kafka_availability
  catalog      = local.catalog
}

module "clickhouse" {
  source = "./modules/clickhouse"

  name              = local.name
  region            = var.region
  replicas          = var.clickhouse_replicas
  replica_memory_gb = var.clickhouse_replica_memory_gb
  idle_minutes      = var.clickhouse_idle_minutes

  # Nobody else reaches it: the machines here, and the addresses that managed connectors come from.
  allowed_addresses = merge(
    { "control plane and producers" = "${module.aws.egress_address}/32" },
    { for prefix in module.confluent.connector_addresses : "Confluent connectors ${prefix}" => prefix },
  )
}

module "aws" {
  source = "./modules/aws"

  name               = local.name
  region             = var.region
  instance_types     = var.instance_types
  producers_rate     = var.producers_rate
  image_tag          = var.image_tag
  alarm_email        = var.alarm_email
  log_retention_days = var.log_retention_days

  # What the commands of the target confluent-cloud read. Each machine gets the login of its own service account.
  settings = {
    control_plane = merge(local.settings, {
      KAFKA_API_KEY              = module.confluent.keys["control-plane"].id
      KAFKA_API_SECRET           = module.confluent.keys["control-plane"].secret
      SCHEMA_REGISTRY_API_KEY    = module.confluent.registry_keys["control-plane"].id
      SCHEMA_REGISTRY_API_SECRET = module.confluent.registry_keys["control-plane"].secret
      CONFLUENT_CLOUD_API_KEY    = module.confluent.cloud_key.id
      CONFLUENT_CLOUD_API_SECRET = module.confluent.cloud_key.secret
      CONFLUENT_SERVICE_ACCOUNT  = module.confluent.connectors_service_account
      CLICKHOUSE_PASSWORD        = module.clickhouse.password
      CONNECTORS_HASH_KEY        = random_password.hash_key.result
      # Inside of its container; outside of it the port is on the machine's loopback.
      WATCH_HOST  = "0.0.0.0"
      WATCH_TOKEN = random_password.watch_token.result
    })
    producers = merge(local.settings, {
      KAFKA_API_KEY              = module.confluent.keys["producers"].id
      KAFKA_API_SECRET           = module.confluent.keys["producers"].secret
      SCHEMA_REGISTRY_API_KEY    = module.confluent.registry_keys["producers"].id
      SCHEMA_REGISTRY_API_SECRET = module.confluent.registry_keys["producers"].secret
      # The target asks for these; the producers use neither, so they get none that works.
      CONFLUENT_CLOUD_API_KEY    = "unused"
      CONFLUENT_CLOUD_API_SECRET = "unused"
      CLICKHOUSE_PASSWORD        = "unused"
    })
  }
}

locals {
  settings = {
    PIPELINE_TARGET            = "confluent-cloud"
    KAFKA_BROKERS              = module.confluent.bootstrap_servers
    SCHEMA_REGISTRY_URL        = module.confluent.registry_url
    CONFLUENT_ENVIRONMENT_ID   = module.confluent.environment_id
    CONFLUENT_KAFKA_CLUSTER_ID = module.confluent.cluster_id
    CLICKHOUSE_URL             = module.clickhouse.url
    CLICKHOUSE_USER            = "default"
  }
}

# Of the hashes by which plans recognise secrets (docs/confluent-cloud.md).
resource "random_password" "hash_key" {
  length  = 40
  special = false
}

resource "random_password" "watch_token" {
  length  = 40
  special = false
}
