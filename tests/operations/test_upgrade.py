"""A database of an earlier release is migrated, and loses nothing.

tests/operations/releases/ has one of each release, made by tests/support/release.py.
"""

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from tests.support.postgres import server_binaries
from tests.support.release import RELEASES, environment_of, manage, state

pytestmark = pytest.mark.slow

VERSIONS = sorted(path.name.removesuffix(".sqlite3.gz") for path in RELEASES.glob("*.sqlite3.gz"))


def assert_kept(old: Any, new: Any, where: str = "") -> None:
    """Everything is still there. Later releases may add fields, but not change or drop any."""
    if isinstance(old, dict):
        for key, value in old.items():
            assert key in new, f"{where}/{key} is gone"
            assert_kept(value, new[key], f"{where}/{key}")
    elif isinstance(old, list):
        assert len(old) == len(new), f"{where} has {len(new)} items instead of {len(old)}"
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            assert_kept(before, after, f"{where}/{number}")
    else:
        assert old == new, where


def assert_upgrade_keeps_everything(environment: dict[str, str], recorded: Path) -> None:
    before = json.loads(gzip.decompress(recorded.read_bytes()))
    head = before["changes"][-1]
    manage(environment, "migrate", "--verbosity=0")
    verified = manage(environment, "verify_history", f"--head={head['revision']}:{head['digest']}")
    assert "All is well" in verified
    assert_kept(before, json.loads(state(environment)))
    # Seeding again does not undo what people have changed since the first seed.
    manage(environment, "seed")
    assert f"{head['revision']} change sets" in manage(environment, "verify_history")


def test_there_is_a_database_of_the_first_release():
    assert "0.1.0" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_sqlite_file_of_an_earlier_release_is_upgraded_without_loss(version, tmp_path):
    file = tmp_path / "registry.sqlite3"
    file.write_bytes(gzip.decompress((RELEASES / f"{version}.sqlite3.gz").read_bytes()))
    environment = environment_of(f"sqlite:///{file}", tmp_path)
    assert_upgrade_keeps_everything(environment, RELEASES / f"{version}.sqlite3.json.gz")


@pytest.fixture
def empty_database(committed):
    """The name of an empty database, beside the one that tests use."""
    name = "registry_upgrade"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        yield name
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.postgres
@pytest.mark.parametrize("version", VERSIONS)
def test_a_postgresql_database_of_an_earlier_release_is_upgraded_without_loss(
    version, empty_database, tmp_path
):
    settings = connection.settings_dict
    user, password = quote(settings["USER"], safe=""), quote(settings["PASSWORD"], safe="")
    url = f"postgresql://{user}:{password}@{quote(settings['HOST'], safe='')}:{settings['PORT']}/{empty_database}"
    psql = [f"{server_binaries()}/psql", "--quiet", "--set=ON_ERROR_STOP=1", url]
    sql = gzip.decompress((RELEASES / f"{version}.postgres.sql.gz").read_bytes())
    subprocess.run(psql, input=sql, check=True, stdout=subprocess.DEVNULL)
    environment = environment_of(url, tmp_path)
    assert_upgrade_keeps_everything(environment, RELEASES / f"{version}.postgres.json.gz")
