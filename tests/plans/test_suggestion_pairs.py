"""Random pairs of a suggestion and edits in between: nothing later is overwritten unasked, and nothing is half."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import ProtectedError

from ownership.audit.verification import Verification
from ownership.history.change_sets import change_set
from ownership.history.models import TrackedRow, current_head
from ownership.models import Access, Service, Suggestion, Table
from ownership.plans.division import OwnerPart
from ownership.plans.plan import NotApplied
from ownership.plans.steps import Step, copy_of
from ownership.plans.suggestion_review import Review
from ownership.plans.suggestions import suggest, take
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db

# {(model's name, id): {column: value}}
Map = dict[tuple[str, int], dict[str, Any]]
PAIRS = 100
MODES = ("read", "write", "read_write")


def the_map() -> Map:
    rows = {}
    for model in (Service, Table, Access):
        for values in model.objects.values():
            rows[model._meta.model_name, values.pop("id")] = values
    return rows


def some(random: Random, model: type[TrackedRow]) -> Any:
    return random.choice(list(model.objects.order_by("pk").select_related()))


def change_table(random: Random) -> Step:
    table = some(random, Table)
    after = copy_of(table)
    after.description = random.choice("ABCDEFGH")
    if random.random() < 0.4:
        after.owner = some(random, Service)
    if random.random() < 0.3:
        after.name = f"table-{random.randrange(10**6)}"
    return Step(table, after)


def change_service(random: Random) -> Step:
    service = some(random, Service)
    after = copy_of(service)
    after.contact = f"#{random.randrange(9)}"
    if random.random() < 0.3:
        after.name = f"service-{random.randrange(10**6)}"
    return Step(service, after)


def change_access(random: Random) -> Step:
    if Access.objects.count() < 3:
        return add_access(random)
    access = some(random, Access)
    after = copy_of(access)
    after.mode = random.choice(MODES)
    after.notes = random.choice(["", "Notes"])
    return Step(access, after)


def add_access(random: Random) -> Step:
    table, service = some(random, Table), some(random, Service)
    if Access.objects.filter(table=table, service=service).exists():
        return change_access(random)
    return Step(None, Access(table=table, service=service, mode=random.choice(MODES)))


def delete_access(random: Random) -> Step:
    if Access.objects.count() < 3:
        return add_access(random)
    return Step(some(random, Access), None)


def add_table_with_access(random: Random) -> list[Step]:
    if Table.objects.count() > 3:
        return [change_table(random)]
    owner, group = some(random, Service), some(random, Table).group
    # Two people who add a table one after the other call it the same.
    table = Table(name=f"new-{Table.objects.count()}", group=group, owner=owner)
    return [
        Step(None, table),
        Step(None, Access(table=table, service=some(random, Service), mode="read")),
    ]


ACTS: list[Callable[[Random], Any]] = [
    change_table,
    change_service,
    change_access,
    add_access,
    delete_access,
]


def act(random: Random) -> list[Step]:
    """One thing that somebody does to the map."""
    made = random.choice([*ACTS, add_table_with_access])(random)
    return made if isinstance(made, list) else [made]


def random_steps(random: Random) -> list[Step]:
    """Some steps, of each row one."""
    steps: list[Step] = []
    seen: set[Any] = set()
    for _ in range(random.randint(1, 4)):
        made = act(random)
        identities = {(type(step.row), step.pk or str(step.row)) for step in made}
        if seen.isdisjoint(identities) and all(
            step.before is None or step.changes() for step in made
        ):
            steps += made
            seen |= identities
    return steps


def edit(random: Random) -> None:
    """Somebody edits the map, or is refused by its rules."""
    made = act(random)
    try:
        with change_set(reason="Meanwhile"):
            for step in made:
                if step.after is None:
                    step.row.delete()
                else:
                    step.row.save()
    except (IntegrityError, ValidationError, ProtectedError):
        pass


def stored(values: Any, name: str, model: str) -> Any:
    """A column's value by the name of its field."""
    return values.get(name, values.get(f"{name}_id"))


def wanted(step: dict[str, Any], name: str) -> Any:
    return step["ids"][name][1] if name in step["ids"] else step["changes"][name][1]


