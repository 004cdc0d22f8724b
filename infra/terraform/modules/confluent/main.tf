# Environment, cluster, registry, topics, and a service account for each role. Connectors are not here: the control
# plane declares, plans and restarts them (npm run connectors:apply).

locals {
  is_basic = var.cluster_type == "basic"

  # The same settings that `npm run topics:apply` demands, so that it finds nothing to do.
  topics = merge(
    {
      for topic in var.catalog.topics : topic.topic => {
        partitions = topic.partitions
        cleanup    = topic.cleanup
        retention  = tostring(try(topic.retentionMs, -1))
      }
    },
    {
      for topic in var.catalog.deadLetterTopics : topic.topic => {
        partitions = topic.partitions
        cleanup    = "delete"
        retention  = tostring(try(topic.retentionMs, -1))
      }
    },
  )

  # Every topic begins with it, dead letters included.
  prefix = "billing."

  accounts = {
    control-plane = "Applies and watches the connectors, reads lag, shows and replays dead letters"
    producers     = "Produces"
    connectors    = "The managed connectors run as it"
  }

  # Which account may do what. A rule is [resource, name, pattern, operation]; everything else is denied.
  rules = {
    control-plane = [
      ["TOPIC", local.prefix, "PREFIXED", "DESCRIBE"],
      ["TOPIC", local.prefix, "PREFIXED", "DESCRIBE_CONFIGS"],
      ["TOPIC", local.prefix, "PREFIXED", "READ"],
      # Replays go to the topic that a dead letter came from.
      ["TOPIC", local.prefix, "PREFIXED", "WRITE"],
      # Partitions that the catalog adds.
      ["TOPIC", local.prefix, "PREFIXED", "ALTER"],
      ["TOPIC", local.prefix, "PREFIXED", "ALTER_CONFIGS"],
      ["TOPIC", local.prefix, "PREFIXED", "CREATE"],
      # Lag of the managed connectors' groups, which are named after their ids.
      ["GROUP", "connect-lcc-", "PREFIXED", "DESCRIBE"],
      # Reading dead letters leaves no group behind.
      ["GROUP", "billing-", "PREFIXED", "READ"],
      ["GROUP", "billing-", "PREFIXED", "DELETE"],
    ]
    producers = [
      ["TOPIC", local.prefix, "PREFIXED", "DESCRIBE"],
      ["TOPIC", local.prefix, "PREFIXED", "WRITE"],
      # A backfill that goes on reads what it has sent.
      ["TOPIC", local.prefix, "PREFIXED", "READ"],
      ["GROUP", "billing-read-", "PREFIXED", "READ"],
      ["GROUP", "billing-read-", "PREFIXED", "DELETE"],
      # Idempotent producers.
      ["CLUSTER", "kafka-cluster", "LITERAL", "IDEMPOTENT_WRITE"],
    ]
    connectors = concat(
      [
        ["TOPIC", local.prefix, "PREFIXED", "DESCRIBE"],
        ["TOPIC", local.prefix, "PREFIXED", "READ"],
        ["GROUP", "connect-lcc-", "PREFIXED", "READ"],
      ],
      flatten([
        for topic in var.catalog.deadLetterTopics : [
          for operation in ["CREATE", "WRITE"] : { rule = ["TOPIC", topic.topic, "LITERAL", operation] }
        ]
      ])[*].rule,
    )
  }

  acls = merge([
    for account, rules in local.rules : {
      for rule in rules : "${account} ${join(" ", rule)}" => {
        account       = account
        resource_type = rule[0]
        resource_name = rule[1]
        pattern_type  = rule[2]
        operation     = rule[3]
      }
    }
  ]...)
}

data "confluent_organization" "this" {}

resource "confluent_environment" "this" {
  display_name = var.name

  stream_governance {
    package = "ESSENTIALS"
  }
}

resource "confluent_kafka_cluster" "this" {
  display_name = var.name
  availability = var.availability
  cloud        = "AWS"
  region       = var.region

  dynamic "basic" {
    for_each = local.is_basic ? [1] : []
    content {}
  }

  dynamic "standard" {
    for_each = local.is_basic ? [] : [1]
    content {}
  }

  environment {
    id = confluent_environment.this.id
  }
}

# An environment gets its registry with its first cluster.
data "confluent_schema_registry_cluster" "this" {
  environment {
    id = confluent_environment.this.id
  }

  depends_on = [confluent_kafka_cluster.this]
}

# Creates topics and ACLs, for Terraform alone.
resource "confluent_service_account" "terraform" {
  display_name = "${var.name}-terraform"
  description  = "Creates topics and ACLs"
}

resource "confluent_role_binding" "terraform" {
  principal   = "User:${confluent_service_account.terraform.id}"
  role_name   = "CloudClusterAdmin"
  crn_pattern = confluent_kafka_cluster.this.rbac_crn
}

