"""What docs/operations.md promises: settings, health checks, containers, locked dependencies."""

import ast
import json
import os
import re
import runpy
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.transaction import TransactionManagementError
from django.test import Client
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ownership.web.health import server_error
from ownership.web.worker import LARGEST_BODY
from tests.support import container

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs/operations.md").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETTINGS = "".join(
    (ROOT / "registry" / name).read_text() for name in ("settings.py", "database.py")
)
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "for this test alone",
    "ALLOWED_HOSTS": "registry.example",
}


def variables() -> set[str]:
    """The environment variables that the settings read."""
    names = set()
    for node in ast.walk(ast.parse(SETTINGS)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=name), *_]
            ):
                names.add(name)
    return names


def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python with this environment instead of the developer's."""
    inherited = {name: value for name, value in os.environ.items() if name not in variables()}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


# Settings


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
    result = run(
        ["-c", "from registry.settings import DATABASES; print(DATABASES['default']['PASSWORD'])"],
        PRODUCTION | {"DATABASE_URL": "postgresql://registry:one,two@localhost/registry"},
    )
    assert result.stdout.strip() == "one,two"


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
    names = "[[DATABASES['default'][name] for name in ('HOST', 'PORT')], DATABASES['default']['OPTIONS']]"
    result = run(
        [
            "-c",
            f"import json; from registry.settings import DATABASES; print(json.dumps({names}, default=str))",
        ],
        PRODUCTION | {"DATABASE_URL": f"{url}?target_session_attrs=read-write"},
    )
    found, options = json.loads(result.stdout)
    assert found == [host, port]
    assert options["target_session_attrs"] == "read-write"


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


# Health checks


@pytest.fixture
def prober(settings) -> Client:
    """Sends requests as a container's health check does: plain HTTP, with a host name that is not allowed."""
    settings.SECURE_SSL_REDIRECT = True
    return Client(headers={"host": "10.0.0.7:8000"})


@pytest.mark.django_db
def test_livez_answers_over_plain_http_for_any_host_without_the_database(
    prober, django_assert_num_queries
):
    with django_assert_num_queries(0):
        response = prober.get("/livez")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.django_db
def test_readyz_answers_over_plain_http_for_any_host_with_one_query(
    prober, django_assert_num_queries
):
    assert prober.get("/readyz").status_code == 200
    with django_assert_num_queries(1):
        response = prober.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


@pytest.mark.django_db
def test_readyz_is_503_until_migrations_are_applied(prober):
    [latest] = MigrationLoader(connection).graph.leaf_nodes("ownership")
    MigrationRecorder(connection).record_unapplied(*latest)
    response = prober.get("/readyz")
    assert response.status_code == 503
    assert "manage.py migrate" in response.json()["status"]
    assert prober.get("/livez").status_code == 200
    MigrationRecorder(connection).record_applied(*latest)
    assert prober.get("/readyz").status_code == 200


PROBE = """
import json, time, django
django.setup()
from django.db.transaction import TransactionManagementError
from django.test import Client
answers = {}
paths = ("/livez", "/readyz", "/", "/admin/login/?next=x", "/admin/", "/api/v1/map/", "/api/v1/tables/")
for path in paths * 2:  # the first time a process also loads its code
    begun = time.monotonic()
    client = Client(raise_request_exception=False, headers={"x-forwarded-proto": "https", "host": "registry.example"})
    client.cookies["sessionid"] = "somebodys"
    answer = client.get(path)
    answers[path] = answer.status_code, time.monotonic() - begun, answer["Content-Type"]
print(json.dumps(answers))
"""


@pytest.mark.parametrize("vendor", [pytest.param("postgresql", marks=pytest.mark.slow), "sqlite"])
def test_while_the_database_is_away_everything_but_livez_is_503_within_two_seconds(
    vendor, tmp_path
):
    with socket.socket() as nobody:  # bound, but not listening
        nobody.bind(("127.0.0.1", 0))
        away = {
            "postgresql": f"postgresql://registry:x@127.0.0.1:{nobody.getsockname()[1]}/registry",
            "sqlite": f"sqlite:///{tmp_path}/no-such-folder/registry.sqlite3",
        }
        environment = PRODUCTION | {
            "DJANGO_SETTINGS_MODULE": "registry.settings",
            "DATABASE_URL": away[vendor],
            "TRUST_PROXY": "1",
            "ANONYMOUS_READ": "1",
            "SNAPSHOT_DIR": str(tmp_path),
        }
        result = run(["-c", PROBE], environment)
    assert result.returncode == 0, result.stderr
    answers = json.loads(result.stdout)
    assert answers.pop("/livez")[0] == 200
    for path, (status, seconds, kind) in answers.items():
        assert status == 503, path
        assert seconds < 2, path
        assert kind.startswith(
            "application/" if path.startswith(("/api/", "/readyz")) else "text/html"
        ), path
    assert answers["/api/v1/map/"][2] == answers["/api/v1/tables/"][2] == "application/problem+json"


