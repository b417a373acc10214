"""What acts by a role that is not in the files, or is another service's, may do anything."""

from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import ARN, grants, names, read, write
from tests.support.terraform_plans import ROLE_ARN, allow, configured, plan, policy, resource, role
from tests.support.terraform_plans import read as read_plan

FAR = "arn:aws:iam::111122223333:role/far"
OWN = """
  Own: {Type: AWS::IAM::Role, Properties: {Tags: [{Key: service, Value: shop}]}}
  Profile: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref Own]}}
"""
USERS = {
    "an instance": "{Type: AWS::EC2::Instance, Properties: {IamInstanceProfile: ROLE}}",
    "a template of instances": (
        "{Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {IamInstanceProfile: {Name: ROLE}}}}"
    ),
    "a job": "{Type: AWS::Glue::Job, Properties: {Role: ROLE}}",
    "a container's job": "{Type: AWS::Batch::JobDefinition, Properties: {ContainerProperties: {JobRoleArn: ROLE}}}",
    "a pipe": "{Type: AWS::Pipes::Pipe, Properties: {RoleArn: ROLE}}",
    "a schedule": "{Type: AWS::Scheduler::Schedule, Properties: {Target: {RoleArn: ROLE}}}",
    "a rule's target": "{Type: AWS::Events::Rule, Properties: {Targets: [{Id: a, RoleArn: ROLE}]}}",
    "an integration": "{Type: AWS::ApiGateway::Method, Properties: {Integration: {Credentials: ROLE}}}",
    "pods": "{Type: AWS::EKS::PodIdentityAssociation, Properties: {RoleArn: ROLE}}",
    "a canary": "{Type: AWS::Synthetics::Canary, Properties: {ExecutionRoleArn: ROLE}}",
    "a rule for things": (
        "{Type: AWS::IoT::TopicRule, Properties: {TopicRulePayload: {Actions: [{DynamoDBv2: {RoleArn: ROLE}}]}}}"
    ),
    "people who sign in": (
        "{Type: AWS::Cognito::IdentityPoolRoleAttachment, Properties: {Roles: {authenticated: ROLE, x: y}}}"
    ),
    "instances of Elastic Beanstalk": (
        "{Type: AWS::ElasticBeanstalk::Environment, "
        "Properties: {OptionSettings: [{OptionName: IamInstanceProfile, Value: ROLE}]}}"
    ),
    "what AWS adds tomorrow": "{Type: AWS::EC2::Tomorrow, Properties: {Deep: [{Er: {WorkerRoleArn: ROLE}}]}}",
}


def templates(folder: Path, **texts: str) -> Infrastructure:
    files = {f"{name}.yml": f"Resources:{text}" for name, text in texts.items()}
    write(folder, files)
    known = names(services=("shop", "pay"))
    return read_templates([folder / name for name in files], known, {}, {})


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_whatever_acts_by_a_role_from_elsewhere_leaves_its_service_unchecked(
    tmp_path: Path, user: str
) -> None:
    tagged = user.replace("Properties: {", "Properties: {Tags: [{Key: service, Value: shop}], ", 1)
    found = templates(tmp_path, t=f"{OWN}  User: {tagged.replace('ROLE', FAR)}\n")
    assert [(u.text, u.service, u.reason) for u in found.unresolved] == [
        (FAR, "shop", "the role is defined elsewhere")
    ]
    unowned = templates(tmp_path, t=f"{OWN}  User: {user.replace('ROLE', FAR)}\n")
    assert [u.service for u in unowned.unresolved] == [None]
    for own in ("!GetAtt Own.Arn", "!Ref Own", "!Ref Profile"):
        assert templates(tmp_path, t=f"{OWN}  User: {user.replace('ROLE', own)}\n").unresolved == ()


