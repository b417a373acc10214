"""Which settings and plugins of the Serverless Framework are known to permit nothing with items.

What is in none of these lists and is read by nobody counts as unread (sections.py). An entry has to be certain:
the framework or the plugin makes no role with it, adds no statement to one and changes no table's policy.
Source: Serverless Framework, configuration schema of v3 and v4 (config-schema.js, plugins/aws/provider.js); the
plugins' READMEs.
"""

import re

from ownership.drift.readers.serverless_plugins import APP_SYNC, SERVICE_PROXY, STEP_FUNCTIONS
from ownership.drift.values import Text, Value

ADDITIONAL_STACKS = "serverless-plugin-additional-stacks"
NUMBER = re.compile(r"\d+")

# Keys at the top of serverless.yml. `custom` holds values for other sections, and the settings of plugins.
_ROOT = """
app build configValidationMode console custom dashboard deprecationNotificationMode disabledDeprecations
enableLocalInstallationFallback frameworkVersion layers licenseKey org outputs package params projectDir service
stages state tenant unresolvedVariablesNotificationMode useDotenv variablesResolutionMode
"""
ROOT = frozenset(_ROOT.split())

_PROVIDER = """
alb alexa apiGateway apiKeys apiName architecture build buildOptions cfnRole cloudFront cloudWatch credentials
deploymentBucket deploymentBucketObject deploymentMethod deploymentPrefix disableRollback domain domains ecr
endpointType environment eventBridge httpApi kinesis kmsKeyArn lambdaHashingVersion layers logDataProtectionPolicy
logRetentionInDays logs memorySize name notificationArns profile region resourcePolicy rollbackConfiguration runtime
runtimeManagement s3 snapStart sns sqs stackName stackParameters stackPolicy stackTags stage tags timeout tracing
usagePlan variableSyntax versionFunctions vpc vpcEndpointIds websocket websocketsApiName
websocketsApiRouteSelectionExpression websocketsDescription
"""
PROVIDER = frozenset(_PROVIDER.split())

PROVIDER_IAM = frozenset({"deploymentRole"})
PROVIDER_ROLE = frozenset({"name", "path", "tags"})
FUNCTION_ROLE = frozenset({"name", "path", "tags"})

# Also settings of functions that the plugins below read.
_FUNCTION = """
alarms alerts architecture awsKmsKeyArn concurrencyAutoscaling condition dependsOn deploymentSettings description
destinations disableLogs documentation environment ephemeralStorageSize events fileSystemConfig handler image kmsKeyArn
layers logDataProtectionPolicy logRetentionInDays logs maximumEventAge maximumRetryAttempts memorySize module name
onError package provisionedConcurrency reservedConcurrency runtime runtimeManagement snapStart tags timeout tracing url
versionFunction versionFunctions vpc warmup
"""
FUNCTION = frozenset(_FUNCTION.split())

# Settings below `custom` from which a plugin makes roles; they are read where the plugin is among the project's.
CUSTOM_THAT_PERMIT = {
    "additionalStacks": ADDITIONAL_STACKS,
    "apiGatewayServiceProxies": SERVICE_PROXY,
    "appSync": APP_SYNC,
    "stepFunctions": "",
}

ROLE_PER_FUNCTION = "serverless-iam-roles-per-function"

