resource "aws_cloudwatch_log_group" "machine" {
  for_each = local.machines

  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
}

resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "mail" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# Hardware, network or system of the machine. AWS moves it to other hardware by itself.
resource "aws_cloudwatch_metric_alarm" "machine" {
  for_each = local.machines

  alarm_name          = "${var.name}-${each.key}-machine"
  alarm_description   = "The machine fails the checks of EC2"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed"
  dimensions          = { InstanceId = aws_instance.this[each.key].id }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# The watcher writes a line of JSON for each action; level error is where a person is needed.
resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-watcher-errors"
  log_group_name = aws_cloudwatch_log_group.machine["control-plane"].name
  pattern        = "{ $.level = \"error\" }"

  metric_transformation {
    namespace     = "Billing/${var.name}"
    name          = "WatcherErrors"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-watcher-errors"
  alarm_description   = "The watcher found something that it cannot cure: docs/runbook.md"
  namespace           = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].namespace
  metric_name         = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].name
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}