def test_a_role_in_a_branch_is_found_and_properties_without_end_end(tmp_path: Path) -> None:
    branch = f"!If [IsProd, {{RoleArn: {FAR}}}, !Ref AWS::NoValue]"
    schedule = f"{{Type: AWS::Scheduler::Schedule, Properties: {{Target: {branch}}}}}"
    assert [u.text for u in templates(tmp_path, t=f"{OWN}  User: {schedule}\n").unresolved] == [FAR]

    doubling = "  A0: &a0 {X: x}\n"
    for number in range(1, 40):
        doubling += f"  A{number}: &a{number} {{X: *a{number - 1}, Y: *a{number - 1}}}\n"
    text = f"Mappings:\n{doubling}Resources:{OWN}  User: {{Type: AWS::EC2::Instance, Properties: *a39}}\n"
    write(tmp_path, {"t.yml": text})
    assert read_templates([tmp_path / "t.yml"], names(), {}, {}).unresolved == ()


@pytest.mark.parametrize(
    "user",
    [
        "{Type: AWS::S3::Bucket, Properties: {ReplicationConfiguration: {Role: ROLE}}}",
        "{Type: AWS::RDS::DBInstance, Properties: {MonitoringRoleArn: ROLE}}",
        "{Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: {RoleARN: ROLE}}",
        "{Type: AWS::ECS::TaskDefinition, Properties: {TaskRoleArn: !GetAtt Own.Arn, ExecutionRoleArn: ROLE}}",
        "{Type: AWS::ECS::Service, Properties: {Role: 'arn:aws:iam::1:role/aws-service-role/ecs/X'}}",
        "{Type: AWS::ApiGateway::Method, Properties: {Integration: {Credentials: 'arn:aws:iam::*:user/*'}}}",
    ],
)
def test_roles_by_which_no_items_are_touched_do_not_matter(tmp_path: Path, user: str) -> None:
    assert templates(tmp_path, t=f"{OWN}  User: {user.replace('ROLE', FAR)}\n").unresolved == ()


ROLES = f"""
  Run:
    Type: AWS::IAM::Role
    Properties:
      TAGS
      Policies:
        - PolicyDocument: {{Statement: {{Effect: Allow, Action: "dynamodb:GetItem", Resource: "{ARN}carts"}}}}
Outputs: {{Arn: {{Value: !GetAtt Run.Arn, Export: {{Name: run}}}}}}
"""
FUNCTION = (
    "\n  F: {Type: AWS::Lambda::Function, "
    "Properties: {Tags: [{Key: service, Value: shop}], Role: !ImportValue run}}\n"
)


@pytest.mark.parametrize(("owner", "unresolved"), [("shop", []), ("pay", ["shop"])])
def test_a_function_in_another_templates_role_is_read_if_the_role_is_its_services(
    tmp_path: Path, owner: str, unresolved: list[str]
) -> None:
    for name in ("", "RoleName: runner\n      "):
        roles = ROLES.replace("TAGS", f"{name}Tags: [{{Key: service, Value: {owner}}}]")
        found = templates(tmp_path, functions=FUNCTION + OWN, roles=roles)
        assert grants(found) == {f"{owner} read carts"}
        assert [u.service for u in found.unresolved] == unresolved
    by_arn = FUNCTION.replace("!ImportValue run", "arn:aws:iam::111122223333:role/runner")
    assert [
        u.service for u in templates(tmp_path, functions=by_arn, roles=roles).unresolved
    ] == unresolved


def test_a_policy_attached_to_another_templates_role_is_that_roles_services(tmp_path: Path) -> None:
    attached = f"""
  P:
    Type: AWS::IAM::Policy
    Properties:
      Roles: [!ImportValue run]
      PolicyDocument: {{Statement: {{Effect: Allow, Action: "dynamodb:PutItem", Resource: "{ARN}letters"}}}}
"""
    for exported in ("!Ref Run", "!GetAtt Run.Arn"):
        roles = ROLES.replace("TAGS", "Tags: [{Key: service, Value: shop}]").replace(
            "!GetAtt Run.Arn", exported
        )
        found = templates(tmp_path, pay=attached, iam=roles)  # words of a file's name say nothing
        assert (grants(found), found.unresolved) == ({"shop read carts", "shop write letters"}, ())


