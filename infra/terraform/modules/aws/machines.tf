locals {
  # What each machine runs, in the project's image.
  machines = merge(
    {
      control-plane = {
        instance_type = var.instance_types.control_plane
        setup         = ["schemas:register", "topics:apply", "clickhouse:migrate", "connectors:apply"]
        command       = "connectors:watch"
      }
    },
    var.producers_rate == 0 ? {} : {
      producers = {
        instance_type = var.instance_types.producers
        setup         = []
        command       = "produce --rate ${var.producers_rate} --duration 604800"
      }
    },
  )
  setting_keys = { control-plane = "control_plane", producers = "producers" }
  image        = "${aws_ecr_repository.this.repository_url}:${var.image_tag}"
}

resource "aws_ecr_repository" "this" {
  name                 = "${var.name}-pipeline"
  image_tag_mutability = "IMMUTABLE"
  # `destroy` leaves nothing behind.
  force_delete = true

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_secretsmanager_secret" "settings" {
  for_each = local.machines

  name = "${var.name}/${each.key}"
  # Destroyed at once, so that the same name can be created again.
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "settings" {
  for_each = local.machines

  secret_id     = aws_secretsmanager_secret.settings[each.key].id
  secret_string = jsonencode(var.settings[local.setting_keys[each.key]])
}

# Amazon Linux 2023 for arm64, as AWS names the newest. A change is no reason to replace a machine that runs.
data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

resource "aws_instance" "this" {
  for_each = local.machines

  ami                    = data.aws_ssm_parameter.image.value
  instance_type          = each.value.instance_type
  subnet_id              = aws_subnet.private.id
  vpc_security_group_ids = [aws_security_group.machines.id]
  iam_instance_profile   = aws_iam_instance_profile.machine[each.key].name

  user_data_replace_on_change = true
  user_data = templatefile("${path.module}/start.sh.tftpl", {
    region    = var.region
    registry  = split("/", aws_ecr_repository.this.repository_url)[0]
    image     = local.image
    secret    = aws_secretsmanager_secret.settings[each.key].name
    log_group = aws_cloudwatch_log_group.machine[each.key].name
    setup     = each.value.setup
    command   = each.value.command
  })

  # Credentials of the machine only with a token that a forwarded request cannot get; and the container is one hop away.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = 20
  }

  tags = { Name = "${var.name}-${each.key}" }

  lifecycle {
    ignore_changes = [ami]
  }

  depends_on = [
    aws_secretsmanager_secret_version.settings,
    aws_route_table_association.private,
    aws_iam_role_policy.machine,
  ]
}