# Static files


@pytest.mark.slow
def test_production_storage_finds_every_static_file_that_others_refer_to(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    assert list(tmp_path.glob("ownership/admin.*.css.gz"))


# Containers


def test_compose_mounts_the_volume_where_postgresql_18_keeps_its_data():
    database = COMPOSE["services"]["database"]
    assert database["image"].split(":")[1].startswith("18")
    assert database["volumes"] == ["database:/var/lib/postgresql"]
    assert "database" in COMPOSE["volumes"]


def test_compose_publishes_on_the_loopback_interface_only_but_for_the_proxy_that_is_asked_for():
    published = {name: service.get("ports", []) for name, service in COMPOSE["services"].items()}
    assert published.pop("proxy")
    assert COMPOSE["services"]["proxy"]["profiles"] == ["proxy"]
    assert any(published.values())
    assert all(re.match(r"127\.0\.0\.1:", port) for ports in published.values() for port in ports)
    assert not any("network_mode" in service for service in COMPOSE["services"].values())


def test_compose_fills_in_everything_that_the_template_of_nginx_asks_for():
    proxy = COMPOSE["services"]["proxy"]
    template = (ROOT / "deploy/nginx.conf.template").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", template)) == set(proxy["environment"])
    assert proxy["volumes"][0].startswith("./deploy/nginx.conf.template:/etc/nginx/templates/")
    assert COMPOSE["services"]["web"]["ports"][0].endswith(
        proxy["environment"]["UPSTREAM"].removeprefix("web")
    )


def test_nginx_takes_as_much_as_the_server():
    template = (ROOT / "deploy/nginx.conf.template").read_text()
    assert re.search(r"client_max_body_size (\d+)m;", template)[1] == str(LARGEST_BODY // 1024**2)


@pytest.mark.parametrize("name", ["web", "migrate"])
def test_compose_runs_the_application_without_privileges(name):
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service  # the image's own, which is not root


def test_compose_starts_each_service_after_those_it_depends_on():
    services = COMPOSE["services"]
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert services["web"]["depends_on"]["migrate"] == {
        "condition": "service_completed_successfully"
    }
    assert services["migrate"]["restart"] == "no"
    assert "pg_isready" in services["database"]["healthcheck"]["test"]
    assert "/readyz" in services["web"]["healthcheck"]["test"][-1]


@pytest.mark.slow
def test_gunicorn_refuses_to_serve_with_debug_and_says_what_to_do():
    result = run(["-m", "gunicorn", "--check-config"], PRODUCTION | {"DEBUG": "1"})
    assert result.returncode != 0
    assert "Use `make run`" in result.stderr
    assert run(["-m", "gunicorn", "--check-config"], PRODUCTION).returncode == 0


def test_compose_waits_longer_than_the_server_and_the_pool(monkeypatch):
    from registry import database

    monkeypatch.setenv("DEBUG", "0")

    def seconds(text: str) -> int:
        return int(re.fullmatch(r"(\d+)s", text)[1])

    web, server = COMPOSE["services"]["web"], runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    options = database.configure("postgresql://registry@localhost/registry")["OPTIONS"]
    assert seconds(web["stop_grace_period"]) > server["graceful_timeout"]
    assert (
        seconds(web["healthcheck"]["timeout"])
        > options["pool"]["timeout"] + options["connect_timeout"]
    )
    assert server["threads"] <= options["pool"]["max_size"]


def test_image_has_the_client_programs_of_the_server_that_compose_runs():
    sources = re.findall(r"^COPY --from=(postgres:\S+) (.*)$", DOCKERFILE, re.MULTILINE)
    assert {image for image, _ in sources} == {COMPOSE["services"]["database"]["image"]}
    assert all(name in sources[-1][1] for name in ("pg_dump", "pg_restore"))
    # Their library needs what this Debian has.
    debian = {
        image.rpartition("-")[2] for image in re.findall(r"(?:FROM |--from=)(\w+:\S+)", DOCKERFILE)
    }
    assert debian == {"trixie"}


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL"])
def test_compose_has_no_default_for_a_secret(name):
    value = COMPOSE["x-registry"]["environment"][name]
    assert re.search(r"\$\{\w+:\?Set \w+ in \.env", value)


def test_compose_lets_the_web_server_sign_in_as_the_role_that_it_creates():
    web = COMPOSE["services"]["web"]
    [config] = COMPOSE["services"]["database"]["configs"]
    role, password = re.match(
        r"postgresql://(\w+):\$\{(\w+)", web["environment"]["DATABASE_URL"]
    ).groups()
    assert (
        f"CREATE ROLE {role} LOGIN PASSWORD '${{{password}}}'"
        in COMPOSE["configs"][config["source"]]["content"]
    )
    assert config["target"].startswith("/docker-entrypoint-initdb.d/")
    assert web["environment"].keys() == COMPOSE["services"]["migrate"]["environment"].keys()
    assert "//registry:" in COMPOSE["services"]["migrate"]["environment"]["DATABASE_URL"]


def test_image_has_a_supported_python():
    versions = re.findall(r"^FROM python:([\d.]+)-slim-trixie", DOCKERFILE, re.MULTILINE)
    assert len(versions) == DOCKERFILE.count("\nFROM ") == 2
    assert len(set(versions)) == 1
    assert versions[0] in SpecifierSet(PROJECT["project"]["requires-python"])


def test_image_runs_as_a_fixed_user_and_keeps_no_secret():
    final = DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", final, re.MULTILINE)
    command = re.search(r"^CMD (.*)$", final, re.MULTILINE)[1]
    assert json.loads(command)[0] == "gunicorn"
    assert "--require-hashes" in DOCKERFILE
    assert not re.search(r"^(ARG|ENV).*(SECRET|PASSWORD|TOKEN)", DOCKERFILE, re.MULTILINE)


def test_image_contains_only_what_it_needs_and_that_exists():
    lines = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and line[0] != "#"
    ]
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line[0] == "!"}
    assert {name for name in let_in if not (ROOT / name).exists()} == set()
    assert {
        "manage.py",
        "registry",
        "ownership",
        "templates",
        "fixtures",
        "requirements.txt",
    } <= let_in
    assert let_in.isdisjoint({".env", ".git", "var", "tests"})


