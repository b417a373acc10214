"""The image, docker-compose.yml, and the server that they start."""

import json
import re
import runpy
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from ownership.web.worker import LARGEST_BODY
from tests.support import container
from tests.support.production import PRODUCTION, ROOT, run

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


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
