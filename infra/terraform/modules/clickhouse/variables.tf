variable "name" {
  type = string
}

variable "region" {
  type = string
}

variable "replicas" {
  type = number
}

variable "replica_memory_gb" {
  type = object({ min = number, max = number })
}

variable "idle_minutes" {
  type = number
}

variable "allowed_addresses" {
  description = "Ranges that may connect, by what they are."
  type        = map(string)

  validation {
    condition     = !contains(values(var.allowed_addresses), "0.0.0.0/0")
    error_message = "The service is not for everybody."
  }
}
