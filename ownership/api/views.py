"""Lists of the map's rows, details of tables and services, and the API's own pages."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.timezone import localdate
from drf_spectacular.utils import extend_schema, extend_schema_view
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from ownership.api import filters, serializers
from ownership.api.base import (
    ReadOnlyView,
    RegistryView,
    find_environment,
    make_etag,
    moment_parameters,
)
from ownership.api.errors import NoRowNamed
from ownership.api.renderers import MermaidRenderer, as_file, in_forms
from ownership.api.schema import ENVIRONMENT
from ownership.catalog.queries import confirmed_tables
from ownership.exchange.exports import to_mermaid
from ownership.models import Access, Environment, Service, Table, TableGroup, Team
from ownership.models.answerable import teams_by_service

LIST_PARAMETERS = {"search", "ordering", "page", "page_size"}


class RowsView(RegistryView, ReadOnlyModelViewSet):
    """A list with filters, search, order and pages, and its details by name."""

    takes_moment = True
    lookup_field = "name"
    filterset_class: type[filters.filters.FilterSet] | None = None
    # Forms that a detail has, but a list has not.
    detail_renderers: tuple[type[BaseRenderer], ...] = ()

    def get_renderers(self) -> list[BaseRenderer]:
        """Add a detail's own forms."""
        renderers = super().get_renderers()
        if self.detail:
            renderers += [renderer() for renderer in self.detail_renderers]
        return renderers

    def allowed_parameters(self) -> set[str]:
        """Add a list's parameters: filters, search, order and pages."""
        allowed = super().allowed_parameters()
        if not self.detail:
            allowed |= LIST_PARAMETERS
            if self.filterset_class is not None:
                allowed |= set(self.filterset_class.base_filters)
        return allowed

    def get_object(self) -> Any:
        """The row of that name; NoRowNamed if there is none."""
        name = self.kwargs[self.lookup_field]
        try:
            if "\x00" in name:  # PostgreSQL can't look for it
                raise Http404
            return super().get_object()
        except Http404:
            raise NoRowNamed(self.get_queryset().model, name) from None


@extend_schema_view(
    list=extend_schema(parameters=[ENVIRONMENT]),
    retrieve=extend_schema(
        parameters=[ENVIRONMENT],
        responses=in_forms(serializers.TableSerializer, MermaidRenderer),
    ),
)
class TableView(RowsView):
    """Tables, each with its owner, key schema, indexes and accesses."""

    parameters = frozenset({"format", "environment"})
    queryset = Table.objects.all()
    serializer_class = serializers.TableSerializer
    filterset_class = filters.TableFilters
    detail_renderers = (MermaidRenderer,)
    search_fields = ["name", "description", "accesses__notes"]
    ordering_fields = {"name": "name", "group": "group__position", "owner": "owner__name"}

    def get_queryset(self) -> QuerySet[Table]:
        """The tables with all that belongs to them, of the requested time."""
        return confirmed_tables()

    def etag(self) -> str:
        """The ETag of this answer, with the day where the filter by confirmation makes it depend on that, too."""
        if "confirmation" not in self.request.query_params or moment_parameters(self.request):
            return super().etag()
        address = f"{self.request.build_absolute_uri()} {localdate()}"
        return make_etag(self.history_head, address, self.request.accepted_media_type)

    def get_serializer_context(self) -> dict[str, Any]:
        """Add the environment for physical names, and the teams."""
        name = None
        teams: dict[int, Team] = {}
        if not getattr(
            self, "swagger_fake_view", False
        ):  # set when the OpenAPI description is made
            name = self.request.query_params.get("environment")
            teams = teams_by_service()
        context = super().get_serializer_context()
        return {**context, "environment": find_environment(name), "teams": teams}

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        """The table, or a diagram of who writes and reads it."""
        response = super().retrieve(request, *args, **kwargs)
        renderer = request.accepted_renderer
        if isinstance(renderer, MermaidRenderer):
            return as_file(to_mermaid.of_table(response.data), renderer, response.data["name"])
        return response


@extend_schema_view(
    retrieve=extend_schema(responses=in_forms(serializers.ServiceSerializer, MermaidRenderer))
)
class ServiceView(RowsView):
    """Services."""

    queryset = Service.objects.select_related("part_of", "team")
    serializer_class = serializers.ServiceSerializer
    filterset_class = filters.ServiceFilters
    detail_renderers = (MermaidRenderer,)
    search_fields = ["name", "description", "contact"]
    ordering_fields = {"name": "name", "part_of": "part_of__name"}

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        """The service, or a diagram of what it and its parts write and read."""
        renderer = request.accepted_renderer
        if isinstance(renderer, MermaidRenderer):
            service = self.get_object()
            return as_file(self.diagram(service), renderer, service.name)
        return super().retrieve(request, *args, **kwargs)

    def diagram(self, service: Service) -> str:
        """The diagram as Mermaid text."""
        parts = list(service.parts.select_related("part_of", "team"))
        accesses = []
        for access in AccessView.queryset.filter(service__in=[service, *parts]).select_related(
            "table__owner"
        ):
            fields = serializers.AccessSerializer(access).data
            accesses.append({**fields, "owner": access.table.owner.name})
        return to_mermaid.of_service(
            self.get_serializer(service).data,
            self.get_serializer(parts, many=True).data,
            accesses,
        )


class AccessView(RowsView):
    """Accesses: which service uses which table, and how."""

    queryset = Access.objects.select_related("table", "service").order_by(
        "table__group__position",
        "table__position",
        "table__name",
        "position",
        "service__name",
    )
    serializer_class = serializers.AccessSerializer
    filterset_class = filters.AccessFilters
    search_fields = ["table__name", "service__name", "notes"]
    ordering_fields = {"table": "table__name", "service": "service__name", "mode": "mode"}


class GroupView(RowsView):
    """Groups, in the order of the original document."""

    queryset = TableGroup.objects.all()
    serializer_class = serializers.GroupSerializer
    search_fields = ["name", "description"]
    ordering_fields = {"name": "name"}


class TeamView(RowsView):
    """Teams and how to reach them."""

    queryset = Team.objects.all()
    serializer_class = serializers.TeamSerializer
    search_fields = ["name", "contact", "email"]
    ordering_fields = {"name": "name"}


class EnvironmentView(RowsView):
    """Environments and their suffixes or name patterns."""

    queryset = Environment.objects.all()
    serializer_class = serializers.EnvironmentSerializer
    search_fields = ["name", "description"]
    ordering_fields = {"name": "name", "suffix": "suffix"}


class SchemaView(ReadOnlyView, SpectacularAPIView):
    """The OpenAPI 3 description of this API."""


class DocsView(ReadOnlyView, SpectacularSwaggerSplitView):
    """A page to browse and try the API. Its script is a file, as a strict Content-Security-Policy requires."""

    parameters = frozenset({"format", "script"})

    def refuse_bad_parameters(self, request: Request) -> None:
        """Allow the empty ``script``, with which the page loads its script."""
        if request.query_params.dict() != {"script": ""}:
            super().refuse_bad_parameters(request)


class UnknownAddress(ReadOnlyView):
    """A 404 as problem details."""

    def refuse_bad_parameters(self, request: Request) -> None:
        """Accept any parameters: the address is what is wrong."""

    @extend_schema(exclude=True)
    def get(self, request: Request, **kwargs: object) -> Response:
        """Answer 404."""
        raise Http404("There is nothing at this address. See /api/v1/docs/ for all addresses.")
