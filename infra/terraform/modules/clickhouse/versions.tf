terraform {
  required_providers {
    clickhouse = {
      source = "ClickHouse/clickhouse"
    }
    random = {
      source = "hashicorp/random"
    }
  }
}
