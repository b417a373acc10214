"""The files that lock the dependencies: by version and hash, and as the project states them."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


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
