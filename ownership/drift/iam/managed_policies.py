"""What AWS's own managed policies permit on items.

``arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess`` permits reading every table. A policy that is listed
nowhere here is reported as unresolved, so a new one of AWS has to be added.
Source: AWS Managed Policy Reference.
"""

import re

READ_ONLY = (
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
)
ALL_OF_DYNAMODB = ("dynamodb:*",)

# Policy name → the actions that it permits on all resources.
PERMITTED_ACTIONS: dict[str, tuple[str, ...]] = {
    "AdministratorAccess": ("*",),
    "PowerUserAccess": ("*",),
    "AmazonDynamoDBFullAccess": ALL_OF_DYNAMODB,
    "AmazonDynamoDBFullAccess_v2": ALL_OF_DYNAMODB,
    "AmazonDynamoDBFullAccesswithDataPipeline": ALL_OF_DYNAMODB,
    "AmazonDynamoDBReadOnlyAccess": READ_ONLY,
    "AmazonEC2RoleforDataPipelineRole": ALL_OF_DYNAMODB,
    "ReadOnlyAccess": READ_ONLY,
}

# Policies known to permit nothing on items.
WITHOUT_ITEMS = re.compile(
    r"AWSLambda(Basic|VPCAccess|SQSQueue|Kinesis|DynamoDB|MSK)?ExecutionRole"
    r"|AWSLambda_?(Role|InvokeOnly)\w*"
    r"|AWSX[Rr]ay\w*"
    r"|Amazon(S3|SQS|SNS|SES|SSM|EC2|RDS|Cognito|APIGateway|EventBridge|Kinesis|DynamoDBStreams)\w*"
    r"|CloudWatch\w*"
    r"|SecretsManager\w*"
    r"|AWSStepFunctions\w*"
    r"|AWSAppSync\w*"
)


def policy_name(arn: str) -> str:
    """The name in a policy's ARN: ``…:policy/service-role/NAME``."""
    path = arn.rpartition(":policy/")[2]
    return path.rpartition("/")[2]


def permitted_actions(name: str) -> tuple[str, ...] | None:
    """The actions that a managed policy permits on all resources; None if that isn't known."""
    if name in PERMITTED_ACTIONS:
        return PERMITTED_ACTIONS[name]
    if WITHOUT_ITEMS.fullmatch(name):
        return ()
    return None
