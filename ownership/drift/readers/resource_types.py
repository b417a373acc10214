"""Which resources of a template may permit something with items, and who reads them.

A resource whose type no reader has read counts as unread, unless its type is known here to permit nothing by itself.
So a type that AWS adds tomorrow is unread, and not taken for harmless. A role that such a resource uses is a resource
of its own. The same goes for sections of a template and for macros.
Source: AWS CloudFormation Template Reference, the services' pages, as the resource schemas of cfn-lint 1.58 list them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ownership.drift.readers.template_nodes import IDENTITY_TYPES, INCLUDE, is_function_name
from ownership.drift.values import Map, Text, Value, as_mapping, as_text, known_text, location_of

if TYPE_CHECKING:
    from ownership.drift.readers.template import Template

UNKNOWN_TYPE = "unknown"  # of a resource whose type can't be told

# Services of AWS none of whose resources permits anything with items.
_SERVICES = """
ACMPCA AIOps APS ARCRegionSwitch ARCZonalShift AccessAnalyzer AmazonMQ Amplify AmplifyUIBuilder ApiGateway
ApiGatewayV2 AppConfig AppFabric AppFlow AppIntegrations AppMesh AppRunner AppStream AppSync AppTest
ApplicationAutoScaling ApplicationInsights ApplicationSignals Athena AuditManager AutoScaling AutoScalingPlans
B2BI BCM BCMDataExports Backup BackupGateway Batch BcmPricingCalculator Bedrock BedrockAgentCore Billing
BillingConductor Braket Budgets CDK CE CUR Cases Cassandra CertificateManager Chatbot Chime CleanRooms
CleanRoomsML Cloud9 CloudFront CloudHSM CloudTrail CloudWatch CodeArtifact CodeBuild CodeCommit
CodeConnections CodeDeploy CodeGuruProfiler CodeGuruReviewer CodePipeline CodeStar CodeStarConnections
CodeStarNotifications Cognito Comprehend ComputeOptimizer Config Connect ConnectCampaigns ConnectCampaignsV2
ControlTower CustomerProfiles DAX DLM DMS DRS DSQL DataBrew DataExchange DataPipeline DataSync DataZone
Deadline Detective DevOpsAgent DevOpsGuru DeviceFarm DirectConnect DirectoryService DocDB DocDBElastic EC2 ECR
ECS EFS EKS EMR EMRContainers EMRServerless EVS ElastiCache ElasticBeanstalk ElasticLoadBalancing
ElasticLoadBalancingV2 Elasticsearch ElementalInference EntityResolution EventSchemas Events Evidently FIS FMS
FSx FinSpace Forecast FraudDetector GameLift GameLiftStreams GlobalAccelerator Glue Grafana Greengrass
GreengrassV2 GroundStation GuardDuty HealthImaging HealthLake IVS IVSChat IdentityStore ImageBuilder Inspector
InspectorV2 Interconnect InternetMonitor Invoicing IoT IoTAnalytics IoTCoreDeviceAdvisor IoTEvents
IoTFleetWise IoTManagedIntegrations IoTSecureTunneling IoTSiteWise IoTThingsGraph IoTTwinMaker IoTWireless KMS
KafkaConnect Kendra KendraRanking Kinesis KinesisAnalytics KinesisAnalyticsV2 KinesisFirehose KinesisVideo
LakeFormation Lambda Lex LicenseManager LicenseManagerLinuxSubscriptions LicenseManagerUserSubscriptions
Lightsail Location Logs LookoutEquipment LookoutVision M2 MGN MSK MWAA MWAAServerless Macie ManagedBlockchain
MediaConnect MediaConvert MediaLive MediaPackage MediaPackageV2 MediaStore MediaTailor MemoryDB Neptune
NeptuneGraph NetworkFirewall NetworkFlowMonitor NetworkManager NetworkMonitor NetworkSecurityManager
NimbleStudio Notifications NotificationsContacts NovaAct ODB OSIS Oam ObservabilityAdmin Omics OpenSearch
OpenSearchServerless OpenSearchService OpsWorks Organizations Outposts PCAConnectorAD PCAConnectorSCEP PCS
Panorama PaymentCryptography Personalize Pinpoint PinpointEmail Pipes Polly QBusiness QLDB QuickSight RAM RDS
RTBFabric RUM Rbin Redshift RedshiftServerless RefactorSpaces Rekognition ResilienceHub ResilienceHubV2
ResourceExplorer2 ResourceGroups RoboMaker RolesAnywhere Route53 Route53GlobalResolver Route53Profiles
Route53RecoveryControl Route53RecoveryReadiness Route53Resolver S3 S3Express S3Files S3ObjectLambda S3Outposts
S3Tables S3Vectors SDB SES SMSVOICE SNS SQS SSM SSMContacts SSMGuiConnect SSMIncidents SageMaker Scheduler
SecretsManager SecurityAgent SecurityHub SecurityLake ServiceCatalogAppRegistry ServiceDiscovery Shield Signer
SimSpaceWeaver StepFunctions StorageGateway SupportApp Synthetics SystemsManagerSAP Textract Timestream
Transcribe Transfer Translate VerifiedPermissions VoiceID VpcLattice WAF WAFRegional WAFv2 WellArchitected
Wickr Wisdom WorkSpaces WorkSpacesThinClient WorkSpacesWeb WorkspacesInstances XRay
"""
SERVICES = frozenset(_SERVICES.split())

# Single types of services that also have resources that permit something, and those that frameworks add.
_TYPES = """
AWS::CloudFormation::Macro AWS::CloudFormation::WaitCondition AWS::CloudFormation::WaitConditionHandle
AWS::IAM::AccessKey AWS::IAM::InstanceProfile AWS::IAM::OIDCProvider AWS::IAM::SAMLProvider
AWS::IAM::ServerCertificate AWS::IAM::ServiceLinkedRole AWS::IAM::VirtualMFADevice
AWS::SSO::Application AWS::SSO::ApplicationAssignment AWS::SSO::Instance
Alexa::ASK::Skill
Custom::ApiGatewayAccountRole Custom::CognitoUserPool Custom::EventBridge Custom::S3
Custom::CDKBucketDeployment Custom::LogRetention Custom::S3AutoDeleteObjects Custom::S3BucketNotifications
Custom::VpcRestrictDefaultSG
Custom::AWSCDKOpenIdConnectProvider Custom::CrossRegionExportReader Custom::CrossRegionExportWriter
Custom::DynamoDBReplica Custom::ECRAutoDeleteImages
"""
TYPES = frozenset(_TYPES.split())

# Macros that add no permissions of their own: what they make is of a type that is read, or is unread itself.
_TRANSFORMS = """
AWS::CodeDeployBlueGreen AWS::LanguageExtensions AWS::SecretsManager-2020-07-23 AWS::SecretsManager-2024-09-16
AWS::Serverless-2016-10-31
"""
TRANSFORMS = frozenset(_TRANSFORMS.split())

# Sections of a template that permit nothing.
SECTIONS = frozenset({"AWSTemplateFormatVersion", "Conditions", "Description", "Metadata", "Rules"})

# Properties by which a resource permits something.
PERMITTING_PROPERTIES = frozenset(
    {"ManagedPolicyArns", "Policies", "PolicyDocument", "ResourcePolicy"}
)


def permits_nothing(resource_type: str) -> bool:
    """Whether a resource of this type is known to permit nothing with items by itself."""
    if resource_type in TYPES:
        return True
    prefix, _, rest = resource_type.partition("::")
    service, _, kind = rest.partition("::")
    return prefix == "AWS" and service in SERVICES and "::" not in kind


@dataclass
class WhatWasRead:
    """The sections of a template that readers have read, and its resources by type or by logical name."""

    sections: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)


def unread(template: "Template") -> Iterator[tuple[Text, str]]:
    """What no reader has read and what may permit something, each with the reason.

    To be called when all readers are done.
    """
    yield from _unread_sections(template)
    for transform in template.transforms():
        if transform not in TRANSFORMS:
            yield transform, "what this transform makes of the template is not known"
    for name, node in template.resources.items():
        reason = _why_unread(template, name, node)
        if reason:
            yield as_text(name, location_of(node)), reason


def _unread_sections(template: "Template") -> Iterator[tuple[Text, str]]:
    known = template.was_read.sections | SECTIONS | {"Transform"}
    for part in template.parts:
        for key, value in part.items():
            if key not in known and value is not None:
                reason = "this section is not read, and may permit something"
                yield as_text(key, part.location), reason


def _why_unread(template: "Template", name: str, node: Value) -> str:
    """Why a resource may permit something that no reader has read; empty if it was read, or permits nothing."""
    if is_function_name(name):
        return f"{name} is not expanded, and may make resources that permit something"
    resource = template.expand(node)
    if not isinstance(resource, Map):
        return ""  # `not_mappings` lists it
    stated_type = template.expand(resource.get("Type"))
    properties = template.expand(resource.get("Properties"))
    # Readers of roles, users and groups report a macro in their properties themselves.
    is_included = INCLUDE in as_mapping(properties) and stated_type not in IDENTITY_TYPES
    if INCLUDE in resource or is_included:
        return f"what {INCLUDE} makes of the resource is not known"
    # Without a type, it changes a resource that a framework makes.
    is_change = stated_type is None and isinstance(properties, Map)
    if is_change and PERMITTING_PROPERTIES.isdisjoint(as_mapping(properties)):
        return ""
    known_type = known_text(stated_type)
    resource_type = UNKNOWN_TYPE if known_type is None else str(known_type)
    if permits_nothing(resource_type):
        return ""
    if resource_type in template.was_read.types or name in template.was_read.resources:
        return ""
    return f"resources of type {resource_type} are not read, and may permit something"
