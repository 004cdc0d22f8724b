#!/usr/bin/env bash
# infra:deploy and infra:destroy: run.sh apply|destroy|plan dev|demo|prod [options of Terraform]
set -euo pipefail
cd "$(dirname "$0")"

action=${1:-} environment=${2:-}
case "$action" in plan | apply | destroy) ;; *) action='' ;; esac
if [[ -z $action || ! -f environments/$environment.tfvars ]]; then
  echo 'Use: npm run infra:plan|infra:deploy|infra:destroy -- dev|demo|prod' >&2
  exit 1
fi
shift 2

missing=()
for variable in TF_STATE_BUCKET TF_STATE_REGION TF_VAR_image_tag TF_VAR_alarm_email \
  CONFLUENT_CLOUD_API_KEY CONFLUENT_CLOUD_API_SECRET CLICKHOUSE_ORG_ID CLICKHOUSE_TOKEN_KEY CLICKHOUSE_TOKEN_SECRET; do
  [[ -n ${!variable:-} ]] || missing+=("$variable")
done
if ((${#missing[@]} > 0)); then
  printf 'Not set: %s\ndocs/terraform.md says what each one is.\n' "${missing[*]}" >&2
  exit 1
fi

terraform=$(command -v tofu || command -v terraform) || {
  echo 'Neither OpenTofu nor Terraform is installed: 1.10 or newer is needed.' >&2
  exit 1
}
# Each environment has a state and a folder of providers of its own: none can be taken for another.
export TF_DATA_DIR=".terraform/$environment"
"$terraform" init -input=false -reconfigure \
  -backend-config="bucket=$TF_STATE_BUCKET" \
  -backend-config="region=$TF_STATE_REGION" \
  -backend-config="key=billing-analytics/$environment/terraform.tfstate"
exec "$terraform" "$action" -var-file="environments/$environment.tfvars" "$@"