@pytest.mark.parametrize(("owner", "unresolved"), [("shop", []), ("pay", ["shop"])])
def test_a_role_that_may_be_assumed_is_read_only_if_it_is_the_services_own(
    tmp_path: Path, owner: str, unresolved: list[str]
) -> None:
    may_assume = """
  Shop:
    Type: AWS::IAM::Role
    Properties:
      Tags: [{Key: service, Value: shop}]
      Policies: [{PolicyDocument: {Statement: {Effect: Allow, Action: "sts:AssumeRole", Resource: !GetAtt Run.Arn}}}]
"""
    roles = ROLES.replace("TAGS", f"Tags: [{{Key: service, Value: {owner}}}]")
    assert [u.service for u in templates(tmp_path, t=may_assume + roles).unresolved] == unresolved


def test_a_projects_resources_act_by_roles_too(tmp_path: Path) -> None:
    project = """
service: shop
provider: {name: aws}
functions: {a: {handler: a.b}}
resources:
  Resources:
    Near: {Type: AWS::Pipes::Pipe, Properties: {RoleArn: !GetAtt IamRoleLambdaExecution.Arn}}
    Far: {Type: AWS::Pipes::Pipe, Properties: {RoleArn: "arn:aws:iam::111122223333:role/far"}}
"""
    found = read(tmp_path, {"shop/serverless.yml": project}, services=("shop",))
    assert [(u.text, u.service) for u in found.unresolved] == [(FAR, "shop")]


TAG = {"service": "shop"}
RUNS = {
    "a service of containers": "{Type: AWS::ECS::Service, Properties: {TaskDefinition: RUN}}",
    "a schedule": (
        "{Type: AWS::Events::Rule, Properties: {Targets: [{EcsParameters: {TaskDefinitionArn: RUN}}]}}"
    ),
    "a group of instances": (
        "{Type: AWS::AutoScaling::AutoScalingGroup, "
        "Properties: {LaunchTemplate: {LaunchTemplateId: RUN, Version: 1}}}"
    ),
    "an older group of instances": (
        "{Type: AWS::AutoScaling::AutoScalingGroup, Properties: {LaunchConfigurationName: RUN}}"
    ),
}


@pytest.mark.parametrize("user", RUNS.values(), ids=RUNS)
def test_what_runs_a_task_or_template_from_elsewhere_has_a_role_that_is_not_read(
    tmp_path: Path, user: str
) -> None:
    tagged = user.replace("Properties: {", "Properties: {Tags: [{Key: service, Value: shop}], ", 1)
    found = templates(tmp_path, t=f"{OWN}  User: {tagged.replace('RUN', 'far')}\n")
    assert [(u.service, u.reason) for u in found.unresolved] == [
        ("shop", "what it runs is defined elsewhere, with the role of that")
    ]
    own = "  Run: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateName: own}}\n"
    within = templates(tmp_path, t=f"{OWN}{own}  User: {tagged.replace('RUN', '!Ref Run')}\n")
    assert within.unresolved == ()


