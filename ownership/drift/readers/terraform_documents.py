"""Policy documents as Terraform's resources have them.

A policy is a text in JSON. Where a plan knows it only after apply, because it comes from the data source
``aws_iam_policy_document``, it is made here of the source's statements::

    statement { actions = ["dynamodb:GetItem"]  resources = [aws_dynamodb_table.orders.arn] }

An ARN that is not known yet is that of the resource that the configuration refers to: of a table, it may be its
indexes' as well. What comes from anything else is unresolved, with the reference as the reason.
Source: documentation of the AWS provider for Terraform, version 6.
"""

from collections.abc import Iterable

from ownership.drift.readers.made_nodes import TABLE_ARN
from ownership.drift.readers.template_nodes import name_by_place
from ownership.drift.readers.terraform_plan import TerraformPlan
from ownership.drift.readers.terraform_references import NOT_SHOWN, ReferenceFinder, References
from ownership.drift.readers.terraform_resource import (
    PRINCIPALS,
    TerraformResource,
    is_unknown,
)
from ownership.drift.readers.terraform_values import (
    mapping,
    not_known,
    parsed,
    unknown_members,
)
from ownership.drift.types import Location
from ownership.drift.values import (
    Map,
    Seq,
    Text,
    Value,
    as_mapping,
    concat,
    known_text,
    mappings,
    members,
    value_at,
)

TABLE = "aws_dynamodb_table"
DOCUMENT = "aws_iam_policy_document"
STREAM_ATTRIBUTES = ("stream_arn", "stream_label")
OWN_PRINCIPAL = "arn:aws:iam:*:*:role/"
# Attributes with documents of others, in the order in which they are laid over one another; None for the own ones.
LAYERS = (
    "source_json",
    "source_policy_documents",
    None,
    "override_json",
    "override_policy_documents",
)
MAX_LAYERS = 20  # documents made of documents


class Documents:
    """Finds the policy documents of one plan's resources."""

    def __init__(self, finder: ReferenceFinder) -> None:
        self.plan = finder.plan
        self.finder = finder

    def document(self, resource: TerraformResource, attribute: str, *path: str | int) -> Value:
        """The policy document that an attribute holds, itself or as text; a placeholder where it is not known."""
        whole_path = (attribute, *path)
        return self._document(resource, value_at(resource.values, *whole_path), whole_path, 0)

    def _document(
        self, resource: TerraformResource, value: Value, path: tuple[str | int, ...], nesting: int
    ) -> Value:
        text = known_text(value)
        if text is not None:
            return parsed(text)
        if not is_unknown(value):
            return value
        references = self.finder.references(resource, *path)
        documents = references.of_type(DOCUMENT)
        is_only = len(references.resources) == len(documents) == 1 and not references.others
        if not is_only or nesting > MAX_LAYERS:
            return not_known(resource.location, str(path[0]), references)
        return self._made_of_statements(documents[0], nesting + 1)

    def _made_of_statements(self, document: TerraformResource, nesting: int) -> Value:
        """The document that a data source makes; a placeholder where what it is made of is not known."""
        json = document.values.get("json")
        if not is_unknown(json):
            return self._document(document, json, ("json",), nesting)
        statements: list[Map] = []
        for attribute in LAYERS:
            layer = self._layer(document, attribute, nesting)
            if isinstance(layer, Text):
                return layer
            _lay_over(statements, layer)
        return mapping(document.location, Statement=Seq(document.location, statements))

    def _layer(
        self, document: TerraformResource, attribute: str | None, nesting: int
    ) -> list[Map] | Text:
        """The statements of one layer; a placeholder where they are not known."""
        if attribute is None:
            return self._own_statements(document)
        value = document.values.get(attribute)
        paths: list[tuple[str | int, ...]] = [(attribute,)]
        texts = [value]
        if isinstance(value, Seq):
            paths = [(attribute, position) for position in range(len(value))]
            texts = list(value)
        statements: list[Map] = []
        for path, text in zip(paths, texts, strict=True):
            inner = self._document(document, text, path, nesting)
            if isinstance(inner, Text):
                return inner
            statements += mappings(as_mapping(inner).get("Statement"))
        return statements

    def _own_statements(self, document: TerraformResource) -> list[Map] | Text:
        blocks = members(document.values.get("statement"))
        # Blocks of `dynamic "statement"` are not in the configuration, and the positions of others not theirs then.
        configured = self.finder.expression(document, "statement")
        is_complete = isinstance(configured, list) and len(configured) == len(blocks)
        statements = []
        for position, block in enumerate(blocks):
            if isinstance(block, Text):
                return block  # what its dynamic block makes is known only after apply
            place = position if is_complete else None
            statements.append(self._statement(document, as_mapping(block), place))
        return statements

    def _statement(self, document: TerraformResource, block: Map, position: int | None) -> Map:
        location = document.location
        return mapping(
            location,
            Sid=block.get("sid"),
            Effect=block.get("effect") or Text("Allow", location),
            Action=_if_any(block.get("actions")),
            NotAction=_if_any(block.get("not_actions")),
            Resource=self._resources(document, block, position, "resources"),
            NotResource=self._resources(document, block, position, "not_resources"),
            Principal=self._principals(document, block, position, "principals"),
            NotPrincipal=self._principals(document, block, position, "not_principals"),
            Condition=_if_any(block.get("condition")),
        )

    def _resources(
        self, document: TerraformResource, block: Map, position: int | None, attribute: str
    ) -> Value:
        value = block.get(attribute)
        number = unknown_members(value)
        if not number:
            return _if_any(value)
        location = document.location
        resources = Seq(location, _known_members(value))
        references = self._references(document, position, attribute)
        # Where a resource too many would take something away, only what is certain counts.
        if attribute == "not_resources" or block.get("effect") == "Deny":
            resources.append(not_known(location, attribute, references))
        else:
            resources += self.arns(references, location, attribute, number)
        return resources

    def _references(
        self, document: TerraformResource, position: int | None, *path: str | int
    ) -> References:
        """What a part of a statement comes from."""
        if position is None:
            return References(others=[NOT_SHOWN])
        return self.finder.references(document, "statement", position, *path)

    def arns(
        self, references: References, location: Location, attribute: str, number: int = 1
    ) -> list[Text]:
        """The ARNs that so many values made of these references may be: those of tables, and others.

        If more tables are referred to than there are values, the plan does not show which of them it is.
        """
        if len(set(references.of_type(TABLE))) > number:
            return [not_known(location, attribute, references)]
        arns = []
        for resource, name in references.resources:
            value = resource.values.get(name)
            if value is not None and not is_unknown(value):
                continue  # a part that is known, such as the account
            found = _arns_of(self.plan, resource, name, location)
            if not found:
                references.others.append(f"{resource.reference_name}.{name}".rstrip("."))
            arns += found
        if references.others or not arns:
            arns.append(not_known(location, attribute, References(others=references.others)))
        return arns

    def _principals(
        self, document: TerraformResource, block: Map, position: int | None, attribute: str
    ) -> Value:
        """The principals of a statement by kind, as policies have them."""
        by_kind = Map(document.location)
        for number, principal in enumerate(members(block.get(attribute))):
            if not isinstance(principal, Map):
                return Text("*", document.location)
            identifiers = principal.get("identifiers")
            known = _known_members(identifiers)
            if unknown_members(identifiers):
                path = (attribute, number, "identifiers")
                references = self._references(document, position, *path)
                known += self._roles(references, document.location)
            kind = Text(_kind_of_principal(principal), document.location)
            by_kind[kind] = Seq(document.location, [*members(by_kind.get(kind)), *known])
        return by_kind or None

    def _roles(self, references: References, location: Location) -> Iterable[Value]:
        for resource, _ in references.resources:
            if resource.is_principal:
                yield mapping(location, Ref=Text(self.plan.ids[resource.address], location))
            else:
                references.others.append(resource.reference_name)
        if references.others:
            yield not_known(location, "identifiers", References(others=references.others))


