"""Finds the templates of CloudFormation and SAM in a folder, and the output of CDK apps.

Folders of packages, hidden ones such as ``.aws-sam``, and those of built code are passed over. Links are not followed.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ownership.drift.readers.cdk import CDK_OUTPUT, is_assembly
from ownership.drift.readers.files import (
    MAX_BYTES,
    PASSED_OVER,
    TEMPLATE_SUFFIXES,
    NotReadable,
    folders_below,
    read_bytes,
)
from ownership.drift.types import Location, ReadError

MAX_FILES = 100_000
RESOURCES = re.compile(r"""^\s*(?:\{\s*)?["']?Resources["']?\s*:""", re.MULTILINE)


def find_templates(top: Path) -> Iterator[Path]:
    """The templates below a folder, and the folders of CDK's output. Raises ReadError if there are too many files."""
    count = 0
    for folder, file_names in folders_below(top, PASSED_OVER - {CDK_OUTPUT}):
        if CDK_OUTPUT in folder.relative_to(top).parts:
            # What a stage of the app has is named in the manifest around it.
            if folder.name == CDK_OUTPUT and is_assembly(folder):
                yield folder
            continue
        count += len(file_names)
        if count > MAX_FILES:
            raise ReadError(
                Location(str(top)), f"has more than {MAX_FILES:,} files: name the templates in it"
            )
        for name in sorted(file_names):
            path = folder / name
            if (
                path.suffix in TEMPLATE_SUFFIXES
                and not name.startswith("serverless")
                and _is_template(path)
            ):
                yield path


def _is_template(path: Path) -> bool:
    """Whether a file has resources of AWS in it. What is too large for CloudFormation is none."""
    if path.is_symlink():
        return False
    try:
        content = read_bytes(path, MAX_BYTES)
    except (NotReadable, OSError):
        return False
    return is_template(content.decode("utf-8", "replace"))


def is_template(text: str) -> bool:
    """Whether a text has resources of AWS; a template in Jinja2 may take them all from macros in other files."""
    return ("AWS::" in text or "{%" in text) and RESOURCES.search(text) is not None
