"""The managed policies that resources of Terraform have attached, as their documents.

A policy is known by its ARN or, before it has one, by the configuration, which leads back to what makes it.
Source: documentation of the AWS provider for Terraform, version 6.
"""

from collections.abc import Mapping

from ownership.drift.iam.managed_policies import UnknownPolicyError, statements_of
from ownership.drift.readers.terraform_documents import Documents
from ownership.drift.readers.terraform_references import ReferenceFinder
from ownership.drift.readers.terraform_resource import TerraformResource, is_unknown
from ownership.drift.readers.terraform_values import mapping, not_known, unknown_members
from ownership.drift.values import Seq, Text, Value, members, placeholder

POLICY = "aws_iam_policy"

# Resources by the ARNs that they are known to have, in all files of a run.
ByArn = Mapping[str, tuple[ReferenceFinder, TerraformResource]]


class Policies:
    """Finds the policies of one plan's resources. ``policies`` are the managed ones of all files, by ARN."""

    def __init__(self, documents: Documents, policies: ByArn) -> None:
        self.documents = documents
        self.policies = policies

    def attached(self, resource: TerraformResource, attribute: str) -> list[Value]:
        """The documents of the managed policies whose ARNs an attribute has."""
        value = resource.values.get(attribute)
        attached = []
        unknown = unknown_members(value)
        if unknown:
            attached += self._attached_later(resource, attribute, unknown)
        for arn in members(value):
            if isinstance(arn, Text) and not is_unknown(arn):
                attached.append(self._managed(arn))
        return attached

    def _attached_later(
        self, resource: TerraformResource, attribute: str, number: int
    ) -> list[Value]:
        """The documents of so many policies whose ARNs are known only after apply."""
        references = self.documents.finder.references(resource, attribute)
        reached = references.of_type(POLICY)
        # One of several: the plan does not show which.
        is_ambiguous = len(set(reached)) > number
        if references.others or not reached or is_ambiguous:
            return [not_known(resource.location, attribute, references)]
        return [self.documents.document(policy, "policy") for policy in reached]

    def _managed(self, arn: Text) -> Value:
        if arn in self.policies:
            finder, policy = self.policies[arn]
            return Documents(finder).document(policy, "policy")
        try:
            return mapping(arn.location, Statement=Seq(arn.location, statements_of(arn)))
        except UnknownPolicyError as error:
            return placeholder(arn.location, str(arn.reason.text if arn.reason else error))
