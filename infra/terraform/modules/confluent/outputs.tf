output "environment_id" {
  value = confluent_environment.this.id
}

output "cluster_id" {
  value = confluent_kafka_cluster.this.id
}

output "bootstrap_servers" {
  description = "host:port, without the protocol that Confluent puts in front."
  value       = replace(confluent_kafka_cluster.this.bootstrap_endpoint, "SASL_SSL://", "")
}

output "registry_url" {
  value = data.confluent_schema_registry_cluster.this.rest_endpoint
}

output "connectors_service_account" {
  value = confluent_service_account.this["connectors"].id
}

output "keys" {
  description = "Of the cluster, by account."
  value       = { for account, key in confluent_api_key.kafka : account => { id = key.id, secret = key.secret } }
  sensitive   = true
}

output "registry_keys" {
  description = "Of the registry, by account."
  value       = { for account, key in confluent_api_key.registry : account => { id = key.id, secret = key.secret } }
  sensitive   = true
}

output "cloud_key" {
  value     = { id = confluent_api_key.cloud.id, secret = confluent_api_key.cloud.secret }
  sensitive = true
}

output "connector_addresses" {
  description = "Ranges that managed connectors of the region come from. Shared by all of Confluent's customers there: ClickHouse's password is what keeps others out."
  value       = toset(data.confluent_ip_addresses.connectors.ip_addresses[*].ip_prefix)
}