# Those in braces are read. The others are tools that run on the developer's machine, or that add nothing with
# permissions on items to the deployment.
_PLUGINS = f"""
{ROLE_PER_FUNCTION} {ADDITIONAL_STACKS} {APP_SYNC} {SERVICE_PROXY} {STEP_FUNCTIONS}
@agiledigital/serverless-sns-sqs-lambda @anttiviljami/serverless-stack-output @serverless/dashboard-plugin
@serverless/typescript serverless-add-api-key serverless-api-compression serverless-api-gateway-caching
serverless-api-gateway-throttling serverless-apigw-binary serverless-associate-waf serverless-auto-swagger
serverless-aws-documentation serverless-aws-resource-names serverless-better-credentials serverless-build-client
serverless-bundle serverless-certificate-creator serverless-cf-vars serverless-cloudfront-invalidate
serverless-cloudformation-sub-variables serverless-content-encoding serverless-dependson-plugin
serverless-deployment-bucket serverless-domain-manager serverless-dotenv serverless-dotenv-plugin
serverless-dynamodb serverless-dynamodb-autoscaling serverless-dynamodb-client serverless-dynamodb-fixtures
serverless-dynamodb-local serverless-dynamodb-pitr serverless-dynamodb-seed serverless-dynamodb-ttl
serverless-dynamodb-autoscaling-plugin serverless-enable-api-logs serverless-esbuild serverless-esbuild-layers
serverless-export-env serverless-export-outputs serverless-finch serverless-functions-base-path serverless-git-info
serverless-go-plugin serverless-ignore serverless-jetpack serverless-jest-plugin serverless-latest-layer-version
serverless-lambda-prune-plugin serverless-layers serverless-local-schedule serverless-localstack
serverless-log-forwarding serverless-lumigo serverless-manifest-plugin serverless-mocha-plugin
serverless-newrelic-lambda-layers serverless-ngrok-tunnel serverless-openapi-documentation
serverless-openapi-documenter serverless-package-common serverless-package-external serverless-plugin-aws-alerts
serverless-plugin-bind-deployment-id serverless-plugin-browserifier serverless-plugin-canary-deployments
serverless-plugin-common-excludes serverless-plugin-create-deployment-bucket serverless-plugin-custom-binary
serverless-plugin-datadog serverless-plugin-diff serverless-plugin-epsagon serverless-plugin-git-variables
serverless-plugin-include-dependencies serverless-plugin-lambda-dead-letter serverless-plugin-lambda-insights
serverless-plugin-log-retention serverless-plugin-log-subscription serverless-plugin-metric serverless-plugin-monorepo
serverless-plugin-optimize serverless-plugin-package-size serverless-plugin-reducer serverless-plugin-resource-tagging
serverless-plugin-simulate serverless-plugin-split-stacks serverless-plugin-stage-variables serverless-plugin-static
serverless-plugin-tracing serverless-plugin-typescript serverless-plugin-vpc-eni-cleanup serverless-plugin-warmup
serverless-provisioned-concurrency-autoscaling serverless-prune-plugin serverless-prune-versions
serverless-pseudo-parameters serverless-python-requirements serverless-reqvalidator-plugin serverless-resources-env
serverless-ruby-layer serverless-s3-cleaner serverless-s3-deploy serverless-s3-local serverless-s3-remover
serverless-s3-sync serverless-sentry serverless-slic-watch-plugin serverless-sqs-alarms-plugin serverless-sqs-local
serverless-ssm-publish serverless-stack-output serverless-stack-termination-protection serverless-stage-manager
serverless-step-functions-local serverless-step-functions-offline serverless-tag-api-gateway
serverless-tag-cloud-watch-logs serverless-tscpaths serverless-typescript serverless-vpc-discovery serverless-vpc-plugin
serverless-webpack serverless-webpack-prisma serverless-wsgi
"""
PLUGINS = frozenset(_PLUGINS.split())
OFFLINE_PLUGIN = "serverless-offline"  # and its many companions, named serverless-offline-…


def framework_version(constraint: Value) -> int | None:
    """The framework's major version by ``frameworkVersion``, such as ``^3.38``; None where it allows several."""
    if not isinstance(constraint, Text):
        return None
    numbers = NUMBER.findall(constraint)
    if not numbers:
        return None
    first = int(numbers[0][:4])
    is_open = ">" in constraint and "<" not in constraint
    if first < 4 and is_open:
        return None
    return first


def plugin_permits_nothing(plugin: str) -> bool:
    """Whether a plugin is known to permit nothing with items."""
    return plugin in PLUGINS or plugin == OFFLINE_PLUGIN or plugin.startswith(f"{OFFLINE_PLUGIN}-")


def is_unused(key: str) -> bool:
    """Whether a key at the top of serverless.yml is only there for YAML's anchors, by its name."""
    return key.startswith("x-") or key.startswith(".")
