terraform {
  required_providers {
    confluent = {
      source = "confluentinc/confluent"
    }
  }
}
