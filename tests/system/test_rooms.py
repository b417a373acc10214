"""What import-linter can't say about the rooms: see ``[tool.importlinter]`` in pyproject.toml for the rest."""

import ast
from pathlib import Path

import pytest

import ownership

ROOMS = Path(ownership.__file__).parent
PACKAGES = [path for path in sorted(ROOMS.rglob("__init__.py")) if path.parent.name != "migrations"]
WEB = ("django.http", "django.urls", "django.shortcuts", "django.views", "django.template", "rest_framework")


def imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    return modules


@pytest.mark.parametrize("path", sorted((ROOMS / "history").glob("*.py")), ids=lambda path: path.name)
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