def then(step: dict[str, Any], name: str) -> Any:
    return step["ids"][name][0] if name in step["ids"] else step["changes"][name][0]


def assert_only_what_was_asked(
    suggestion: Suggestion, asked: set[str], before: Map, after: Map
) -> None:
    """Each difference was suggested; what others have changed only where that was asked for; and none is missing."""
    explained = set()
    for place, step in enumerate(suggestion.steps):
        key = (step["model"], step["id"])
        if step["what"] == "created":
            row = created(step, suggestion, after)
            existed = row in before
            if not existed:
                assert row is not None, f"{step['label']} was not added"
                explained.add((row, None))
            for name in step["changes"] if existed else ():
                assert_field(step, name, f"{place}.{name}", asked, before[row], after[row])
                explained.add((row, name))
            continue
        if key not in before:
            continue
        if step["what"] == "deleted":
            untouched = all(
                stored(before[key], name, key[0]) == then(step, name) for name in step["changes"]
            )
            if key not in after:
                assert untouched or str(place) in asked, f"{step['label']} was lost"
                explained.add((key, None))
            else:
                assert not untouched, f"{step['label']} was not deleted"
            continue
        for name in step["changes"]:
            assert_field(step, name, f"{place}.{name}", asked, before[key], after[key])
            explained.add((key, name))
    for key in before.keys() | after.keys():
        if key not in before or key not in after:
            assert (key, None) in explained, key
            continue
        for column, value in after[key].items():
            if value != before[key][column]:
                assert (key, column.removesuffix("_id")) in explained, (key, column)


def assert_field(step: Any, name: str, key: str, asked: set[str], before: Any, after: Any) -> None:
    was, now = stored(before, name, step["model"]), stored(after, name, step["model"])
    if was == then(step, name) or key in asked:
        if name in step["new"] or (step["what"] == "created" and name == "position"):
            return
        assert now == wanted(step, name), f"{step['label']}: {name} was left"
    else:
        assert now == was, f"{step['label']}: {name} was overwritten unasked"


def created(step: Any, suggestion: Suggestion, after: Map) -> Any:
    """The row with the name of the one to be added."""
    for (model, pk), values in after.items():
        if model != step["model"]:
            continue
        if model == "table":
            if values["name"] == step["changes"]["name"][1]:
                return model, pk
            continue
        table_id = step["ids"]["table"][1]
        if "table" in step["new"]:
            table_id = created(suggestion.steps[step["new"]["table"]], suggestion, after)[1]
        if (values["table_id"], values["service_id"]) == (table_id, step["ids"]["service"][1]):
            return model, pk
    return None


@pytest.mark.slow
@pytest.mark.sqlite  # which rows are written is decided before the database is asked
def test_nothing_later_is_overwritten_unasked_and_nothing_is_half(viewer, lead):
    random = Random(18)
    # Few rows, so that people often touch the same.
    services = [make_service(f"service-{number}") for number in range(3)]
    tables = [make_table(f"table-{number}", owner=services[number]) for number in range(2)]
    for table in tables:
        for service in random.sample(services, 2):
            make_access(table, service, mode=random.choice(MODES))
    taken = refused = conflicts = 0
    for _ in range(PAIRS):
        steps = random_steps(random)
        if not steps:
            continue
        [suggestion] = suggest(
            [OwnerPart(steps)], user=viewer, reason="So it is", revision=current_head().revision
        )
        for _ in range(random.randint(0, 8)):
            edit(random)
        review = Review(suggestion)
        contested = sorted(review.choices.keys() - review.unasked)
        asked = {key for key in contested if random.random() < 0.3}
        conflicts += len(contested)
        before, head = the_map(), current_head()
        try:
            take(review, review.unasked | asked, user=lead, reason="Yes")
        except NotApplied:
            refused += 1
            assert the_map() == before
            assert current_head() == head
            assert Suggestion.objects.get(pk=suggestion.pk).state == "open"
            continue
        taken += 1
        assert_only_what_was_asked(suggestion, asked, before, the_map())
        assert Suggestion.objects.get(pk=suggestion.pk).state in ("taken", "in_part")
    # Neither outcome is rare, or the test would say little.
    assert min(taken, conflicts) > PAIRS / 5, (taken, refused, conflicts)
    assert [str(finding) for finding in Verification().run()] == []