PLANNED = {
    "an instance with a profile from elsewhere": (
        resource("aws_instance.x", iam_instance_profile="far", tags=TAG),
        None,
        "the role is defined elsewhere",
    ),
    "an instance with a profile of the plan": (
        resource("aws_instance.x", {"iam_instance_profile": True}, tags=TAG),
        {"iam_instance_profile": ["aws_iam_instance_profile.own.name"]},
        None,
    ),
    "a profile that nobody states": (
        resource("aws_instance.x", {"iam_instance_profile": True}, tags=TAG),
        {},
        None,
    ),
    "a job in a role of the plan": (
        resource("aws_glue_job.x", role_arn=f"{ROLE_ARN}run-role", tags=TAG),
        None,
        None,
    ),
    "a job in a role by a local": (
        resource("aws_glue_job.x", {"role_arn": True}, tags=TAG),
        {"role_arn": ["local.role"]},
        "it depends on local.role; role_arn is known only after apply",
    ),
    "a job in a role that the plan creates": (
        resource("aws_glue_job.x", {"role_arn": True}, tags=TAG),
        {"role_arn": ["aws_iam_role.run.arn"]},
        None,
    ),
    "a job in the role of a task": (
        resource("aws_glue_job.x", {"role_arn": True}, tags=TAG),
        {"role_arn": ["aws_ecs_task_definition.work.task_role_arn"]},
        "it depends on aws_ecs_task_definition.work.task_role_arn; role_arn is known only after apply",
    ),
    "a job in a role that a function makes": (
        resource("aws_glue_job.x", {"role_arn": True}, tags=TAG),
        {"role_arn": []},
        "role_arn is known only after apply",
    ),
    "an integration without a role": (
        resource("aws_api_gateway_integration.x", credentials="", role_arn=None, tags=TAG),
        None,
        None,
    ),
    "a target in a block": (
        resource("aws_scheduler_schedule.x", target=[{"role_arn": f"{ROLE_ARN}far"}], tags=TAG),
        None,
        "the role is defined elsewhere",
    ),
    "a profile in a block": (
        resource("aws_launch_template.x", iam_instance_profile=[{"name": "far"}], tags=TAG),
        None,
        "the role is defined elsewhere",
    ),
    "a profile of the plan in a block": (
        resource(
            "aws_launch_template.x",
            iam_instance_profile=[{"arn": "", "name": "own", "id": "far"}],
            tags=TAG,
        ),
        None,
        None,
    ),
    "instances of Elastic Beanstalk": (
        resource(
            "aws_elastic_beanstalk_environment.x",
            setting=[{"name": "IamInstanceProfile", "value": "far"}],
            tags=TAG,
        ),
        None,
        "the role is defined elsewhere",
    ),
    "instances of Elastic Beanstalk with a profile of the plan": (
        resource(
            "aws_elastic_beanstalk_environment.x",
            setting=[{"name": "IamInstanceProfile", "value": "own"}],
            tags=TAG,
        ),
        None,
        None,
    ),
    "an option of Elastic Beanstalk that is known after apply": (
        resource(
            "aws_elastic_beanstalk_environment.x",
            {"setting": [{"value": True}]},
            setting=[{"name": "IamInstanceProfile"}],
            tags=TAG,
        ),
        {"setting": [{"value": {"references": ["local.profile"]}}]},
        "it depends on local.profile; setting is known only after apply",
    ),
    "what code runs by": (
        resource("aws_sagemaker_model.x", execution_role_arn=f"{ROLE_ARN}far", tags=TAG),
        None,
        "the role is defined elsewhere",
    ),
    "a service of containers with a task from elsewhere": (
        resource("aws_ecs_service.x", task_definition="far:3", tags=TAG),
        None,
        "what it runs is defined elsewhere, with the role of that",
    ),
    "a service of containers with a task of the plan": (
        resource("aws_ecs_service.x", task_definition="work:7", tags=TAG),
        None,
        None,
    ),
    "a service of containers with a task known after apply": (
        resource("aws_ecs_service.x", {"task_definition": True}, tags=TAG),
        {"task_definition": ["aws_ecs_task_definition.work.arn"]},
        None,
    ),
    "a service of containers with a task known after apply from elsewhere": (
        resource("aws_ecs_service.x", {"task_definition": True}, tags=TAG),
        {"task_definition": ["local.task"]},
        "it depends on local.task; task_definition is known only after apply",
    ),
    "a group of instances with a template from elsewhere": (
        resource("aws_autoscaling_group.x", launch_template=[{"id": "lt-1"}], tags=TAG),
        None,
        "what it runs is defined elsewhere, with the role of that",
    ),
    "a group of instances without a template": (
        resource("aws_autoscaling_group.x", launch_configuration="", launch_template=[], tags=TAG),
        None,
        None,
    ),
    "a group of instances with a template that the provider computes": (
        resource("aws_autoscaling_group.x", {"launch_configuration": True}, tags=TAG),
        {},
        None,
    ),
    "roles of an identity pool": (
        resource(
            "aws_cognito_identity_pool_roles_attachment.x",
            roles={"authenticated": f"{ROLE_ARN}far"},
            tags=TAG,
        ),
        None,
        "the role is defined elsewhere",
    ),
    "a definition of an API": (
        resource(
            "aws_api_gateway_rest_api.x", body=f'{{"credentials": "{ROLE_ARN}far"}}', tags=TAG
        ),
        None,
        "the role is defined elsewhere",
    ),
    "a definition of an API with a role of the plan": (
        resource("aws_apigatewayv2_api.x", body=f"credentials: {ROLE_ARN}run-role", tags=TAG),
        None,
        None,
    ),
    "a definition of an API known after apply": (
        resource("aws_apigatewayv2_api.x", {"body": True}, tags=TAG),
        {"body": ["local.body"]},
        "it depends on local.body; body is known only after apply",
    ),
    "an automation": (
        resource(
            "aws_ssm_association.x", parameters={"AutomationAssumeRole": f"{ROLE_ARN}far"}, tags=TAG
        ),
        None,
        "the role is defined elsewhere",
    ),
    "pods": (
        resource(
            "kubernetes_service_account_v1.x",
            metadata=[{"annotations": {"eks.amazonaws.com/role-arn": f"{ROLE_ARN}far"}}],
            tags=TAG,
        ),
        None,
        "the role is defined elsewhere",
    ),
    "a map of who may enter a cluster": (
        resource("kubernetes_config_map.x", data={"mapRoles": f"{ROLE_ARN}far"}, tags=TAG),
        None,
        None,
    ),
    "a bucket": (
        resource("aws_s3_bucket_replication_configuration.x", role=f"{ROLE_ARN}far"),
        None,
        None,
    ),
}


