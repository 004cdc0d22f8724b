output "image_repository" {
  description = "Where the project's image is pushed to, before the machines can start it."
  value       = module.aws.image_repository
}

output "control_plane_instance" {
  description = "aws ssm start-session --target ID; with port forwarding to 8090 for the status page."
  value       = module.aws.control_plane_instance
}

output "secret_names" {
  description = "Secrets Manager's names of the settings: what a command elsewhere has to export."
  value       = module.aws.secret_names
}

output "clickhouse_url" {
  value = module.clickhouse.url
}
