"""Policy documents as Terraform's resources have them.

A policy is a text in JSON. Where a plan knows it only after apply, because it comes from the data source
``aws_iam_policy_document``, it is made here of the source's statements::

    statement { actions = ["dynamodb:GetItem"]  resources = [aws_dynamodb_table.orders.arn] }

An ARN that is not known yet is that of the resource that the configuration refers to: of a table, it may be its
indexes' as well. What comes from anything else is unresolved, with the reference as the reason.
Source: documentation of the AWS provider for Terraform, version 6.
"""

from collections.abc import Iterable

from ownership.drift.readers.terraform_plan import PRINCIPALS, Plan
from ownership.drift.readers.terraform_references import NOT_SHOWN, ReferenceFinder, References
from ownership.drift.readers.terraform_resource import UNKNOWN, Resource, is_unknown
from ownership.drift.readers.terraform_values import (
    mapping,
    members,
    not_known,
    parsed,
    unknown_members,
    value_at,
)
from ownership.drift.types import Location
from ownership.drift.values import Map, Seq, Text, Value, concat, placeholder

TABLE = "aws_dynamodb_table"
DOCUMENT = "aws_iam_policy_document"
STREAM_ATTRIBUTES = ("stream_arn", "stream_label")
ARN_OF_TABLE = "arn:aws:dynamodb:*:*:table/"
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

    def document(self, resource: Resource, attribute: str, *path: str | int) -> Value:
        """The policy document that an attribute holds, itself or as text; a placeholder where it is not known."""
        return self._document(
            resource, value_at(resource.values, (attribute, *path)), (attribute, *path), 0
        )

    def _document(
        self, resource: Resource, value: Value, path: tuple[str | int, ...], nesting: int
    ) -> Value:
        if isinstance(value, Text) and value.reason is None:
            return parsed(value)
        if not is_unknown(value):
            return value
        references = self.finder.references(resource, *path)
        documents = []
        for other, _ in references.resources:
            if other.type == DOCUMENT:
                documents.append(other)
        is_only = len(references.resources) == len(documents) == 1 and not references.others
        if not is_only or nesting > MAX_LAYERS:
            return not_known(resource.location, str(path[0]), references)
        return self._made_of_statements(documents[0], nesting + 1)

    def _made_of_statements(self, document: Resource, nesting: int) -> Value:
        """The document that a data source makes; a placeholder where what it is made of is not known."""
        if not is_unknown(document.values.get("json")):
            return self._document(document, document.values.get("json"), ("json",), nesting)
        statements: list[Map] = []
        for attribute in LAYERS:
            layer = self._layer(document, attribute, nesting)
            if isinstance(layer, Text):
                return layer
            _lay_over(statements, layer)
        return mapping(document.location, Statement=Seq(document.location, statements))

    def _layer(self, document: Resource, attribute: str | None, nesting: int) -> list[Map] | Text:
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
            if isinstance(inner, Map):
                statements += _mappings(inner.get("Statement"))
        return statements

    def _own_statements(self, document: Resource) -> list[Map] | Text:
        value = document.values.get("statement")
        if is_unknown(value):
            return not_known(
                document.location, "statement", self.finder.references(document, "statement")
            )
        blocks = members(value)
        # Blocks of `dynamic "statement"` are not in the configuration, and the positions of others not theirs then.
        configured = self.finder.expression(document, "statement")
        is_complete = isinstance(configured, list) and len(configured) == len(blocks)
        statements = []
        for position, block in enumerate(blocks):
            if isinstance(block, Map):
                statements.append(
                    self._statement(document, block, position if is_complete else None)
                )
        return statements

    def _statement(self, document: Resource, block: Map, position: int | None) -> Map:
        location = document.location
        effect = block.get("effect")
        return mapping(
            location,
            Sid=block.get("sid"),
            Effect=effect if effect is not None else Text("Allow", location),
            Action=_if_any(block.get("actions")),
            NotAction=_if_any(block.get("not_actions")),
            Resource=self._resources(document, block, position, "resources"),
            NotResource=self._resources(document, block, position, "not_resources"),
            Principal=self._principals(document, block, position, "principals"),
            NotPrincipal=self._principals(document, block, position, "not_principals"),
            Condition=_if_any(block.get("condition")),
        )

    def _resources(
        self, document: Resource, block: Map, position: int | None, attribute: str
    ) -> Value:
        value = block.get(attribute)
        if not any(is_unknown(member) for member in members(value)):
            return _if_any(value)
        known = [member for member in members(value) if not is_unknown(member)]
        if position is None:
            return Seq(
                document.location,
                [*known, placeholder(document.location, f"{attribute} {UNKNOWN}")],
            )
        references = self.finder.references(document, "statement", position, attribute)
        # Where a resource too many would take something away, only what is certain counts.
        takes_away = attribute == "not_resources" or block.get("effect") == "Deny"
        if takes_away:
            return Seq(
                document.location, [*known, not_known(document.location, attribute, references)]
            )
        number = unknown_members(value)
        return Seq(
            document.location,
            [*known, *self.arns(references, document.location, attribute, number)],
        )

    def arns(
        self, references: References, location: Location, attribute: str, number: int = 1
    ) -> list[Text]:
        """The ARNs that so many values made of these references may be: those of tables, and others.

        If more tables are referred to than there are values, the plan does not show which of them it is.
        """
        tables = {resource for resource, _ in references.resources if resource.type == TABLE}
        if len(tables) > number:
            return [not_known(location, attribute, references)]
        arns = []
        for resource, name in references.resources:
            if (
                name
                and not is_unknown(resource.values.get(name))
                and resource.values.get(name) is not None
            ):
                continue  # a part that is known, such as the account
            found = _arns_of(self.plan, resource, name, location)
            if not found:
                references.others.append(f"{resource.reference_name}.{name}".rstrip("."))
            arns += found
        if references.others or not arns:
            arns.append(not_known(location, attribute, References(others=references.others)))
        return arns

    def _principals(
        self, document: Resource, block: Map, position: int | None, attribute: str
    ) -> Value:
        """The principals of a statement by kind, as policies have them."""
        by_kind = Map(document.location)
        for number, principal in enumerate(members(block.get(attribute))):
            if not isinstance(principal, Map):
                return Text("*", document.location)
            identifiers = members(principal.get("identifiers"))
            known = [member for member in identifiers if not is_unknown(member)]
            if len(known) < len(identifiers):
                references = References(others=[NOT_SHOWN])
                if position is not None:
                    path = ("statement", position, attribute, number, "identifiers")
                    references = self.finder.references(document, *path)
                known += self._roles(references, document.location)
            kind = Text(_kind_of_principal(principal), document.location)
            by_kind[kind] = Seq(document.location, [*members(by_kind.get(kind)), *known])
        return by_kind or None

    def _roles(self, references: References, location: Location) -> Iterable[Value]:
        for resource, _ in references.resources:
            if resource.type in PRINCIPALS and not resource.is_data:
                yield mapping(location, Ref=Text(self.plan.ids[resource.address], location))
            else:
                references.others.append(resource.reference_name)
        if references.others:
            yield not_known(location, "identifiers", References(others=references.others))