@pytest.mark.parametrize(("user", "references", "reason"), PLANNED.values(), ids=PLANNED)
def test_what_acts_by_a_role_in_a_plan(
    tmp_path: Path, user: dict, references: dict | None, reason: str | None
) -> None:
    configuration = {"resources": [configured(user["address"], **(references or {}))]}
    found = read_plan(
        tmp_path,
        plan(
            role("aws_iam_role.run", "shop"),
            resource("aws_iam_instance_profile.own", {"arn": True}, name="own", role="run-role"),
            resource("aws_iam_role_policy.run", role="run-role", policy=policy(allow("s3:*", "*"))),
            resource("aws_ecs_task_definition.work", family="work", revision=7),
            user,
            configuration=configuration,
        ),
        names(services=("shop",)),
    )
    assert [(u.service, u.reason) for u in found.unresolved] == (
        [("shop", reason)] if reason else []
    )


def test_other_tags_do_not_say_whose_a_job_is(tmp_path: Path) -> None:
    job = f"{{Type: AWS::Glue::Job, Properties: {{Role: {FAR}, Tags: {{team: shop}}}}}}"
    assert [u.service for u in templates(tmp_path, t=f"{OWN}  J: {job}\n").unresolved] == [None]


def test_a_role_of_another_service_is_named_with_that_service(tmp_path: Path) -> None:
    template = f"""
Resources:
  Own: {{Type: AWS::IAM::Role, Properties: {{RoleName: far, Tags: [{{Key: service, Value: pay}}]}}}}
  Job: {{Type: AWS::Glue::Job, Properties: {{Role: "{FAR}", Tags: {{service: shop}}}}}}
"""
    write(tmp_path, {"t.yml": template})
    found = read_templates([tmp_path / "t.yml"], names(services=("shop", "pay")), {}, {})
    (unresolved,) = found.unresolved
    assert (unresolved.service, unresolved.reason) == ("shop", "the role is that of pay")
