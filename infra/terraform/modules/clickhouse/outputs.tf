output "url" {
  value = "https://${clickhouse_service.this.endpoints.https.host}:${clickhouse_service.this.endpoints.https.port}"
}

output "password" {
  value     = random_password.default.result
  sensitive = true
}
