"""Whatever people do, in whatever order: history replays to the live rows, and every revision to what was live then."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ownership.audit.verification import Verification
from ownership.history.change_sets import change_set
from ownership.history.models import DELETED, ChangeSet, entry_models, registry_models
from ownership.history.time_travel import as_of
from ownership.models import Access, Mode, SecondaryIndex, Service, Table, TableGroup
from tests.support.admin_forms import answer, change_url, form_of, open_form, save_form

pytestmark = pytest.mark.django_db

# What the registry may refuse: a name that is taken, a service that is still needed, a circle of parts.
REFUSALS = (IntegrityError, ProtectedError, ValidationError)

NAMES = st.text("abzAZ09_.-", min_size=3, max_size=5)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NUMBERS = st.integers(0, 5)
State = dict[Any, dict[int, dict[str, Any]]]


def live_state() -> State:
    """Every registry row's columns, as they are."""
    return {
        model: {
            row.pk: {f.attname: getattr(row, f.attname) for f in model._meta.fields}
            for row in model.objects.all()
        }
        for model in registry_models()
    }


def state_at(revision: int) -> State:
    """The same from the typed columns of history alone."""
    state: State = {model: {} for model in registry_models()}
    for entries in entry_models():
        model = entries.instance_type
        for entry in entries.objects.filter(change_set__lte=revision).order_by("history_id"):
            if entry.history_type == DELETED:
                del state[model][entry.id]
            else:
                state[model][entry.id] = {
                    f.attname: getattr(entry, f.attname) for f in model._meta.fields
                }
    return state


