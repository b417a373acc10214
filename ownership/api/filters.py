"""Filters, search and order of the lists. A name that does not exist is an error, not an empty list."""

from collections.abc import Iterable
from typing import Any, ClassVar

import django_filters as filters
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django_filters.fields import BaseCSVField
from drf_spectacular.utils import extend_schema_field
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.request import Request
from rest_framework.views import APIView

from ownership.api.errors import BadParameter
from ownership.catalog.confirmation import STATES_OF_THE_PAST, ConfirmationState, tables_in_state
from ownership.catalog.mine import MINE, Mine
from ownership.history.time_travel import past_revision
from ownership.models import Access, Environment, Mode, Service, Table, TableGroup, Team
from ownership.models.answerable import services_of_teams

LONGEST_SEARCH = 200


class Search(SearchFilter):
    """``search``: rows whose texts contain every word, in any case."""

    search_description = (
        f"Words that names, descriptions or notes contain; at most {LONGEST_SEARCH} characters."
    )

    def get_search_terms(self, request: Request) -> list[str]:
        """The words. BadParameter for more than a database takes (SQLite: 1,000 conditions)."""
        if len(request.query_params.get(self.search_param, "")) > LONGEST_SEARCH:
            raise BadParameter({"search": f"At most {LONGEST_SEARCH} characters are allowed."})
        return super().get_search_terms(request)


class Ordering(OrderingFilter):
    """``ordering``: field names separated by commas, ``-`` for descending order."""

    ordering_description = "Field names separated by commas, each with `-` for descending order."

    def filter_queryset(self, request: Request, queryset: QuerySet, view: APIView) -> QuerySet:
        """Order as requested, then in the list's own order, so that pages neither overlap nor skip a row."""
        requested = self.get_ordering(request, queryset, view) or ()
        own_order = queryset.query.order_by or queryset.model._meta.ordering
        return queryset.order_by(*requested, *own_order)

    def remove_invalid_fields(
        self, queryset: QuerySet, fields: Iterable[str], view: APIView, request: Request
    ) -> list[str]:
        """All the fields; BadParameter if one can't be ordered by."""
        fields = list(fields)
        valid = super().remove_invalid_fields(queryset, fields, view, request)
        if len(valid) != len(fields):
            names = ", ".join(dict(self.get_valid_fields(queryset, view)))
            raise BadParameter(
                {
                    "ordering": f"Allowed: {names}, separated by commas, each with '-' for descending order."
                }
            )
        return valid


class RowByName(filters.ModelChoiceFilter):
    """A row of the registry, by its name."""

    def __init__(self, model: type[Model], field_name: str, help_text: str) -> None:
        super().__init__(
            field_name=field_name,
            queryset=model._default_manager.all(),
            to_field_name="name",
            help_text=help_text,
            error_messages={"invalid_choice": f"No {model._meta.verbose_name} has this name."},
        )


class ChoicesField(BaseCSVField):
    """Values separated by commas, none of them empty."""

    def clean(self, value: list[str] | None) -> list[str]:
        """The values; ValidationError for any other text."""
        if value and "" in value:
            raise ValidationError(self.error_messages["invalid_choice"])
        return super().clean(value)


class OneOrSeveral(filters.BaseInFilter, filters.ChoiceFilter):
    """One or several of some values, separated by commas."""

    base_field_class = ChoicesField

    def __init__(
        self, choices: Iterable[tuple[str, str]], help_text: str, field_name: str | None = None
    ) -> None:
        choices = list(choices)
        allowed = ", ".join(value for value, _ in choices)
        super().__init__(
            field_name=field_name,
            choices=choices,
            help_text=help_text,
            error_messages={"invalid_choice": f"Allowed: {allowed}, separated by commas."},
        )


class ModesFilter(OneOrSeveral):
    """One or several modes of access."""

    def __init__(self) -> None:
        help_text = "`read`, `write` or `read_write`, or several separated by commas."
        super().__init__(Mode.choices, help_text, "mode")


class TrueOrFalse(filters.ChoiceFilter):
    """``true`` or ``false``, and nothing else."""

    def __init__(self, field_name: str, help_text: str) -> None:
        super().__init__(
            field_name=field_name,
            choices=[("true", "true"), ("false", "false")],
            help_text=help_text,
            error_messages={"invalid_choice": "Must be true or false."},
        )
        extend_schema_field({"type": "boolean", "description": help_text})(self)

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        """Keep the rows with that value."""
        if not value:
            return qs
        return super().filter(qs, value == "true")


class OfTeam(RowByName):
    """What a team is answerable for: ``lookups`` are the fields that lead to its services."""

    def __init__(self, *lookups: str) -> None:
        help_text = "Team that is answerable for it."
        super().__init__(Team, "team", help_text)
        extend_schema_field({"type": "string", "description": help_text})(self)
        self.lookups = lookups

    def filter(self, qs: QuerySet, value: Team | None) -> QuerySet:
        """Keep the rows that lead to one of the team's services, parts included."""
        if value is None:
            return qs
        return qs.filter(_leads_to(self.lookups, services_of_teams([value.pk])))


