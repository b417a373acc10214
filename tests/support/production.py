"""Processes with the settings of production, whatever this process has."""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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
