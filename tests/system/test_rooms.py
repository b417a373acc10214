"""What import-linter can't say about the rooms: see ``[tool.importlinter]`` in pyproject.toml for the rest."""

import ast
from pathlib import Path

import pytest

import ownership

ROOMS = Path(ownership.__file__).parent
PACKAGES = [path for path in sorted(ROOMS.rglob("__init__.py")) if path.parent.name != "migrations"]
WEB = (
    "django.http",
    "django.urls",
    "django.shortcuts",
    "django.views",
    "django.template",
    "rest_framework",
)


def imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    return modules


@pytest.mark.parametrize(
    "path", sorted((ROOMS / "history").glob("*.py")), ids=lambda path: path.name
)
def test_history_knows_no_request_and_no_url(path: Path) -> None:
    assert not [name for name in imported_modules(path) if name.startswith(WEB)]


@pytest.mark.parametrize(
    "package",
    [path for path in sorted(ROOMS.rglob("__init__.py")) if path.parent.name != "migrations"],
    ids=lambda path: path.parent.name,
)
def test_each_room_says_what_lives_there(package: Path) -> None:
    assert ast.get_docstring(ast.parse(package.read_text()))


def test_only_the_files_that_django_requires_are_outside_the_rooms() -> None:
    assert {path.name for path in ROOMS.glob("*.py")} == {"__init__.py", "apps.py"}


# What writes rows past RegistryQuerySet, and so without history.
SILENT_WRITES = {
    "_insert",
    "_raw_delete",
    "_update",
    "DeleteQuery",
    "InsertQuery",
    "QuerySet",
    "UpdateQuery",
    "save_base",
}
MAY_WRITE_SILENTLY = {"history/bulk.py": {"QuerySet"}}  # it writes the entries itself


def silent_writes(code: str) -> set[str]:
    """Names that write without history: private methods of querysets, and plain querysets that somebody makes."""
    used = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and node.attr in SILENT_WRITES - {"QuerySet"}:
            used.add(node.attr)
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            used |= {name} & SILENT_WRITES
    # Calls of functions of our own that have such a name.
    own = {node.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)}
    return used - own


@pytest.mark.slow
def test_nothing_but_bulk_writes_past_the_querysets_that_keep_history() -> None:
    found = {}
    for path in sorted(ROOMS.rglob("*.py")):
        used = silent_writes(path.read_text())
        if used:
            found[path.relative_to(ROOMS).as_posix()] = used
    assert found == MAY_WRITE_SILENTLY


@pytest.mark.parametrize(
    "code",
    [
        "QuerySet(Table).update(name='x')",
        "models.QuerySet(Table).delete()",
        "Table.objects.all()._update([])",
        "write = rows._raw_delete",
        "sql.UpdateQuery(Table)",
        "row.save_base(raw=True)",
    ],
)
def test_a_silent_write_is_found_in_code(code: str) -> None:
    assert silent_writes(code)
