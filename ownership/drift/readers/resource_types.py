"""Which resources of a template may permit something with items, and who reads them.

A resource whose type no reader has read counts as unread, unless its type is known here to permit nothing by itself.
So a type that AWS adds tomorrow is unread, and not taken for harmless. A role that such a resource uses is a resource
of its own.
Source: AWS CloudFormation Template Reference, the services' pages, as the resource schemas of cfn-lint 1.58 list them.
"""

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
