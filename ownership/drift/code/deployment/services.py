"""Whose function it is: the service that a template's function belongs to."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from posixpath import dirname, join

from ownership.drift.code.deployment.base import DeployedTemplate
from ownership.drift.code.deployment.serverless import ServerlessProjects
from ownership.drift.naming import unregistered_service_name
from ownership.drift.readers.cloudformation import service_of_role
from ownership.drift.values import (
    Map,
    Seq,
    Text,
)

# Folders that hold the code of all services, so that their name is no service's.
GENERIC_FOLDERS = {
    "",
    ".",
    "app",
    "apps",
    "backend",
    "cfn",
    "cloudformation",
    "code",
    "deploy",
    "deployment",
    "functions",
    "handlers",
    "iac",
    "infra",
    "infrastructure",
    "lambda",
    "lambda_functions",
    "lambdas",
    "packages",
    "sam",
    "services",
    "source",
    "src",
    "stacks",
    "template",
    "templates",
}
CDK_OUTPUT = "cdk.out"


class Services(ServerlessProjects):
    """Names services."""

    def _service_of(
        self,
        template: DeployedTemplate,
        folder: str,
        name: str,
        properties: Map,
        code: str | None,
    ) -> tuple[str, str]:
        """The service of a template's function, and the folder of the service's code."""
        if PurePosixPath(folder).name == CDK_OUTPUT:
            folder, code = dirname(folder), None
        tags = properties.get("Tags")
        tag = template.text(tags.get("service")) if isinstance(tags, Map) else None
        if tag:
            known = self.names.service((), str(tag)) or unregistered_service_name(str(tag))
            return known, code or folder
        # What a role permits counts for the same service.
        role = self._service_of_role(template, properties)
        if role:
            return role, code or folder
        # Of the folders of code and template, the innermost whose name is a service's on the map.
        for candidate in (*_with_parents(code or ""), *_with_parents(folder)):
            named = self.names.services.get(PurePosixPath(candidate).name.lower())
            if named:
                return named, candidate
        mentioned = self.names.role([name])
        if mentioned:
            return mentioned, code or folder
        if folder and PurePosixPath(folder).name.lower() not in GENERIC_FOLDERS:
            return unregistered_service_name(PurePosixPath(folder).name), folder
        if code is not None:
            inner, position = PurePosixPath(code), ""
            if folder and inner.is_relative_to(folder):
                inner, position = inner.relative_to(folder), folder
            for part in inner.parts:
                position = join(position, part)
                if part.lower() not in GENERIC_FOLDERS:
                    return unregistered_service_name(part), position
        return unregistered_service_name(PurePosixPath(folder).name or self.top.name), folder

    def _service_of_role(self, template: DeployedTemplate, properties: Map) -> str | None:
        node = template.expand(properties.get("Role"))
        if not isinstance(node, Map):
            return None
        reference = node.get("Ref") or node.get("Fn::GetAtt") or node.get("Fn::Sub")
        if isinstance(reference, Seq) and reference:
            reference = reference[0]
        if not isinstance(reference, Text):
            return None
        name = reference.strip("${}").partition(".")[0]
        if template.mapping(template.resources.get(name)).get("Type") != "AWS::IAM::Role":
            return None
        return service_of_role(template, name, template.properties(name), self.services, self.names)


def _with_parents(folder: str) -> Iterator[str]:
    """A folder and those around it, innermost first."""
    while folder and folder != ".":
        yield folder
        folder = dirname(folder)


def folder_of_handler(handler: Text | None) -> str:
    """The folder in a handler: ``users/src`` of ``users/src/main.get`` and of Python's ``users.src.main.get``."""
    path = str(handler or "").rpartition(".")[0]
    return dirname(path if "/" in path else path.replace(".", "/"))