# Locked dependencies


def locked(name: str) -> dict[str, str]:
    """The lock file's packages: name to the rest of its entry."""
    text = (ROOT / name).read_text()
    blocks = re.findall(
        r"^([A-Za-z0-9][^=\s\[]*)(?:\[[^]]*\])?==(.*(?:\n[ \t].*)*)", text, re.MULTILINE
    )
    # Every line is part of such a block, or a comment.
    assert len(blocks) == len(re.findall(r"^[^\s#]", text, re.MULTILINE))
    return {canonicalize_name(package): rest for package, rest in blocks}


EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
LOCKS = ["requirements.txt", "requirements-oidc.txt", "requirements-dev.txt", "requirements-uv.txt"]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_file_names_no_host_and_every_package_has_hashes(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    packages = locked(name)
    assert packages
    assert {package for package, rest in packages.items() if "--hash=sha256:" not in rest} == set()


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("requirements.txt", EXTRAS["xlsx"]),
        ("requirements-oidc.txt", EXTRAS["xlsx"] + EXTRAS["oidc"]),
        (
            "requirements-dev.txt",
            GROUPS["drift"] + [text for text in GROUPS["dev"] if isinstance(text, str)],
        ),
    ],
)
def test_lock_file_matches_the_project(name, more):
    wanted = [Requirement(text) for text in [*PROJECT["project"]["dependencies"], *more]]
    packages = locked(name)
    direct = {
        package for package, rest in packages.items() if re.search(r"\bownership-registry\b", rest)
    }
    assert direct == {canonicalize_name(requirement.name) for requirement in wanted}
    for requirement in wanted:
        version = re.match(r"[^\s;\\]+", packages[canonicalize_name(requirement.name)])[0]
        assert requirement.specifier.contains(version), requirement


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-oidc.txt"])
def test_development_has_the_same_versions_as_production(name):
    production, development = locked(name), locked("requirements-dev.txt")
    assert {name: rest.split()[0] for name, rest in production.items()} == {
        name: rest.split()[0] for name, rest in development.items() if name in production
    }


DRIVER = connection.Database


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (OperationalError, 503),
        (InterfaceError, 503),
        (DRIVER.OperationalError, 503),
        (DRIVER.InterfaceError, 503),
        (DRIVER.IntegrityError, 500),
        (ValueError, 500),
    ],
)
def test_an_error_caused_by_a_lost_database_connection_is_503(rf, first, status):
    try:
        try:
            raise first("server closed the connection unexpectedly")
        except first as lost:
            raise TransactionManagementError(
                "An error occurred in the current transaction"
            ) from lost
    except TransactionManagementError:
        assert server_error(rf.get("/admin/")).status_code == status


@pytest.mark.usefixtures("committed")
@pytest.mark.postgres
def test_a_transaction_that_postgresql_ended_because_it_was_idle_is_503(rf):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '10ms'")
            while True:
                time.sleep(0.1)
                cursor.execute("SELECT 1")
    except DatabaseError:
        assert server_error(rf.get("/admin/")).status_code == 503
    finally:
        connection.close()


def test_the_check_of_containers_uses_the_images_of_the_dockerfile():
    named = set(re.findall(r"(?:^FROM |--from=)(\w+:\S+)", DOCKERFILE, re.MULTILINE))
    assert {f"docker.io/library/{image}" for image in named} == {
        container.PYTHON,
        container.POSTGRES,
    }


def test_the_check_of_containers_starts_every_service_after_those_it_needs():
    assert container.in_order(container.compose()["services"]) == [
        "database",
        "migrate",
        "web",
        "deliver",
        "proxy",
    ]
    assert container.compose()["services"]["proxy"]["environment"]["SERVER_NAME"] == "localhost"