class Registry:
    """One example's registry: performs actions, and keeps what was live at each revision, by whom and why."""

    def __init__(self, client: Client, lead: User) -> None:
        self.client, self.lead = client, lead
        self.recorded: dict[int, State] = {}
        self.maps: dict[int, Any] = {}  # as consumers were given them
        self.who_and_why: dict[int, tuple[str, str, str]] = {}
        self.left_open: tuple[Table, dict[str, str]] | None = None

    def do(self, number: int, action: str, *arguments: Any) -> None:
        """One act, which makes one revision, or is refused or idle and changes nothing at all."""
        reason, before, head = f"{number}: {action}", live_state(), self.head()
        act: Callable[..., None] = getattr(self, action)
        try:
            act(reason, *arguments)
        except REFUSALS:
            assert (live_state(), self.head()) == (before, head)
            return
        source = "restore" if action == "undo" else "admin" if action in BY_FORM else "import"
        after, moved = live_state(), self.head() - head
        # A name changed and changed back in one act is history too, though the map is what it was.
        assert moved == 1 or (moved == 0 and after == before)
        if moved:
            self.record(after, reason, source)

    def record(self, state: State, reason: str, source: str) -> None:
        """Keep what is true of the head."""
        head = self.head()
        self.recorded[head], self.who_and_why[head] = state, ("lead", reason, source)
        self.maps[head] = self.map()

    def map(self, **moment: int) -> Any:
        """The map over the API."""
        response = self.client.get("/api/v1/map/", moment)
        assert response.status_code == 200
        return response.json()

    def head(self) -> int:
        return ChangeSet.objects.values_list("revision", flat=True).first() or 0

    def change(self, reason: str) -> Any:
        return change_set(user=self.lead, reason=reason, source=ChangeSet.Source.IMPORT)

    def pick(self, model: Any, number: int) -> Any:
        rows = list(model.objects.order_by("pk"))
        if not rows:
            raise ValidationError("There is none left.")
        return rows[number % len(rows)]

    # By the ORM

    def create(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        with self.change(reason):
            service = Service.objects.create(
                name=name, description=text, aliases=[text] if text else []
            )
            group = TableGroup.objects.get_or_create(name=f"group {b}")[0]
            table = Table.objects.create(name=f"t{name}", group=group, owner=self.pick(Service, a))
            Access.objects.create(table=table, service=service, mode=Mode.values[b % 3], notes=text)
            SecondaryIndex.objects.create(table=table, name=name)

    def rename(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        with self.change(reason):
            row = self.pick((Service, Table)[b % 2], a)
            row.name, row.description = name, text
            row.save()

    def rename_and_hand_over(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        with self.change(reason):
            service, table = self.pick(Service, a), self.pick(Table, b)
            service.name = name
            service.save()
            table.owner = service
            table.save()
            service.name = f"{name}2"
            service.save()

    def put_under(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        with self.change(reason):
            part = self.pick(Service, a)
            part.part_of = self.pick(Service, b)
            part.save()

    def delete(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        with self.change(reason):
            model = (Service, Access, SecondaryIndex, TableGroup)[b % 4]
            if model.objects.exists():
                self.pick(model, a).delete()

    # By the admin's forms

    def edit_table(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        table = self.pick(Table, a)
        form = open_form(self.client, table) | {
            "description": text,
            "owner": str(self.pick(Service, b).pk),
        }
        if "accesses-0-id" in form:
            form |= {"accesses-0-notes": text, "accesses-0-mode": Mode.values[b % 3]}
            form |= {"accesses-0-DELETE": "on"} if b == 0 else {}
        if b == 1:
            added = form["accesses-TOTAL_FORMS"]
            form |= {
                "accesses-TOTAL_FORMS": str(int(added) + 1),
                f"accesses-{added}-service": str(self.pick(Service, a).pk),
                f"accesses-{added}-mode": "write",
                f"accesses-{added}-position": "0",
            }
        save_form(self.client, table, form, reason)

    def leave_form_open(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        table = self.pick(Table, a)
        self.left_open = table, open_form(self.client, table) | {"description": text}

    def save_form_left_open(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        if self.left_open is not None:
            save_form(self.client, *self.left_open, reason)

    def edit_service(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        service = self.pick(Service, a)
        form = open_form(self.client, service) | {"name": name, "aliases": f"{text}\n{name}"}
        save_form(self.client, service, form | {"part_of": str(self.pick(Service, b).pk)}, reason)

    def hand_over(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        chosen = {
            "action": "edit_tables",
            "_selected_action": [self.pick(Table, a).pk, self.pick(Table, b).pk],
        }
        url = reverse("admin:ownership_table_changelist")
        preview = {"owner": str(self.pick(Service, b).pk), "move_accesses": "on", "preview": "yes"}
        page = self.client.post(url, chosen | preview)
        applied = answer(page) | chosen | {"reason": reason, "apply": "Apply"}
        assert self.client.post(url, applied).status_code == 302

    def delete_table(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        table = self.pick(Table, a)
        if Table.objects.count() > 1:
            url = change_url(table).replace("change", "delete")
            self.client.post(url, form_of(self.client.get(url)) | {"reason": reason, "post": "yes"})

    def undo(self, reason: str, name: str, text: str, a: int, b: int) -> None:
        url = reverse("admin:ownership_undo", args=[(6 * a + b) % self.head() + 1])
        page = self.client.get(url)
        if page.status_code == 200:
            chosen = (
                re.findall(r'name="conflicts" value="([^"]+)"', page.content.decode())
                if b % 2
                else []
            )
            self.client.post(url, form_of(page) | {"reason": reason, "conflicts": chosen})


BY_FORM = (
    "edit_table",
    "leave_form_open",
    "save_form_left_open",
    "edit_service",
    "hand_over",
    "delete_table",
)
ACTIONS = ["create", "rename", "rename_and_hand_over", "put_under", "delete", "undo", *BY_FORM]


SETTINGS = {
    "database": None,
    "phases": [
        Phase.generate
    ],  # a failure of at most 12 named acts reads well enough; to shrink it takes minutes
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
LISTS_OF_ACTS = st.lists(
    st.tuples(st.sampled_from(ACTIONS), NAMES, TEXTS, NUMBERS, NUMBERS), min_size=3, max_size=12
)


@pytest.mark.slow
@settings(max_examples=20, **SETTINGS)
@given(LISTS_OF_ACTS)
def test_history_replays_to_what_was_live_at_each_revision(lead_client, lead, actions):
    with transaction.atomic():
        registry = Registry(lead_client, lead)
        with registry.change("To begin with"):
            Service.objects.create(name="first")
        registry.record(live_state(), "To begin with", "import")
        registry.do(0, "create", "start", "…", 0, 0)
        for number, action in enumerate(actions, start=1):
            registry.do(number, *action)

        assert [str(finding) for finding in Verification().run()] == []
        for revision, state in registry.recorded.items():
            assert state_at(revision) == state, (
                f"revision {revision}: {registry.who_and_why[revision]}"
            )
            with as_of(revision):
                assert live_state() == state, (
                    f"as of revision {revision}: {registry.who_and_why[revision]}"
                )
            assert registry.map(revision=revision) == registry.maps[revision]
        changes = ChangeSet.objects.in_bulk()
        assert {
            revision: (change.user_name, change.reason, change.source)
            for revision, change in changes.items()
        } == registry.who_and_why
        for entries in entry_models():
            for entry in entries.objects.all():
                assert entry.history_user == "lead"
                assert entry.history_change_reason == registry.who_and_why[entry.change_set_id][1]
        transaction.set_rollback(True)
