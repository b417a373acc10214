"""Finds what may be deployed from a folder besides what the chosen reader reads there.

A project of the Serverless Framework whose folder also holds Terraform or a template that it does not include may get
permissions from those, which no line of the project shows.
"""

from collections.abc import Iterator
from pathlib import Path

from ownership.drift.readers.files import PASSED_OVER, Files, folders_below
from ownership.drift.readers.sam import TRANSFORM as SAM
from ownership.drift.readers.template_files import find_templates
from ownership.drift.types import ReadError

TERRAFORM_SUFFIXES = (".tf", ".tf.json", ".tofu", ".tofu.json")
IS_TERRAFORM = "is configuration of Terraform, which `drift terraform` reads as a plan"
IS_TEMPLATE = "is a template that no project includes, which `drift cloudformation` reads"
# What the templates state that are deployed by themselves; parts that projects include do not.
MARKS_OF_TEMPLATES = ("AWSTemplateFormatVersion", SAM)


def terraform_below(top: Path) -> Iterator[Path]:
    """The first file of Terraform or OpenTofu in each folder."""
    for folder, file_names in folders_below(top, PASSED_OVER):
        found = sorted(name for name in file_names if name.endswith(TERRAFORM_SUFFIXES))
        if found:
            yield folder / found[0]


def separate_templates_below(top: Path, files: Files) -> Iterator[Path]:
    """The templates that can be deployed by themselves, and the folders of CDK's output. Raises ReadError."""
    for path in find_templates(top):
        if path.is_dir() or (path not in files.included and _is_separate(path, files)):
            yield path


def _is_separate(path: Path, files: Files) -> bool:
    try:
        text = files.read_text(path)
    except ReadError:
        return True
    return any(mark in text for mark in MARKS_OF_TEMPLATES)