resource "confluent_api_key" "terraform" {
  display_name = "${var.name}-terraform"
  description  = "Creates topics and ACLs"

  owner {
    id          = confluent_service_account.terraform.id
    api_version = confluent_service_account.terraform.api_version
    kind        = confluent_service_account.terraform.kind
  }

  managed_resource {
    id          = confluent_kafka_cluster.this.id
    api_version = confluent_kafka_cluster.this.api_version
    kind        = confluent_kafka_cluster.this.kind

    environment {
      id = confluent_environment.this.id
    }
  }

  depends_on = [confluent_role_binding.terraform]
}

resource "confluent_kafka_topic" "this" {
  for_each = local.topics

  topic_name       = each.key
  partitions_count = each.value.partitions
  rest_endpoint    = confluent_kafka_cluster.this.rest_endpoint

  config = {
    "cleanup.policy"      = each.value.cleanup
    "retention.ms"        = each.value.retention
    "min.insync.replicas" = "2"
  }

  kafka_cluster {
    id = confluent_kafka_cluster.this.id
  }

  credentials {
    key    = confluent_api_key.terraform.id
    secret = confluent_api_key.terraform.secret
  }
}

resource "confluent_service_account" "this" {
  for_each = local.accounts

  display_name = "${var.name}-${each.key}"
  description  = each.value
}

resource "confluent_kafka_acl" "this" {
  for_each = local.acls

  principal     = "User:${confluent_service_account.this[each.value.account].id}"
  resource_type = each.value.resource_type
  resource_name = each.value.resource_name
  pattern_type  = each.value.pattern_type
  operation     = each.value.operation
  permission    = "ALLOW"
  host          = "*"
  rest_endpoint = confluent_kafka_cluster.this.rest_endpoint

  kafka_cluster {
    id = confluent_kafka_cluster.this.id
  }

  credentials {
    key    = confluent_api_key.terraform.id
    secret = confluent_api_key.terraform.secret
  }
}

# Of the cluster. The connectors need none: the service starts them as their account.
resource "confluent_api_key" "kafka" {
  for_each = toset(["control-plane", "producers"])

  display_name = "${var.name}-${each.key}-kafka"
  description  = "Kafka, as ${each.key}"

  owner {
    id          = confluent_service_account.this[each.key].id
    api_version = confluent_service_account.this[each.key].api_version
    kind        = confluent_service_account.this[each.key].kind
  }

  managed_resource {
    id          = confluent_kafka_cluster.this.id
    api_version = confluent_kafka_cluster.this.api_version
    kind        = confluent_kafka_cluster.this.kind

    environment {
      id = confluent_environment.this.id
    }
  }
}

resource "confluent_api_key" "registry" {
  for_each = toset(["control-plane", "producers"])

  display_name = "${var.name}-${each.key}-registry"
  description  = "Schema Registry, as ${each.key}"

  owner {
    id          = confluent_service_account.this[each.key].id
    api_version = confluent_service_account.this[each.key].api_version
    kind        = confluent_service_account.this[each.key].kind
  }

  managed_resource {
    id          = data.confluent_schema_registry_cluster.this.id
    api_version = data.confluent_schema_registry_cluster.this.api_version
    kind        = data.confluent_schema_registry_cluster.this.kind

    environment {
      id = confluent_environment.this.id
    }
  }
}

# Registers schemas and sets the compatibility of their subjects; the others only look schemas up.
resource "confluent_role_binding" "registry" {
  for_each = {
    control-plane = "ResourceOwner"
    producers     = "DeveloperRead"
    connectors    = "DeveloperRead"
  }

  principal   = "User:${confluent_service_account.this[each.key].id}"
  role_name   = each.value
  crn_pattern = "${data.confluent_schema_registry_cluster.this.resource_name}/subject=${local.prefix}*"
}

# Manages connectors. A basic cluster has no role for that alone.
resource "confluent_role_binding" "connect" {
  principal   = "User:${confluent_service_account.this["control-plane"].id}"
  role_name   = local.is_basic ? "CloudClusterAdmin" : "ConnectManager"
  crn_pattern = local.is_basic ? confluent_kafka_cluster.this.rbac_crn : "${confluent_kafka_cluster.this.rbac_crn}/connector=*"
}

# Lets the control plane start connectors as that account, and as no other.
resource "confluent_role_binding" "assigner" {
  principal   = "User:${confluent_service_account.this["control-plane"].id}"
  role_name   = "Assigner"
  crn_pattern = "${data.confluent_organization.this.resource_name}/service-account=${confluent_service_account.this["connectors"].id}"
}

# For the API of connectors: no cluster's key.
resource "confluent_api_key" "cloud" {
  display_name = "${var.name}-control-plane-cloud"
  description  = "Manages connectors"

  owner {
    id          = confluent_service_account.this["control-plane"].id
    api_version = confluent_service_account.this["control-plane"].api_version
    kind        = confluent_service_account.this["control-plane"].kind
  }

  depends_on = [confluent_role_binding.connect]
}

data "confluent_ip_addresses" "connectors" {
  filter {
    clouds        = ["AWS"]
    regions       = [var.region]
    services      = ["CONNECT"]
    address_types = ["EGRESS"]
  }
}
