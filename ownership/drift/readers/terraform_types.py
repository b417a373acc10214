"""Which resources of Terraform may permit something with items.

A type that no reader has read counts as unread, unless it is known here to permit nothing by itself. The services of
AWS are those of resource_types.py; a type is called by the service in lower case, or as listed here.
Source: documentation of the AWS provider for Terraform, version 6, for the types' names.
"""

from ownership.drift.readers import resource_types

# Providers that reach nothing of AWS, by the beginning of their types.
_PROVIDERS = """
archive auth0 azuread azurerm assert cloudflare cloudinit confluent consul datadog digitalocean dns docker external
fastly github gitlab google grafana hcp honeycombio http kubernetes launchdarkly local mongodbatlas mysql
newrelic nomad null okta opsgenie pagerduty postgresql random rollbar sentry snowflake splunk sumologic template
terraform time tls twilio vercel
"""
PROVIDERS = frozenset(_PROVIDERS.split())

# What the types of a service are called, where that is not the service's name in lower case; and types without one.
_SERVICE_NAMES = """
account acm alb ami api_gateway app_cookie_stickiness_policy appautoscaling appintegrations autoscaling
availability_zone bedrockagentcore chimesdkmediapipelines chimesdkvoice cloudhsm_v2 cloudsearch codeguruprofiler
codegurureviewer codestarconnections codestarnotifications computeoptimizer costoptimizationhub customer_gateway db
default directory_service dx ebs ecrpublic egress_only_internet_gateway eip elastic_beanstalk elastictranscoder elb
emrcontainers emrserverless flow_log glacier inspector2 instance internet_gateway key_pair keyspaces launch
lb lexv2models lightsail load_balancer macie2 main_route_table_association media_convert media_package media_packagev2
media_store mskconnect mq nat_gateway network_acl network_interface notifications opensearch placement_group prometheus
proxy_protocol_policy redshiftdata resourceexplorer2 resourcegroups route route53 route53domains route53recoverycontrol
route53recoverycontrolconfig route53recoveryreadiness route53resolver route_table s3control s3outposts schemas
security_group service_discovery servicecatalogappregistry servicequotas sesv2 sfn
simpledb snapshot_create_volume_permission spot ssmcontacts ssmincidents ssmquicksetup subnet swf timestreaminfluxdb
timestreamquery timestreamwrite verifiedaccess volume_attachment vpc vpc_dhcp vpc_endpoint vpn workspacesweb
wafv2 wafregional waf xray
"""
SERVICE_NAMES = frozenset(_SERVICE_NAMES.split()) | {
    name.lower() for name in resource_types.SERVICES
}

# Single types of services that also have types that permit something.
_TYPES = """
aws_dynamodb_contributor_insights aws_dynamodb_global_table aws_dynamodb_kinesis_streaming_destination
aws_dynamodb_table_export aws_dynamodb_table_item aws_dynamodb_table_replica aws_dynamodb_tag
aws_iam_access_key aws_iam_account_alias aws_iam_account_password_policy aws_iam_group_policies_exclusive
aws_iam_instance_profile aws_iam_openid_connect_provider aws_iam_organizations_features
aws_iam_role_policies_exclusive aws_iam_saml_provider aws_iam_security_token_service_preferences
aws_iam_server_certificate aws_iam_service_linked_role aws_iam_service_specific_credential
aws_iam_signing_certificate aws_iam_user_login_profile aws_iam_user_policies_exclusive aws_iam_user_ssh_key
aws_iam_virtual_mfa_device
"""
TYPES = frozenset(_TYPES.split())


# Services whose roles touch no items (role_users.py), by the beginning of their types.
_WITHOUT_ITEMS = """
appautoscaling backup cloudformation cloudtrail cloudwatch codedeploy codepipeline config datasync db dax dlm docdb
efs eks_cluster elasticsearch fis flow fsx guardduty kinesis_firehose kinesis_stream kms lakeformation logs macie2
media msk neptune opensearch organizations ram rds route53 s3 s3control ses sesv2 sns sqs storagegateway transfer
vpc wafv2 xray
"""
ROLES_WITHOUT_ITEMS = tuple(f"aws_{name}" for name in _WITHOUT_ITEMS.split())
INSTANCE_PROFILE = "aws_iam_instance_profile"
# An annotation of a service account of Kubernetes names the role of its pods.
# A manifest may be of anything, also of a controller that makes roles. So may a chart (helm_release).
MANIFEST = "kubernetes_manifest"
ACCOUNTS_OF_PODS = (
    "kubernetes_service_account",
    "kubernetes_default_service_account",
    "kubernetes_annotations",
)


def may_act_by_role(resource_type: str) -> bool:
    """Whether a resource of this type may touch items by a role that it names."""
    if resource_type == INSTANCE_PROFILE:
        return True
    if resource_type.startswith(ACCOUNTS_OF_PODS):
        return True
    if not resource_type.startswith("aws_") or resource_type.startswith("aws_iam_"):
        return False
    return not any(
        resource_type == name or resource_type.startswith(f"{name}_")
        for name in ROLES_WITHOUT_ITEMS
    )


def permits_nothing(resource_type: str) -> bool:
    """Whether a resource of this type is known to permit nothing with items by itself."""
    if resource_type in TYPES:
        return True
    provider, _, rest = resource_type.partition("_")
    if provider != "aws":
        return provider in PROVIDERS and resource_type != MANIFEST
    # `aws_api_gateway_rest_api` is of `api_gateway`, `aws_sqs_queue` of `sqs`.
    words = rest.split("_")
    return any("_".join(words[:count]) in SERVICE_NAMES for count in range(1, len(words) + 1))
