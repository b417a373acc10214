"""The API's addresses. Each answer names the revision it shows, and can be asked for only if it changed."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from ownership.api import filters, serializers
from ownership.api.base import MomentView, ReadOnlyView, asked_environment
from ownership.api.errors import NothingNamed
from ownership.api.renderers import MermaidRenderer, as_file, in_forms
from ownership.api.schema import ENVIRONMENT
from ownership.catalog.queries import whole_tables
from ownership.exchange.exports import to_mermaid
from ownership.models import Access, Environment, Service, TableGroup


class _ListView(MomentView, ReadOnlyModelViewSet):
    """A list with filters, search, order and pages; where it has details, they are looked up by name."""

    lookup_field = "name"
    # The forms of its details beside JSON.
    detail_renderers: tuple[type[BaseRenderer], ...] = ()

    def get_renderers(self) -> list[Any]:
        """Details have forms that a list has not."""
        more = [renderer() for renderer in self.detail_renderers] if self.detail else []
        return [*super().get_renderers(), *more]

    def allowed_parameters(self) -> set[str]:
        """The filters' own names, and those of search, order and pages."""
        allowed = super().allowed_parameters()
        if not self.detail:
            filterset = getattr(self, "filterset_class", None)
            allowed |= {"search", "ordering", "page", "page_size"} | set(filterset.base_filters if filterset else ())
        return allowed

    def get_object(self) -> Any:
        """The row of that name; a 404 says what was looked for."""
        name = self.kwargs[self.lookup_field]
        try:
            if "\x00" in name:  # PostgreSQL fails at one
                raise Http404
            return super().get_object()
        except Http404:
            raise NothingNamed(self.get_queryset().model, name) from None


@extend_schema_view(
    list=extend_schema(parameters=[ENVIRONMENT]),
    retrieve=extend_schema(parameters=[ENVIRONMENT], responses=in_forms(serializers.TableSerializer, MermaidRenderer)),
)
class TableView(_ListView):
    """Tables, each with its owner, key schema, indexes and accesses."""

    parameters = frozenset({"format", "environment"})
    queryset = whole_tables()
    serializer_class = serializers.TableSerializer
    filterset_class = filters.TableFilters
    detail_renderers = (MermaidRenderer,)
    search_fields = ["name", "description", "accesses__notes"]
    ordering_fields = {"name": "name", "group": "group__position", "owner": "owner__name"}

    def get_serializer_context(self) -> dict[str, Any]:
        """With the environment that physical names are asked for."""
        fake = getattr(self, "swagger_fake_view", False)
        return {
            **super().get_serializer_context(),
            "environment": None if fake else asked_environment(self.request),
        }

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """The table, or a drawing of who writes and reads it."""
        response = super().retrieve(request, *args, **kwargs)
        if isinstance(request.accepted_renderer, MermaidRenderer):
            return as_file(to_mermaid.of_table(response.data), request.accepted_renderer, response.data["name"])
        return response


@extend_schema_view(retrieve=extend_schema(responses=in_forms(serializers.ServiceSerializer, MermaidRenderer)))
class ServiceView(_ListView):
    """Services."""

    queryset = Service.objects.select_related("part_of")
    serializer_class = serializers.ServiceSerializer
    filterset_class = filters.ServiceFilters
    detail_renderers = (MermaidRenderer,)
    search_fields = ["name", "description", "contact"]
    ordering_fields = {"name": "name", "part_of": "part_of__name"}

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """The service, or a drawing of what it and its parts write and read."""
        if not isinstance(request.accepted_renderer, MermaidRenderer):
            return super().retrieve(request, *args, **kwargs)
        service = self.get_object()
        parts = list(service.parts.select_related("part_of"))
        accesses = Access.objects.filter(service__in=[service, *parts]).select_related("table__owner", "service")
        drawn = to_mermaid.of_service(
            self.get_serializer(service).data,
            self.get_serializer(parts, many=True).data,
            [
                serializers.AccessSerializer(access).data | {"owner": access.table.owner.name}
                for access in accesses.order_by(*AccessView.queryset.query.order_by)
            ],
        )
        return as_file(drawn, request.accepted_renderer, service.name)


class AccessView(_ListView):
    """Accesses: which service uses which table, and how."""

    queryset = Access.objects.select_related("table", "service").order_by(
        "table__group__position", "table__position", "table__name", "position", "service__name"
    )
    serializer_class = serializers.AccessSerializer
    filterset_class = filters.AccessFilters
    search_fields = ["table__name", "service__name", "notes"]
    ordering_fields = {"table": "table__name", "service": "service__name", "mode": "mode"}


class GroupView(_ListView):
    """Groups, in the document's order."""

    queryset = TableGroup.objects.all()
    serializer_class = serializers.GroupSerializer
    search_fields = ["name", "description"]
    ordering_fields = {"name": "name"}


class EnvironmentView(_ListView):
    """Environments and their suffixes."""

    queryset = Environment.objects.all()
    serializer_class = serializers.EnvironmentSerializer
    search_fields = ["name", "description"]
    ordering_fields = {"name": "name", "suffix": "suffix"}


class SchemaView(ReadOnlyView, SpectacularAPIView):
    """The OpenAPI 3 description of this API."""


class DocsView(ReadOnlyView, SpectacularSwaggerSplitView):
    """A page that shows the description and tries it out; its script is a file, as a strict CSP asks."""

    parameters = frozenset({"format", "script"})

    def refuse_bad_parameters(self, request: Request) -> None:
        """Without its empty ``script``, which asks for the page's own script."""
        if request.query_params.dict() != {"script": ""}:
            super().refuse_bad_parameters(request)


class UnknownAddress(ReadOnlyView):
    """A 404 in the API's own form."""

    def refuse_bad_parameters(self, request: Request) -> None:
        """Whatever they are, the address is the mistake."""

    @extend_schema(exclude=True)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Say so."""
        raise Http404("There is nothing at this address; /api/v1/docs/ lists what there is.")
