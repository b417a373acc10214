"""Services in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from ownership.admin.base import RegistryAdmin
from ownership.admin.bulk_edit import set_team
from ownership.admin.changelists import NOTHING, counted, links
from ownership.admin.filters import MyServices, NameFilter
from ownership.admin.saving import RegistryForm
from ownership.admin.suggesting import SuggestPage
from ownership.models import READS, WRITES, Service, Table, Team
from ownership.models.answerable import answerable_team, service_links

# The filter's value for services without a team; no team is called that.
NO_TEAM = "(none)"


class ServiceForm(RegistryForm):
    """Takes aliases one per line, so that nobody has to write JSON."""

    aliases = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="Other names of the service in infrastructure (stacks, roles), one per line.",
    )

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        """The stored aliases as lines."""
        if field_name == "aliases":
            return "\n".join(self.instance.aliases)
        return super().get_initial_for_field(field, field_name)

    def clean_aliases(self) -> list[str]:
        """The lines that are not blank."""
        lines = [line.strip() for line in self.cleaned_data["aliases"].splitlines()]
        return [line for line in lines if line]


class TeamFilter(NameFilter):
    """Services of a team, or those that no team is answerable for."""

    title = parameter_name = "team"
    hint = f"name, or {NO_TEAM}"
    model = Team
    lookup = "team__name"

    def lookups(
        self,
        request: HttpRequest,
        model_admin: admin.ModelAdmin,
    ) -> list[tuple[str, str]]:
        """The names, and first of all none."""
        names = super().lookups(request, model_admin)
        return [(NO_TEAM, "No team"), *names] if names else []

    def is_known(self, name: str) -> bool:
        """Also for no team."""
        return name == NO_TEAM or super().is_known(name)

    def matching(self, queryset: QuerySet, name: str) -> QuerySet:
        """Of no team: without the parts that are their parent's team's."""
        if name != NO_TEAM:
            return super().matching(queryset, name)
        links_of_all = service_links()
        answered_for = [pk for pk in links_of_all if answerable_team(pk, links_of_all) is not None]
        return queryset.exclude(pk__in=answered_for)

    def has_output(self) -> bool:
        """Only where there are teams."""
        return Team.objects.exists()


@admin.register(Service)
class ServiceAdmin(SuggestPage, RegistryAdmin):
    """Services: what they own, read and write."""

    form = ServiceForm
    list_display = ("name", "part_of_link", "owns", "contact")
    list_filter = (MyServices, ("part_of", admin.RelatedOnlyFieldListFilter), TeamFilter)
    search_fields = ("name", "description", "contact")
    search_help_text = "Searches names, descriptions and contacts."
    autocomplete_fields = ("part_of", "team")
    actions = [set_team, *RegistryAdmin.actions]
    readonly_fields = ("owns", "reads", "writes", "parts")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """The columns, with the team where there are teams."""
        if not Team.objects.exists():
            return self.list_display
        return ("name", "part_of_link", "team_in_words", "owns", "contact")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Django's, without teams to set where there are none."""
        actions = super().get_actions(request)
        if not Team.objects.exists():
            actions.pop(set_team.__name__, None)
        return actions

    def get_fieldsets(self, request: HttpRequest, obj: Service | None = None) -> list[Any]:
        """The service's own fields; for one that exists, also its tables and parts."""
        fields = ["name", "part_of", "description"]
        if Team.objects.exists():
            fields.insert(2, "team")
        sections = [
            (None, {"fields": fields}),
            ("Contact and code", {"fields": ["contact", "repository", "aliases"]}),
        ]
        if obj:
            sections.append(("Tables and parts", {"fields": ["owns", "reads", "writes", "parts"]}))
        return sections

    def get_queryset(self, request: HttpRequest) -> QuerySet[Service]:
        services = super().get_queryset(request).select_related("part_of", "team")
        return services.prefetch_related("owned_tables", "parts")

    def before_deleting(self, obj: Service) -> list[tuple[str, str]]:
        """Hand over its tables, remove its accesses, take its parts out, end its waivers."""
        lists: list[tuple[str, int, str, str, dict[str, str]]] = [
            ("Hand over its {}", obj.owned_tables.count(), "table", "table", {"owner": obj.name}),
            ("Remove its {}", obj.accesses.count(), "access", "access", {"service": obj.name}),
            (
                "Move its {}",
                obj.parts.count(),
                "part",
                "service",
                {"part_of__id__exact": str(obj.pk)},
            ),
            ("End its {}", obj.waivers.count(), "waiver", "waiver", {"q": obj.name}),
        ]
        todo = []
        for sentence, number, noun, model, filters in lists:
            if number:
                address = reverse(f"admin:ownership_{model}_changelist")
                todo.append(
                    (sentence.format(counted(number, noun)), f"{address}?{urlencode(filters)}")
                )
        return todo

    @admin.display(description="part of", ordering="part_of__name")
    def part_of_link(self, service: Service) -> SafeString | str:
        return links([service.part_of] if service.part_of else [])

    @admin.display(description="team", ordering="team__name")
    def team_in_words(self, service: Service) -> str:
        """The service's own team; of a part without one, that it is its parent's."""
        if service.team is not None:
            return service.team.name
        return NOTHING if service.part_of is None else f"as {service.part_of.name}"

    def owns(self, service: Service) -> SafeString | str:
        return links(service.owned_tables.all())

    def parts(self, service: Service) -> SafeString | str:
        return links(service.parts.all())

    def reads(self, service: Service) -> SafeString | str:
        return links(_used_tables(service, READS))

    def writes(self, service: Service) -> SafeString | str:
        return links(_used_tables(service, WRITES))


def _used_tables(service: Service, modes: tuple[str, ...]) -> QuerySet[Table]:
    accesses = service.accesses.filter(mode__in=modes)
    return Table.objects.filter(pk__in=accesses.values("table"))
