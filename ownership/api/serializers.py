"""The shapes of the API: one per thing, the same in the map, the lists and the details."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ownership.catalog.queries import confirmed_map
from ownership.models import (
    Access,
    Confirmation,
    Environment,
    KeySchema,
    KeyType,
    Mode,
    SecondaryIndex,
    Service,
    Table,
    TableGroup,
    Team,
)
from ownership.models.answerable import teams_by_service

# The version of the representation, a part of every ETag and of every snapshot's name. Raise it when answers change
# although the registry did not; tests/api/test_representation.py fails until that is done.
REPRESENTATION = 7


class KeySerializer(serializers.Serializer):
    """A key attribute. Null means not recorded."""

    name = serializers.CharField()
    type = serializers.ChoiceField(KeyType.choices, allow_null=True)
    format = serializers.CharField(allow_null=True)


class KeySchemaSerializer(serializers.Serializer):
    """Partition key and, where there is one, sort key."""

    partition_key = KeySerializer()
    sort_key = KeySerializer(allow_null=True)


class MoreSerializer(serializers.Serializer):
    """A link to documentation of a table."""

    title = serializers.CharField()
    url = serializers.URLField(allow_null=True)


def _key(row: KeySchema, role: str) -> dict[str, Any] | None:
    name = getattr(row, f"{role}_name")
    if not name:
        return None
    key_type = getattr(row, f"{role}_type")
    key_format = getattr(row, f"{role}_format")
    return {"name": name, "type": key_type or None, "format": key_format or None}


class _WithKeySchema(serializers.ModelSerializer):
    key_schema = serializers.SerializerMethodField(help_text="null if not recorded")

    @extend_schema_field(KeySchemaSerializer(allow_null=True))
    def get_key_schema(self, row: KeySchema) -> dict[str, Any] | None:
        """Return the six columns as two keys."""
        if not row.partition_key_name:
            return None
        return {
            "partition_key": _key(row, "partition_key"),
            "sort_key": _key(row, "sort_key"),
        }


class EnvironmentSerializer(serializers.ModelSerializer):
    """A place where the backend runs, with the suffix or the pattern of its physical names."""

    class Meta:
        model = Environment
        fields = ["name", "suffix", "pattern", "description"]
        read_only_fields = fields


class GroupSerializer(serializers.ModelSerializer):
    """A group of tables."""

    class Meta:
        model = TableGroup
        fields = ["name", "description"]
        read_only_fields = fields


class TeamSerializer(serializers.ModelSerializer):
    """The people answerable for services, without their names."""

    class Meta:
        model = Team
        fields = ["name", "contact", "email"]
        read_only_fields = fields


class ServiceSerializer(serializers.ModelSerializer):
    """A service, which reads and writes tables."""

    part_of = serializers.CharField(
        source="part_of.name", default=None, allow_null=True, read_only=True
    )
    team = serializers.CharField(
        source="team.name",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="Its own team; null for a part that has its parent's, and for none.",
    )
    repository = serializers.CharField(help_text="Where its code is; empty if not known.")
    aliases = serializers.ListField(
        child=serializers.CharField(),
        help_text="Other names that it has in the infrastructure.",
    )

    class Meta:
        model = Service
        fields = ["name", "part_of", "team", "description", "contact", "repository", "aliases"]
        read_only_fields = fields


class IndexSerializer(_WithKeySchema):
    """A secondary index of a table."""

    kind = serializers.SerializerMethodField(help_text="GSI or LSI; null if not known")

    class Meta:
        model = SecondaryIndex
        fields = ["name", "kind", "key_schema"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(SecondaryIndex.Kind.choices, allow_null=True))
    def get_kind(self, index: SecondaryIndex) -> str | None:
        """Return GSI, LSI or None."""
        return index.kind or None


class TableAccessSerializer(serializers.ModelSerializer):
    """An access as its table lists it."""

    service = serializers.CharField(source="service.name")
    mode = serializers.ChoiceField(Mode.choices)

    class Meta:
        model = Access
        fields = ["service", "mode", "indirect", "notes"]
        read_only_fields = fields


class AccessSerializer(TableAccessSerializer):
    """One service's declared use of one table."""

    table = serializers.CharField(source="table.name")

    class Meta(TableAccessSerializer.Meta):
        fields = ["table", *TableAccessSerializer.Meta.fields]
        read_only_fields = fields


