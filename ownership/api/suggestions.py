"""Suggestions over the API: who wants what changed and why, and what became of it."""

from typing import Any

import django_filters as filters
from django.db.models import Q
from django.utils.timezone import localdate
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ownership.api.authentication import HasRole
from ownership.api.errors import BadParameter
from ownership.api.filters import OneOrSeveral
from ownership.api.views import RowsView
from ownership.audit.feed import MODEL_NAMES, id_named
from ownership.catalog.mine import YES, Mine
from ownership.history.head import Head
from ownership.history.models import VERBS
from ownership.models import Service, Suggestion, Table
from ownership.models.suggestions import SuggestionQuerySet
from ownership.plans.suggestions import WaitsFor, whom_they_wait_for

WAITING, LAPSED = "waiting", "lapsed"
STATES = [
    WAITING,
    LAPSED,
    *(state for state in Suggestion.State.values if state != Suggestion.State.OPEN),
]


class SuggestedStepSerializer(serializers.Serializer):
    """One row that would change, with the names of the time when it was suggested."""

    type = serializers.ChoiceField(list(VERBS.values()), source="what")
    model = serializers.SerializerMethodField()
    label = serializers.CharField()  # type: ignore[assignment]
    changes = serializers.DictField(
        child=serializers.ListField(),
        help_text="{field: [old, suggested]}; all fields of created and deleted rows",
    )

    @extend_schema_field(serializers.ChoiceField(list(MODEL_NAMES.values())))
    def get_model(self, step: dict[str, Any]) -> str:
        """What programs call the model."""
        return MODEL_NAMES.get(step["model"], step["model"])


class AnswerSerializer(serializers.Serializer):
    """The change set that took, passed on, declined or withdrew a suggestion."""

    revision = serializers.IntegerField(source="answered_in")
    user = serializers.CharField(source="answered_by")
    time = serializers.DateTimeField(source="answered_at")
    reason = serializers.CharField(source="answer")


class WaitsForSerializer(serializers.Serializer):
    """Whose answer a suggestion waits for."""

    who = serializers.ChoiceField(
        ["teams", "team leads", "administrators"],
        help_text="“administrators” if the teams have no member but who suggested it",
    )
    teams = serializers.SerializerMethodField()

    def get_teams(self, waits_for: WaitsFor) -> list[str]:
        """Names of the teams that are asked."""
        return [team.name for team in waits_for.teams]


class SuggestionSerializer(serializers.ModelSerializer):
    """A change that somebody suggests to those who may make it."""

    state = serializers.SerializerMethodField(
        help_text="“lapsed” if nobody answered until the day `until`"
    )
    suggested_by = serializers.CharField(source="user_name")
    time = serializers.DateTimeField(source="made")
    revision = serializers.IntegerField(help_text="revision of the map on which it was made")
    waits_for = WaitsForSerializer(allow_null=True, help_text="null if it does not wait")
    answer = serializers.SerializerMethodField(help_text="null if there is none yet")
    steps = SuggestedStepSerializer(many=True)

    class Meta:
        model = Suggestion
        fields = [
            "number",
            "kind",
            "about",
            "state",
            "suggested_by",
            "time",
            "until",
            "reason",
            "revision",
            "waits_for",
            "answer",
            "steps",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(STATES))
    def get_state(self, suggestion: Suggestion) -> str:
        """Return waiting or lapsed for open ones."""
        if suggestion.is_waiting:
            return WAITING
        return LAPSED if suggestion.is_lapsed else suggestion.state

    @extend_schema_field(AnswerSerializer(allow_null=True))
    def get_answer(self, suggestion: Any) -> dict[str, Any] | None:
        """Return who answered, when and why."""
        if suggestion.answered_in is None:
            return None
        return AnswerSerializer(suggestion).data


