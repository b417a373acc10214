"""Settings: each is documented, a wrong one is refused with a cure, and production's pass Django's check."""

import re

import pytest
import yaml
from django.core.management import call_command

from registry.database import configure
from tests.support.production import PRODUCTION, ROOT, SETTINGS, run, variables

DOCS = (ROOT / "docs/operations.md").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_settings_read_variables_only_through_env():
    assert not re.search(r"\bos\b|getenv", SETTINGS)


def test_every_setting_is_documented_and_every_documented_setting_exists():
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", DOCS, re.MULTILINE))
    assert documented == variables()


def test_compose_passes_on_every_production_setting_and_its_own_are_documented():
    passed_on = set(COMPOSE["x-registry"]["environment"])
    assert passed_on == variables() - {"DEBUG", "DATABASE_TIMEOUT"} | {"WEB_CONCURRENCY"}
    substituted = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert {name for name in substituted if f"`{name}`" not in DOCS} == set()


@pytest.mark.slow
def test_production_settings_pass_the_check():
    result = run(["manage.py", "check"], PRODUCTION)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "name", "cure"),
    [
        pytest.param({"SECRET_KEY": ""}, "SECRET_KEY", "long random", id="no key"),
        pytest.param(
            {"ALLOWED_HOSTS": " , "}, "ALLOWED_HOSTS", "Set it to the host names", id="no host"
        ),
        pytest.param({"DEBUG": "maybe"}, "DEBUG='maybe'", "Set it to 1 or 0", id="DEBUG"),
        pytest.param(
            {"TRUST_PROXY": "ture"}, "TRUST_PROXY='ture'", "Set it to 1 or 0", id="TRUST_PROXY"
        ),
        pytest.param(
            {"ANONYMOUS_READ": "2"}, "ANONYMOUS_READ='2'", "Set it to 1 or 0", id="ANONYMOUS_READ"
        ),
        pytest.param(
            {"DATABASE_URL": "postgresql://a@b/c", "DATABASE_POOL_SIZE": "-1"},
            "DATABASE_POOL_SIZE='-1'",
            "Unset it",
            id="DATABASE_POOL_SIZE",
        ),
        pytest.param(
            {"DATABASE_URL": "registry.db"},
            "DATABASE_URL",
            "Set it to postgresql://",
            id="no scheme",
        ),
        pytest.param(
            {"DATABASE_URL": "mysql://a@b/c"},
            "DATABASE_URL",
            "Set it to postgresql://",
            id="other database",
        ),
        pytest.param(
            {"DATABASE_URL": "postgresql://a:hush/x@b/c"},
            "DATABASE_URL",
            "percent-encoded",
            id="bad escape",
        ),
        pytest.param(
            {"DATABASE_REPLICA_URLS": "sqlite:////x"},
            "DATABASE_REPLICA_URLS",
            "Set it to",
            id="replica",
        ),
        pytest.param(
            {"DATABASE_REPLICA_URLS": "x"}, "DATABASE_REPLICA_URLS", "Set it to", id="no replica"
        ),
    ],
)
def test_an_invalid_setting_is_refused_with_its_name_and_a_cure_and_no_traceback(
    change, name, cure
):
    result = run(["manage.py", "check"], PRODUCTION | change)
    assert result.returncode != 0
    assert name in result.stderr
    assert cure in result.stderr
    assert "Traceback" not in result.stderr
    assert "hush" not in result.stderr


def test_a_password_in_a_database_url_may_contain_a_comma():
    config = configure("postgresql://registry:one,two@localhost/registry")
    assert config["PASSWORD"] == "one,two"


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://me:a%2Cb@one:5433,two:5434/registry", "one,two", "5433,5434"),
        ("postgresql://me:,two@one,two/registry", "one,two", "5432,5432"),
        ("postgresql://one,[::1]:5433/registry", "one,::1", "5432,5433"),
        ("postgresql://me@one/registry", "one", ""),
    ],
)
def test_a_database_url_may_name_several_hosts(url, host, port):
    config = configure(f"{url}?target_session_attrs=read-write")
    assert [config["HOST"], config["PORT"]] == [host, port]
    assert config["OPTIONS"]["target_session_attrs"] == "read-write"


def test_settings_with_sqlite_load_no_driver_of_postgresql():
    code = "import registry.settings, sys; print('psycopg' in sys.modules)"
    assert run(["-c", code], PRODUCTION | {"DATABASE_TIMEOUT": "5"}).stdout == "False\n"


@pytest.mark.slow
def test_without_replicas_there_is_no_router_and_nothing_to_watch():
    code = (
        "import django; django.setup()\n"
        "from django.conf import settings; from ownership.web.replicas import replicas\n"
        "print(settings.DATABASE_ROUTERS, len(replicas))"
    )
    environment = PRODUCTION | {"DJANGO_SETTINGS_MODULE": "registry.settings"}
    assert run(["-c", code], environment).stdout == "[] 0\n"
    some = {
        "DATABASE_URL": "postgresql://a@b/c",
        "DATABASE_REPLICA_URLS": "postgresql://a@d/c, postgresql://a@e/c",
    }
    assert (
        run(["-c", code], environment | some).stdout
        == "['ownership.web.replicas.ReplicaRouter'] 2\n"
    )


@pytest.mark.slow
def test_production_storage_finds_every_static_file_that_others_refer_to(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    assert list(tmp_path.glob("ownership/admin.*.css.gz"))
