"""Filters, search and ordering of the lists. A name that does not exist is an error, not an empty list."""

from typing import Any

import django_filters as filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters.fields import BaseCSVField
from drf_spectacular.utils import extend_schema_field
from rest_framework.filters import OrderingFilter, SearchFilter

from ownership.api.errors import BadParameter
from ownership.models import Access, Environment, Mode, Service, Table, TableGroup

LONGEST_SEARCH = 200


class Search(SearchFilter):
    """``search``: every word must stand somewhere in the entry's texts, in any case."""

    search_description = (
        f"Words that must all stand in names, descriptions or notes; at most {LONGEST_SEARCH} characters."
    )

    def get_search_terms(self, request: Any) -> list[str]:
        """The words; BadParameter for more than a database takes (SQLite: 1,000 conditions)."""
        if len(request.query_params.get(self.search_param, "")) > LONGEST_SEARCH:
            raise BadParameter({"search": f"Takes at most {LONGEST_SEARCH} characters."})
        return super().get_search_terms(request)


class Ordering(OrderingFilter):
    """``ordering``: field names by commas, ``-`` for descending; an unknown one is an error."""

    ordering_description = "Field names by commas, each with `-` for descending."

    def filter_queryset(self, request: Any, queryset: QuerySet, view: Any) -> QuerySet:
        """In the order asked for; ties stay in the list's own order, so that pages neither overlap nor skip."""
        asked = self.get_ordering(request, queryset, view) or ()
        return queryset.order_by(*asked, *(queryset.query.order_by or queryset.model._meta.ordering))

    def remove_invalid_fields(self, queryset, fields, view, request):
        """All of them, or BadParameter."""
        valid = super().remove_invalid_fields(queryset, fields, view, request)
        if len(valid) != len(fields):
            names = ", ".join(dict(self.get_valid_fields(queryset, view)))
            raise BadParameter({"ordering": f"Takes {names}, each with '-' for descending, by commas."})
        return valid


class NamedFilter(filters.ModelChoiceFilter):
    """A filter by the name of a registry row."""

    def __init__(self, model: Any, field_name: str, help_text: str, **kwargs: Any) -> None:
        what = model._meta.verbose_name
        super().__init__(
            field_name=field_name,
            queryset=model.objects.all(),
            to_field_name="name",
            help_text=help_text,
            error_messages={"invalid_choice": f"No {what} has this name."},
            **kwargs,
        )


class _Modes(BaseCSVField):
    def clean(self, value: Any) -> Any:
        """Each a mode; none left empty."""
        if "" in (value or ()):
            raise ValidationError(self.error_messages["invalid_choice"])
        return super().clean(value)


class _ModeFilter(filters.BaseInFilter, filters.ChoiceFilter):
    """One mode or several by commas."""

    base_field_class = _Modes


def _mode_filter(**kwargs: Any) -> _ModeFilter:
    return _ModeFilter(
        field_name="mode",
        choices=Mode.choices,
        help_text="`read`, `write` or `read_write`; several by commas.",
        error_messages={"invalid_choice": f"Takes {', '.join(Mode.values)}, several by commas."},
        **kwargs,
    )


class StrictBoolean(filters.ChoiceFilter):
    """``true`` or ``false``, and nothing else."""

    def __init__(self, field_name: str, help_text: str) -> None:
        super().__init__(
            field_name=field_name,
            choices=[("true", "true"), ("false", "false")],
            help_text=help_text,
            error_messages={"invalid_choice": "Takes true or false."},
        )
        extend_schema_field({"type": "boolean", "description": help_text})(self)

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        """Narrow to rows with that value."""
        return super().filter(qs, value == "true") if value else qs


def base_names(physical_name: str, suffixes: list[str]) -> list[str]:
    """The base names that a physical name may stand for: the name less each suffix it ends with."""
    return [physical_name.removesuffix(suffix) for suffix in dict.fromkeys(suffixes) if physical_name.endswith(suffix)]


def _physical_name_filter(field_name: str) -> filters.CharFilter:
    def narrow(qs: QuerySet, _: str, value: str) -> QuerySet:
        suffixes = list(Environment.objects.values_list("suffix", flat=True))
        return qs.filter(**{f"{field_name}__in": base_names(value, suffixes)})

    return filters.CharFilter(method=narrow, help_text="Name in any environment: biztechUsersPROD.")


class _ByAccess(filters.FilterSet):
    """Filters that one and the same access must meet together: ``service=payments&mode=write``."""

    # Filter name → lookup on Access; and the lookup from Access back to the listed model.
    by_access: dict[str, str] = {}
    back: str

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Apply the plain filters, then all of those on accesses to the same access."""
        wanted = {}
        for name, value in self.form.cleaned_data.items():
            if name in self.by_access:
                if value not in (None, "", []):
                    wanted[self.by_access[name]] = value == "true" if name == "indirect" else value
            else:
                queryset = self.filters[name].filter(queryset, value)
        if wanted:
            # Distinct, so that PostgreSQL finds them once: of the past it would look through all accesses for each row.
            queryset = queryset.filter(pk__in=Access.objects.filter(**wanted).order_by().values(self.back).distinct())
        return queryset


class TableFilters(_ByAccess):
    """Filters of ``tables/``."""

    by_access = {"service": "service", "mode": "mode__in", "indirect": "indirect"}
    back = "table"

    group = NamedFilter(TableGroup, "group", "Heading that the table stands under.")
    owner = NamedFilter(Service, "owner", "Service that owns the table.")
    service = NamedFilter(Service, "accesses__service", "Service that uses the table.")
    mode = _mode_filter()
    indirect = StrictBoolean("indirect", "Whether a use is indirect.")
    physical_name = _physical_name_filter("name")

    class Meta:
        model = Table
        fields: list[str] = []


class ServiceFilters(_ByAccess):
    """Filters of ``services/``."""

    by_access = {"table": "table", "mode": "mode__in", "indirect": "indirect"}
    back = "service"

    part_of = NamedFilter(Service, "part_of", "Service that it is part of.")
    table = NamedFilter(Table, "accesses__table", "Table that the service uses.")
    mode = _mode_filter()
    indirect = StrictBoolean("indirect", "Whether a use is indirect.")

    class Meta:
        model = Service
        fields: list[str] = []


class AccessFilters(filters.FilterSet):
    """Filters of ``accesses/``."""

    table = NamedFilter(Table, "table", "Table that is used.")
    service = NamedFilter(Service, "service", "Service that uses it.")
    part_of = NamedFilter(Service, "service__part_of", "Service that the using service is part of.")
    group = NamedFilter(TableGroup, "table__group", "Heading that the table stands under.")
    owner = NamedFilter(Service, "table__owner", "Service that owns the table.")
    mode = _mode_filter()
    indirect = StrictBoolean("indirect", "Whether the use is indirect.")
    physical_name = _physical_name_filter("table__name")

    class Meta:
        model = Access
        fields: list[str] = []