def _arns_of(plan: Plan, resource: Resource, attribute: str, location: Location) -> list[Text]:
    """The ARNs that an attribute may give, with what people put behind a table's; none for anything else."""
    is_arn = attribute == "arn" or attribute.endswith("_arn")
    if (
        resource.type == TABLE
        and attribute not in STREAM_ATTRIBUTES
        and (is_arn or attribute in ("", "id"))
    ):
        arn = concat([ARN_OF_TABLE, plan.table_name(resource)], location)
        return [arn, concat([arn, "/index/*"], location)]
    if resource.type == TABLE and attribute in STREAM_ATTRIBUTES:
        return [Text(f"{ARN_OF_TABLE}none/stream/*", location)]
    if not is_arn or not resource.type.startswith("aws_"):
        return []
    if resource.type in PRINCIPALS:
        return [Text(f"{OWN_PRINCIPAL}{_principal_name(plan, resource)}", location)]
    return [Text(f"arn:aws:{resource.type.split('_')[1]}:*:*:*", location)]


def _principal_name(plan: Plan, resource: Resource) -> str:
    """What a role goes by, as in ``Template.role_name``."""
    name = resource.values.get("name")
    if isinstance(name, Text) and not name.reason:
        return str(name)
    return f"{resource.location.file.replace('/', ':')}:{plan.ids.get(resource.address, resource.address)}"


def _if_any(value: Value) -> Value:
    return None if isinstance(value, Seq) and not value else value


def _kind_of_principal(principal: Map) -> str:
    kind = principal.get("type")
    return str(kind) if isinstance(kind, Text) and kind != "*" else "AWS"


def _mappings(node: Value) -> list[Map]:
    return [member for member in members(node) if isinstance(member, Map)]


def _lay_over(statements: list[Map], layer: list[Map]) -> None:
    """Add a layer's statements; one replaces an earlier one with the same ``Sid``."""
    positions = {
        str(statement.get("Sid") or ""): number for number, statement in enumerate(statements)
    }
    for statement in layer:
        name = str(statement.get("Sid") or "")
        if name and name in positions:
            statements[positions[name]] = statement
            continue
        positions[name] = len(statements)
        statements.append(statement)
