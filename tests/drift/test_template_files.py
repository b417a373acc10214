"""Which files of a folder are templates."""

import os
from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.readers.files import resolved_path
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import names, write

TABLE = "Resources:\n  T: {Type: AWS::DynamoDB::Table, Properties: {TableName: NAME}}\n"


def table(name: str) -> str:
    return TABLE.replace("NAME", name)


def read(folder: Path) -> Infrastructure:
    return read_templates([folder], names(services=("users",), tables=()), {}, {})


def tables(found: Infrastructure) -> set[str]:
    return {shape.name for shape in found.tables}


def test_templates_are_found_by_what_is_in_them(tmp_path: Path) -> None:
    files = {
        "a/template.yaml": table("one"),
        "b/stack.json": '{"Resources": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "two"}}}}',
        "c/stack.template": table("three"),
        "docker-compose.yml": "services: {}\n",
        "public/manifest.json": '{"name": "a web application"}',
        "samconfig.yaml": "version: 0.1\nimage: AWS::x\n",
    }
    found = read(write(tmp_path, files))
    assert (tables(found), found.errors, found.unresolved) == ({"one", "two", "three"}, (), ())


def test_packages_built_folders_and_links_are_passed_over(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"template.yaml": table("outside")})
    files = {
        "template.yaml": table("one"),
        ".aws-sam/build/template.yaml": table("two"),
        "node_modules/x/template.yaml": table("three"),
        "dist/template.yaml": table("four"),
    }
    folder = write(tmp_path / "repository", files)
    (folder / "link.yaml").symlink_to(outside / "template.yaml")
    (folder / "linked").symlink_to(outside)
    found = read(folder)
    assert (tables(found), found.errors) == ({"one"}, ())


def test_a_link_that_may_not_be_followed_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)

    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "readlink", denied)
    assert resolved_path(tmp_path / "x/../link") == link


def test_what_another_template_includes_is_no_template_of_its_own(tmp_path: Path) -> None:
    base = (
        "Resources:\n  T: {Type: AWS::DynamoDB::Table, "
        "Properties: {TableName: '{% block name %}base{% endblock %}'}}\n"
    )
    files = {
        "base.yml.j2": base,
        "users.yml.j2": "{% extends 'base.yml.j2' %}{% block name %}users{% endblock %}\n# Resources:\n",
    }
    files["users.yml.j2"] += "{% set a %}\nResources:\n{% endset %}"
    assert tables(read(write(tmp_path, files))) == {"users"}


def test_a_project_of_the_serverless_framework_leaves_its_service_unchecked(tmp_path: Path) -> None:
    files = {
        "template.yaml": table("one"),
        "users/serverless.yml": "service: users\nprovider: {name: aws}\n",
    }
    (unresolved,) = read(write(tmp_path, files)).unresolved
    assert (str(unresolved.location), unresolved.service) == ("users/serverless.yml:1", "users")
    assert (
        unresolved.reason
        == "is a project of the Serverless Framework, which `drift serverless` reads"
    )