class StateFilter(OneOrSeveral):
    """What became of it."""

    def __init__(self) -> None:
        choices = [(state, state) for state in STATES]
        super().__init__(choices, "What became of it; several separated by commas.")

    def filter(self, qs: SuggestionQuerySet, value: list[str] | None) -> SuggestionQuerySet:
        """Keep those in one of the states."""
        if not value:
            return qs
        condition = Q(state__in=value)
        if WAITING in value:
            condition |= Q(pk__in=Suggestion.objects.waiting().values("pk"))
        if LAPSED in value:
            condition |= Q(pk__in=Suggestion.objects.lapsed().values("pk"))
        return qs.filter(condition)


class SubjectFilter(filters.CharFilter):
    """What it is about, by a name that the row has or had."""

    def __init__(self, model: type[Table] | type[Service], help_text: str) -> None:
        super().__init__(help_text=help_text, max_length=255)
        self.subject = model

    def filter(self, qs: SuggestionQuerySet, value: str) -> SuggestionQuerySet:
        """Keep those about the row of that name."""
        if not value:
            return qs
        pk = None if "\x00" in value else id_named(self.subject, value)
        if pk is None:
            kind = self.subject._meta.verbose_name
            raise BadParameter({str(kind): f"No {kind} has, or ever had, this name."})
        return qs.about_table(pk) if self.subject is Table else qs.about_service(pk)


class MineFilter(filters.ChoiceFilter):
    """Those that wait for the teams of the account."""

    def __init__(self) -> None:
        super().__init__(
            choices=[(YES, YES)],
            help_text="Those that wait for a team of the account.",
            error_messages={"invalid_choice": f"Must be {YES}."},
        )

    def filter(self, qs: SuggestionQuerySet, value: str) -> SuggestionQuerySet:
        """Keep those that ask the teams."""
        if not value:
            return qs
        request: Any = self.parent.request
        mine = Mine.of(request.user)
        return qs.asking(mine.service_ids, mine.team_ids)


class SuggestionFilters(filters.FilterSet):
    """Filters of ``suggestions/``."""

    state = StateFilter()
    kind = filters.ChoiceFilter(
        choices=Suggestion.Kind.choices,
        help_text="Who is asked: the owners of what would change, or the team that would own it.",
    )
    table = SubjectFilter(Table, "Those that would change the table. Former names work, too.")
    service = SubjectFilter(Service, "Those that would change the service, or give it a table.")
    suggested_by = filters.CharFilter(
        field_name="user_name",
        help_text="User name of who suggested it, also of deleted accounts.",
    )
    mine = MineFilter()

    class Meta:
        model = Suggestion
        fields: list[str] = []


def _with_whom_they_wait_for(suggestions: list[Any]) -> list[Any]:
    waiting = [suggestion for suggestion in suggestions if suggestion.is_waiting]
    waits_for = whom_they_wait_for(waiting)
    for suggestion in suggestions:
        suggestion.waits_for = waits_for.get(suggestion.pk)
    return suggestions


class SuggestionView(RowsView):
    """Suggestions, the latest first."""

    permission_classes = [HasRole]
    takes_moment = False
    lookup_field = "number"
    queryset = Suggestion.objects.with_answers()
    serializer_class = SuggestionSerializer
    filterset_class = SuggestionFilters
    search_fields = ["about", "reason"]
    ordering_fields = {"number": "number", "until": "until"}

    def paginate_queryset(self, queryset: Any) -> Any:
        """A page of them, with whom each waits for."""
        page = super().paginate_queryset(queryset)
        return None if page is None else _with_whom_they_wait_for(page)

    def get_object(self) -> Any:
        """One of them, with whom it waits for."""
        [suggestion] = _with_whom_they_wait_for([super().get_object()])
        return suggestion

    def find_head(self) -> Head:
        """The history's head, whose digest also names the date: suggestions lapse at midnight UTC."""
        revision, digest = super().find_head()
        return Head(revision, f"{digest} {localdate()}")
