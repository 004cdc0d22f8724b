variable "name" {
  type = string
}

variable "region" {
  type = string
}

variable "cluster_type" {
  type = string
}

variable "availability" {
  type = string
}

variable "catalog" {
  description = "schemas/topics.yaml, decoded."
  type        = any
}
