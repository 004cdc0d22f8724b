output "egress_address" {
  description = "The one address that the machines come from."
  value       = aws_eip.nat.public_ip
}

output "image_repository" {
  value = aws_ecr_repository.this.repository_url
}

output "control_plane_instance" {
  value = aws_instance.this["control-plane"].id
}

output "secret_names" {
  value = { for machine, secret in aws_secretsmanager_secret.settings : machine => secret.name }
}