class OfMyTeams(TrueOrFalse):
    """What the teams of the account are answerable for, or the rest."""

    def __init__(self, *lookups: str) -> None:
        super().__init__(MINE, "Whether a team of the account is answerable for it.")
        self.lookups = lookups

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        """Keep the rows that lead to one of the services, or those that do not."""
        if not value:
            return qs
        request: Any = self.parent.request
        condition = _leads_to(self.lookups, Mine.of(request.user).service_ids)
        return qs.filter(condition if value == "true" else ~condition)


def _leads_to(lookups: Iterable[str], service_ids: list[int]) -> Q:
    """The condition that one of the fields refers to one of the services."""
    condition = Q()
    for lookup in lookups:
        condition |= Q((f"{lookup}__in", service_ids))
    return condition


class PhysicalName(filters.CharFilter):
    """A table by its name in any environment."""

    def __init__(self, field_name: str) -> None:
        super().__init__(
            field_name=field_name,
            help_text="Name in any environment, such as biztechUsersPROD.",
        )

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        """Keep the rows with a base name that the physical name may stand for."""
        if not value:
            return qs
        base_names = set()
        for environment in Environment.objects.all():
            base_name = environment.name_pattern.base(value)
            if base_name:
                base_names.add(base_name)
        return qs.filter(**{f"{self.field_name}__in": base_names})


class ByConfirmation(OneOrSeveral):
    """Tables by how far their entries are confirmed. In the past, nothing is due or overdue."""

    def __init__(self) -> None:
        super().__init__(
            ConfirmationState.choices,
            "How far the table's entries are confirmed; several separated by commas. The past has no `due` and no "
            "`overdue`.",
        )

    def filter(self, qs: QuerySet, value: list[str] | None) -> QuerySet:
        """Keep the tables in one of the states."""
        if not value:
            return qs
        if past_revision() is not None and not set(value).issubset(STATES_OF_THE_PAST):
            allowed = ", ".join(STATES_OF_THE_PAST)
            raise BadParameter({"confirmation": f"Of an earlier time, allowed: {allowed}."})
        return tables_in_state(qs, *value)


class AccessConditions(filters.FilterSet):
    """Filters that a single access must meet together, such as ``service=payments&mode=write``."""

    # The lookup on Access that each of these filters stands for, by the filter's name.
    access_lookups: ClassVar[dict[str, str]] = {}
    # The field of Access that points to the listed model.
    listed_field: ClassVar[str]

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Apply the plain filters, then all conditions on accesses to the same access."""
        conditions = {}
        for name, value in self.form.cleaned_data.items():
            lookup = self.access_lookups.get(name)
            if lookup is None:
                queryset = self.filters[name].filter(queryset, value)
            elif value not in (None, "", []):
                conditions[lookup] = value == "true" if name == "indirect" else value
        if conditions:
            accesses = Access.objects.filter(**conditions).order_by()
            # Distinct, so that PostgreSQL finds them once. Of the past, it would otherwise read all accesses for
            # each row.
            queryset = queryset.filter(pk__in=accesses.values(self.listed_field).distinct())
        return queryset


class TableFilters(AccessConditions):
    """Filters of ``tables/``."""

    access_lookups = {"service": "service", "mode": "mode__in", "indirect": "indirect"}
    listed_field = "table"

    group = RowByName(TableGroup, "group", "Group of the table.")
    owner = RowByName(Service, "owner", "Service that owns the table.")
    service = RowByName(Service, "accesses__service", "Service that uses the table.")
    mode = ModesFilter()
    indirect = TrueOrFalse("indirect", "Whether an access is indirect.")
    physical_name = PhysicalName("name")
    confirmation = ByConfirmation()
    team = OfTeam("owner")
    mine = OfMyTeams("owner")

    class Meta:
        model = Table
        fields: list[str] = []


class ServiceFilters(AccessConditions):
    """Filters of ``services/``."""

    access_lookups = {"table": "table", "mode": "mode__in", "indirect": "indirect"}
    listed_field = "service"

    part_of = RowByName(Service, "part_of", "Service that it is part of.")
    table = RowByName(Table, "accesses__table", "Table that the service uses.")
    mode = ModesFilter()
    indirect = TrueOrFalse("indirect", "Whether an access is indirect.")
    team = OfTeam("pk")
    mine = OfMyTeams("pk")

    class Meta:
        model = Service
        fields: list[str] = []


class AccessFilters(filters.FilterSet):
    """Filters of ``accesses/``."""

    table = RowByName(Table, "table", "Table that is used.")
    service = RowByName(Service, "service", "Service that uses it.")
    part_of = RowByName(Service, "service__part_of", "Service that the using service is part of.")
    group = RowByName(TableGroup, "table__group", "Group of the table.")
    owner = RowByName(Service, "table__owner", "Service that owns the table.")
    mode = ModesFilter()
    indirect = TrueOrFalse("indirect", "Whether the access is indirect.")
    physical_name = PhysicalName("table__name")
    team = OfTeam("table__owner", "service")
    mine = OfMyTeams("table__owner", "service")

    class Meta:
        model = Access
        fields: list[str] = []
