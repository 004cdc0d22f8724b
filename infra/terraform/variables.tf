variable "environment" {
  description = "dev, demo or prod: part of every name, and the key of the state."
  type        = string

  validation {
    condition     = contains(["dev", "demo", "prod"], var.environment)
    error_message = "Expected dev, demo or prod."
  }
}

variable "region" {
  description = "AWS region of everything: Kafka, ClickHouse and the machines beside each other cost no transfer between regions."
  type        = string
}

variable "kafka_cluster_type" {
  description = "basic or standard. Only standard has more than one zone, and roles narrower than administrator of the cluster."
  type        = string

  validation {
    condition     = contains(["basic", "standard"], var.kafka_cluster_type)
    error_message = "Expected basic or standard."
  }
}

variable "kafka_availability" {
  description = "SINGLE_ZONE, or MULTI_ZONE with a standard cluster."
  type        = string

  validation {
    condition     = contains(["SINGLE_ZONE", "MULTI_ZONE"], var.kafka_availability)
    error_message = "Expected SINGLE_ZONE or MULTI_ZONE."
  }
}

variable "clickhouse_replicas" {
  description = "Replicas of the ClickHouse Cloud service."
  type        = number
}

variable "clickhouse_replica_memory_gb" {
  description = "Memory of one replica: where it starts, and how far it may grow. Multiples of 4, at least 8."
  type        = object({ min = number, max = number })

  validation {
    condition = (
      var.clickhouse_replica_memory_gb.min >= 8 &&
      var.clickhouse_replica_memory_gb.min % 4 == 0 &&
      var.clickhouse_replica_memory_gb.max % 4 == 0 &&
      var.clickhouse_replica_memory_gb.max >= var.clickhouse_replica_memory_gb.min
    )
    error_message = "Expected multiples of 4, at least 8, min not above max."
  }
}

variable "clickhouse_idle_minutes" {
  description = "Without a query for so long the service sleeps and costs no compute; 0: it never does. A connector that writes keeps it awake."
  type        = number
}

variable "instance_types" {
  description = "EC2 instance types (arm64) of the control plane and of the producers."
  type        = object({ control_plane = string, producers = string })
}

variable "producers_rate" {
  description = "Events per second that the producers make; 0: no producers' machine at all."
  type        = number
}

variable "image_tag" {
  description = "Tag of the project's image in the repository that this creates. Tags are immutable: a commit's hash is a good one."
  type        = string
}

variable "alarm_email" {
  description = "Where alarms go. AWS asks that address to confirm."
  type        = string
}

variable "log_retention_days" {
  description = "Of the logs in CloudWatch."
  type        = number
}