class ConfirmationSerializer(serializers.ModelSerializer):
    """When somebody confirmed owner, accesses, keys and indexes of a table. It says nothing that changes by itself."""

    on = serializers.DateField(source="confirmed_on", help_text="day (UTC)")
    until = serializers.DateField(help_text="last day on which it holds (UTC)")
    at_revision = serializers.IntegerField(help_text="the revision that was confirmed")
    changed_since = serializers.BooleanField(
        source="is_changed",
        help_text="whether any of what was confirmed has changed after that revision",
    )

    class Meta:
        model = Confirmation
        fields = ["on", "until", "at_revision", "changed_since"]
        read_only_fields = fields


class _PhysicalName(serializers.CharField):
    def to_representation(self, value: str) -> str:
        """Return the table's name in the environment."""
        physical_name: str = self.context["environment"].name_pattern.physical(value)
        return physical_name


class TableSerializer(_WithKeySchema):
    """A table with its key schema, indexes and accesses, and with ``?environment=`` its physical name.

    Its context has the teams: ``{"teams": teams_by_service()}``.
    """

    physical_name = _PhysicalName(
        source="name", required=False, help_text="only with ?environment="
    )
    group = serializers.CharField(source="group.name")
    owner = serializers.CharField(source="owner.name")
    team = serializers.SerializerMethodField(
        help_text="The team that is answerable for the owner; null for none."
    )
    more = serializers.SerializerMethodField(help_text="null if there is none")
    indexes = IndexSerializer(many=True)
    accesses = TableAccessSerializer(many=True)
    confirmation = serializers.SerializerMethodField(
        help_text="null if nobody has confirmed the table yet"
    )

    class Meta:
        model = Table
        fields = [
            "name",
            "physical_name",
            "group",
            "description",
            "owner",
            "team",
            "key_schema",
            "more",
            "indexes",
            "accesses",
            "confirmation",
        ]
        read_only_fields = fields

    @extend_schema_field(ConfirmationSerializer(allow_null=True))
    def get_confirmation(self, table: Table) -> dict[str, Any] | None:
        """Return the one confirmation that a table may have."""
        for row in table.confirmations.all():
            content: dict[str, Any] = ConfirmationSerializer(row).data
            return content
        return None

    @extend_schema_field(MoreSerializer(allow_null=True))
    def get_more(self, table: Table) -> dict[str, Any] | None:
        """Return title and address of the documentation."""
        if not table.more_title:
            return None
        return {"title": table.more_title, "url": table.more_url or None}

    def get_team(self, table: Table) -> str | None:
        """Return the team's name, from the context's ``teams`` (``teams_by_service``)."""
        team = self.context["teams"].get(table.owner_id)
        return team.name if team else None

    def get_fields(self) -> dict[str, serializers.Field]:
        """Leave out the physical name if no environment is requested."""
        fields = super().get_fields()
        if (
            self.context.get("environment") is None
            and "view" in self.context
            and not self._in_schema()
        ):
            del fields["physical_name"]
        return fields

    def _in_schema(self) -> bool:
        return getattr(self.context["view"], "swagger_fake_view", False)


class MapSerializer(serializers.Serializer):
    """The whole map of one revision."""

    revision = serializers.IntegerField()
    environment = serializers.CharField(allow_null=True, help_text="the requested one, or null")
    environments = EnvironmentSerializer(many=True)
    groups = GroupSerializer(many=True)
    teams = TeamSerializer(many=True)
    services = ServiceSerializer(many=True)
    tables = TableSerializer(many=True)


def map_of_today() -> dict[str, Any]:
    """Return the map in the shape of /api/v1/map/, for commands and exports. Its revision is always 0."""
    rows = confirmed_map()
    content = {"revision": 0, "environment": None, **rows}
    context = {"view": None, "environment": None, "teams": teams_by_service(rows["services"])}
    return MapSerializer(content, context=context).data


class ParameterProblemSerializer(serializers.Serializer):
    """A query parameter with an error."""

    parameter = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """An error (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = ParameterProblemSerializer(many=True, required=False)  # type: ignore[assignment]
    near = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="similar names, if nothing has the requested one",
    )
