"""Modules of Python: a few small files each."""

from pathlib import Path

import pytest

from tests.support.drift_code import BOTO, accesses, places, read_function

MODULES: dict[str, tuple[dict[str, str], str, set[str]]] = {
    "relative imports in a package": (
        {
            "app/__init__.py": "",
            "app/api/__init__.py": "from ..db import save\n",
            "app/api/users.py": "from . import save\nfrom .. import names as n\ndef main(e, c): save(n.USERS)\n",
            "app/names.py": "USERS = 'a'\n",
            "app/db.py": BOTO + "def save(table): resource.Table(table).put_item(Item={})\n",
        },
        "app.api.users.main",
        {"write a"},
    ),
    "imports of whole modules": (
        {
            "handler.py": "import lib.db\nimport lib.names as names\nfrom lib.all import *\n"
            "def main(e, c):\n    lib.db.save(names.USERS)\n    everything()\n",
            "lib/db.py": BOTO + "def save(table): resource.Table(table).put_item(Item={})\n",
            "lib/names.py": "USERS = 'a'\n",
            "lib/all.py": BOTO + "def everything(): client.scan(TableName='b')\n",
        },
        "handler.main",
        {"write a", "read b"},
    ),
    "cyclic imports": (
        {
            "handler.py": "import a\ndef main(e, c): a.run()\n",
            "a.py": "import b\nTABLE = 't'\ndef run(): b.scan()\n",
            "b.py": BOTO + "import a\ndef scan(): client.scan(TableName=a.TABLE)\n",
        },
        "handler.main",
        {"read t"},
    ),
    "a library elsewhere in the repository": (
        {
            "handler.py": "from common.store import save\ndef main(e, c): save()\n",
            "libraries/common/src/common/__init__.py": "",
            "libraries/common/src/common/store.py": BOTO
            + "def save(): client.put_item(TableName='a')\ndef unused(): client.scan(TableName='b')\n",
        },
        "handler.main",
        {"write a"},
    ),
    "a module by a part of its name": (
        {
            "handler.py": "import importlib\ndef main(e, c): importlib.import_module('actions.' + e['name']).run()\n",
            "actions/__init__.py": "",
            "actions/one.py": BOTO + "def run(): client.scan(TableName='a')\n",
            "actions/two.py": BOTO + "def run(): client.put_item(TableName='b')\n",
        },
        "handler.main",
        {"read a", "write b"},
    ),
    "a module that takes all of another": (
        {
            "handler.py": BOTO + "import names\nfrom names import *\n"
            "def main(e, c):\n    for name in (names.USERS, ORDERS): client.scan(TableName=name)\n",
            "names.py": "from other import *\n__all__ = ['USERS', 'ORDERS']\nORDERS = 'b'\n",
            "other.py": "USERS = 'a'\n",
        },
        "handler.main",
        {"read a", "read b"},
    ),
    "settings that another module sets": (
        {
            "handler.py": BOTO + "import settings\nsettings.TABLE = 'a'\n"
            "def main(e, c): client.scan(TableName=settings.TABLE)\n",
            "settings.py": "TABLE = None\n",
        },
        "handler.main",
        {"read a"},
    ),
    "an import when it is needed": (
        {
            "handler.py": "def main(e, c):\n    from store import save\n    save()\n",
            "store.py": BOTO + "def save(): client.put_item(TableName='a')\n",
        },
        "handler.main",
        {"write a"},
    ),
}


@pytest.mark.parametrize(("files", "handler", "expected"), MODULES.values(), ids=MODULES)
def test_modules_are_followed(
    tmp_path: Path, files: dict[str, str], handler: str, expected: set[str]
) -> None:
    usage = read_function(tmp_path, files, handler)
    assert accesses(usage) == expected
    assert places(usage) == []


def test_a_module_that_may_be_one_of_several_is_unresolved(tmp_path: Path) -> None:
    files = {
        "handler.py": "from common.db import load\ndef main(e, c): load()\n",
        "x/common/db.py": BOTO + "def load(): client.scan(TableName='a')\n",
        "y/common/db.py": BOTO + "def load(): client.scan(TableName='b')\n",
    }
    usage = read_function(tmp_path, files)
    assert accesses(usage) == set()
    [unresolved] = usage.unresolved
    assert unresolved.reason == (
        "calls common.db, which may be any of x/common/db.py, y/common/db.py"
    )
