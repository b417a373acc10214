"""What tests of several reports share."""

from pathlib import Path

import pytest

from tests.support.drift_projects import write


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the files in which the findings of ``tests/support/drift_reports.py`` lie."""
    return write(
        tmp_path,
        {
            ".git/HEAD": "",
            "infra/my services/a#b.yml": "",
            "infra/my services/more.yml": "",
            "infra/payments.yml": "",
            "code/list.js": "",
        },
    )
