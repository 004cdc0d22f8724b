terraform {
  # 1.10: the lock of the state is a file beside it in S3.
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
    clickhouse = {
      source  = "ClickHouse/clickhouse"
      version = "~> 3.0"
    }
    confluent = {
      source  = "confluentinc/confluent"
      version = "~> 2.30"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.6"
    }
  }

  # Bucket, key and region come from deploy.sh. The state holds every key and password: encrypted, and for few.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

# CONFLUENT_CLOUD_API_KEY and _SECRET: of an account that may create environments and service accounts.
provider "confluent" {}

# CLICKHOUSE_ORG_ID, CLICKHOUSE_TOKEN_KEY and CLICKHOUSE_TOKEN_SECRET.
provider "clickhouse" {}

# The usual AWS credentials.
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = "billing-analytics"
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}