def _arns_of(
    plan: TerraformPlan, resource: TerraformResource, attribute: str, location: Location
) -> list[Text]:
    """The ARNs that an attribute may give, with what people put behind a table's; none for anything else."""
    is_arn = attribute == "arn" or attribute.endswith("_arn")
    is_table = resource.type == TABLE
    if is_table and attribute in STREAM_ATTRIBUTES:
        return [Text(f"{TABLE_ARN}none/stream/*", location)]
    if is_table and (is_arn or attribute in ("", "id")):
        arn = concat([TABLE_ARN, plan.table_name(resource)], location)
        return [arn, concat([arn, "/index/*"], location)]
    if not is_arn or not resource.type.startswith("aws_"):
        return []
    if resource.type in PRINCIPALS:
        return [Text(f"{OWN_PRINCIPAL}{_principal_name(plan, resource)}", location)]
    return [Text(f"arn:aws:{resource.type.split('_')[1]}:*:*:*", location)]


def _principal_name(plan: TerraformPlan, resource: TerraformResource) -> str:
    """What a role goes by, as in ``Template.role_name``."""
    name = known_text(resource.values.get("name"))
    if name is not None:
        return str(name)
    own_id = plan.ids.get(resource.address, resource.address)
    return name_by_place(resource.location, own_id)


def _known_members(value: Value) -> list[Value]:
    return [member for member in members(value) if not is_unknown(member)]


def _if_any(value: Value) -> Value:
    return None if value == [] else value


def _kind_of_principal(principal: Map) -> str:
    """The kind in a policy: AWS also for anyone, and for a kind that is not known, which may be it."""
    kind = known_text(principal.get("type"))
    if kind is None or kind == "*":
        return "AWS"
    return str(kind)


def _lay_over(statements: list[Map], layer: list[Map]) -> None:
    """Add a layer's statements; one replaces an earlier one with the same ``Sid``."""
    positions: dict[str, int] = {}
    for position, statement in enumerate(statements):
        positions[str(statement.get("Sid") or "")] = position
    for statement in layer:
        name = str(statement.get("Sid") or "")
        if name and name in positions:
            statements[positions[name]] = statement
            continue
        positions[name] = len(statements)
        statements.append(statement)
