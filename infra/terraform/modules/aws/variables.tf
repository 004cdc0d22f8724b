variable "name" {
  type = string
}

variable "region" {
  type = string
}

variable "instance_types" {
  type = object({ control_plane = string, producers = string })
}

variable "producers_rate" {
  type = number
}

variable "image_tag" {
  type = string
}

variable "alarm_email" {
  type = string
}

variable "log_retention_days" {
  type = number
}

variable "settings" {
  description = "Environment variables of each machine's commands, secrets among them."
  type        = object({ control_plane = map(string), producers = map(string) })
  sensitive   = true
}
