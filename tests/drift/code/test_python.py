"""Names, functions and classes in Python: one small handler each."""

from pathlib import Path

import pytest

from tests.support.drift_code import BOTO, accesses, places, read_function

CASES: dict[str, tuple[str, set[str]]] = {
    "names": (
        """
PREFIX = "t"
NAMES = {"a": f"{PREFIX}-a", "b": PREFIX + "-" + "b"}
FIRST, *REST = ["t-c", "t-d"]
def scan(name): resource.Table(name).scan()
def main(event, context):
    scan(NAMES["a"])
    scan(NAMES.get("b", "no"))
    scan(FIRST)
    for name in REST: scan(name)
    scan("%s-%s" % (PREFIX, "e"))
    scan("%(p)s-f" % {"p": PREFIX})
    scan("{}-{x}".format(PREFIX, x="g"))
    scan("-".join([PREFIX, "h"]))
    scan("T-I".lower())
    [scan(name) for name in ("t-j",)]
    {key: scan(value) for key, value in {"x": "t-k"}.items()}
""",
        {f"read t-{letter}" for letter in "abcdefghijk"},
    ),
    "environment": (
        """
from os import environ, getenv
def scan(name): resource.Table(name).scan()
def main(event, context):
    scan(os.environ["TABLE"])
    scan(environ.get("NOBODY", "a"))
    scan(getenv("NOBODY") or f"b-{environ['STAGE']}")
    scan(os.getenv("ORDERS"))
""",
        {"read users", "read a", "read b", "read OrdersTable"},
    ),
    "settings": (
        """
from dataclasses import dataclass, field
from typing import NamedTuple
from pydantic_settings import BaseSettings

@dataclass
class Config:
    users: str
    orders: str = "b"

class Pair(NamedTuple):
    table: str
    key: str

class Settings(BaseSettings):
    table: str
    nobody: str = "d"

config = Config(users="a")
settings = Settings()
def main(event, context):
    resource.Table(config.users).scan()
    resource.Table(config.orders).scan()
    resource.Table(Pair("c", "k").table).scan()
    resource.Table(settings.table).scan()
    resource.Table(settings.nobody).scan()
""",
        {"read a", "read b", "read c", "read users", "read d"},
    ),
    "enumerations": (
        """
from enum import Enum
class Tables(str, Enum):
    USERS = "a"
    ORDERS = "b"
def main(event, context):
    resource.Table(Tables.USERS.value).scan()
    resource.Table(Tables.ORDERS).scan()
    for table in Tables:
        resource.Table(table.value).put_item(Item={})
""",
        {"read a", "read b", "write a", "write b"},
    ),
    "classes": (
        """
class Base:
    table_name = None
    def __init__(self, dynamodb=None):
        self.dynamodb = dynamodb or resource
    @property
    def table(self):
        return self.dynamodb.Table(self.table_name)
    def get(self, key):
        return self.table.get_item(Key=key)
    @classmethod
    def make(cls):
        return cls()
    @staticmethod
    def other():
        return client.scan(TableName="c")

class Users(Base):
    table_name = "a"
    def get(self, key):
        self.other()
        return super().get(key)

class Orders(Base):
    table_name = "b"
    def __init__(self):
        super().__init__(boto3.resource("dynamodb"))
    def put(self, item):
        self.table.put_item(Item=item)

def main(event, context):
    Users.make().get({})
    Orders().put({})
""",
        {"read a", "read c", "write b"},
    ),
    "names in classes": (
        """
class Model:
    table_name = ""
    def __init__(self, **values): self.__dict__.update(values)
    def save(self): resource.Table(self.__class__.table_name).put_item(Item={})
    def load(self): return resource.Table(type(self).table_name).get_item(Key={})
    @classmethod
    def all(cls): return resource.Table(cls.table_name).scan()
class Cat(Model):
    table_name = "a"
    def __init__(self, name):
        super(Cat, self).__init__(name=name)
class Dog(Model):
    table_name = os.environ["TABLE"]
HANDLERS = {"cat": lambda event: Cat(event["name"]).save(), "dog": Dog.all}
def main(event, context):
    try:
        handler = HANDLERS[event["kind"]]
    except KeyError:
        return None
    else:
        return handler(event)
""",
        {"write a", "read users"},
    ),
    "imports that may fail": (
        """
try:
    from nowhere import table_of
except ImportError:
    def table_of(name): return resource.Table(f"t-{name}")
def main(event, context):
    table_of("a").scan()
""",
        {"read t-a"},
    ),
    "decorators": (
        """
import functools
from somewhere import traced, retry
def with_table(name):
    def decorator(function):
        @functools.wraps(function)
        def wrapper(event, context):
            return function(event, resource.Table(name))
        return wrapper
    return decorator

@traced
@retry(stop=3)
def save(table): table.put_item(Item={})

@with_table("a")
def main(event, table):
    save(table)
""",
        {"write a"},
    ),
    "made when it is needed": (
        """
from functools import lru_cache
_table = None
def table():
    global _table
    if _table is None:
        _table = resource.Table("a")
    return _table
@lru_cache
def other(): return resource.Table("b")
def main(event, context):
    table().scan()
    other().scan()
""",
        {"read a", "read b"},
    ),
    "generators and context managers": (
        """
from contextlib import contextmanager
@contextmanager
def opened(name):
    yield resource.Table(name)
def tables():
    yield "b"
    yield from ["c"]
def main(event, context):
    with opened("a") as table:
        table.scan()
    for name in tables():
        resource.Table(name).scan()
""",
        {"read a", "read b", "read c"},
    ),
    "match": (
        """
def run(action, table):
    match action:
        case "get": return client.get_item(TableName=table)
        case "put" | "add": return client.put_item(TableName=table)
def main(event, context):
    run("get", "a")
    run("add", "b")
""",
        {"read a", "write b"},
    ),
    "comments, texts, scripts and what is not called": (
        """
def main(event, context):
    '''client.scan(TableName="a")'''
    # client.scan(TableName="b")
def unused(): client.scan(TableName="c")
if __name__ == "__main__":
    unused()
""",
        set(),
    ),
    "items of instances": (
        """
class Tables:
    def __getitem__(self, name): return resource.Table(name)
    def __setitem__(self, key, item): resource.Table("b").put_item(Item=item)
    def __delitem__(self, key): resource.Table("c").delete_item(Key=key)
    def __getattr__(self, name): return resource.Table("attribute-" + name)
def main(event, context):
    tables = Tables()
    tables["a"].scan()
    tables[event["key"]] = event
    del tables[event["key"]]
    tables.d.scan()
""",
        {"read a", "write b", "write c", "read attribute-d"},
    ),
    "generic classes and data classes": (
        """
from dataclasses import dataclass, field
from typing import Generic, TypeVar
T = TypeVar("T")
@dataclass
class Settings:
    prefix: str = field(default_factory=lambda: "shop")
@dataclass
class More(Settings):
    name: str = "a"
    def __post_init__(self): self.table = resource.Table(self.prefix + "-" + self.name)
class Store(Generic[T]):
    name = ""
    def all(self): return client.scan(TableName=self.name)
class Users(Store[int]):
    name = "b"
def main(event, context):
    More().table.scan()
    More("x", "c").table.scan()
    Users().all()
""",
        {"read shop-a", "read x-c", "read b"},
    ),
    "an enumeration with properties": (
        """
from enum import Enum
class Table(str, Enum):
    USERS = "users"
    @property
    def full(self): return "my-" + self.value
    def index(self): return f"{self}-index"
def full_name(table):
    return table.full if isinstance(table, Table) else "other-" + table
def main(event, context):
    client.scan(TableName=Table.USERS.full)
    client.scan(TableName=Table.USERS.index())
    client.get_item(TableName=full_name("x"))
    client.put_item(TableName=full_name(Table("y")))
""",
        {"read my-users", "read users-index", "read other-x", "write my-y"},
    ),
    "methods by a name that is put together": (
        """
import sys
class Chat:
    def on_open(self): client.put_item(TableName="a")
    def on_close(self): client.delete_item(TableName="b")
    def other(self): client.scan(TableName="c")
def do_get(): client.scan(TableName="d")
def do_put(): client.put_item(TableName="e")
def be(): client.put_item(TableName="f")
def main(event, context):
    getattr(Chat(), "on_" + event["action"])()
    globals()[f"do_{event['method']}"]()
""",
        {"write a", "write b", "read d", "write e"},
    ),
    "a dict with a method's name as key": (
        """
def read(): client.scan(TableName="a")
def write(): client.put_item(TableName="b")
ACTIONS = {"get": read, "update": write}
def main(event, context):
    ACTIONS.get(event["action"])()
""",
        {"read a", "write b"},
    ),
    "a part of an environment variable": (
        """
import json
def main(event, context):
    arn = os.environ["TABLE"]
    client.scan(TableName=f"x/{arn}".split("/")[1])
    client.get_item(TableName=f"y/{arn}".split("/")[-1])
    names = json.loads('{"users": "' + arn + '"}')
    client.put_item(TableName=names["users"])
    client.scan(TableName=os.environ["STAGE"].upper())
""",
        {"read users", "write users", "read DEV"},
    ),
    "bases in their order, and setters": (
        """
class A:
    def table(self): return "a"
class B:
    def table(self): return "b"
    @property
    def kept(self): return self._kept
    @kept.setter
    def kept(self, name): self._kept = resource.Table(name)
    def all(self):
        self.kept = "kept"
        self.kept.scan()
        client.scan(TableName=self.table())
class C(A, B):
    def all(self): super().all()
def main(event, context): C().all()
""",
        {"read a", "read kept"},
    ),
    "classes that know each other": (
        """
class Base:
    registry = {}
    only = None
    def __init_subclass__(cls, **kwargs): Base.registry[cls.__name__] = cls
    def __new__(cls):
        if cls.only is None:
            cls.only = super().__new__(cls)
            cls.only.more = "more"
        return cls.only
    def all(self): client.scan(TableName=self.table); client.put_item(TableName=self.more)
class Users(Base): table = "a"
class Orders(Base): table = "b"
def main(event, context):
    Base.registry[event["key"]]().all()
    for cls in Base.__subclasses__(): cls().all()
""",
        {"read a", "read b", "write more"},
    ),
    "classes as older code has them": (
        """
import sys
class Base(object):
    def __init__(self, name): self._name = name
    @property
    def name(self): return self._name
    @name.setter
    def name(self, value): self._name = value
    @name.deleter
    def name(self): del self._name
class Users(Base):
    def __init__(self):
        parent = super(Users, self)
        super(Users, self).__init__("a")
class Call(object):
    kind = "b"
    def __call__(self, suffix): return resource.Table(self.kind + suffix).scan()
def main(event, context):
    resource.Table(Users().name).scan()
    sys.modules[__name__].nothing = 1
    Call()("-c")
""",
        {"read a", "read b-c"},
    ),
    "super in class methods": (
        """
class Base:
    table = "a"
    @classmethod
    def make(cls): return cls()
    @classmethod
    def name(cls): return cls.table
class Users(Base):
    table = "b"
    @classmethod
    def make(cls):
        resource.Table(super().name()).put_item(Item={})
        return super().make()
    def all(self):
        return resource.Table(self.table).scan()
class Plain:
    def all(self):
        super().all()
        return resource.Table("c").scan()
def main(event, context):
    Users.make().all()
    Plain().all()
""",
        {"read b", "write b", "read c"},
    ),
    "texts that are changed": (
        """
def scan(name): resource.Table(name).scan()
def main(event, context):
    scan(" a ".strip())
    scan(os.environ["TABLE"].strip())
    scan("B".lower() + "x-y-z".replace("-", "_"))
    scan("{0}-{1}".format("c", "d"))
    scan("%s-%s" % ("d", os.environ["ORDERS"]))
    scan((os.environ["TABLE"] + "-%s") % "e")
    scan(f"{'f'!s}{''}")
    scan(os.environ["TABLE"].upper())
    scan("t" * 2 if False else "g")
    scan(f"h-{-1}-{1.5}")
""",
        {
            "read a",
            "read users",
            "read bx_y_z",
            "read c-d",
            "read d-OrdersTable",
            "read users-dev-e",
            "read f",
            "read USERS",
            "read g",
            "read h--1-1.5",
        },
    ),
    "names that are chosen": (
        """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from nowhere import Nothing
def scan(name): resource.Table(name).scan()
def name_of(kind):
    if kind == "a": return "no"
    elif kind == "b": return "b"
    elif kind == "c": return "no"
    return "no"
def main(event, context):
    assert event
    scan(name_of("b"))
    while (table := "c"):
        scan(table)
        if event: break
    else:
        scan("d")
    number = 1
    number -= 1
    match event["kind"]:
        case "x" | "y": table = "e"
        case "z" | [1]: table = "f"
        case {"w": 1}: table = "g"
        case _: table = "h"
    scan(table)
    names = {"i": 1}
    del names["i"], number
    for name in names: scan(name)
    scan("j" if os.environ["STAGE"] in ("dev", "prod") else "k")
""",
        {f"read {letter}" for letter in "bcdefghijk"},
    ),
    "types in annotations": (
        """
from typing import Annotated, Optional
class Table:
    def __init__(self, name): self.name = name
    def scan(self): resource.Table(self.name).scan()
class A(Table):
    def __init__(self): self.name = "a"
class B(Table):
    def __init__(self): self.name = "b"
class C(Table):
    def __init__(self): self.name = "c"
class D(Table):
    def __init__(self): self.name = "d"
def run(a: "A", b: Optional[B], *, c: C | None, d: Annotated[D, 1]):
    for table in (a, b, c, d): table.scan()
def main(event, context):
    run(event["a"], event["b"], c=event["c"], d=event["d"])
""",
        {"read a", "read b", "read c", "read d"},
    ),
    "what is known of an instance's class": (
        """
class A: name = "a"
class B(A): name = "b"
def scan(name): resource.Table(name).scan()
def main(event, context):
    scan("c" if isinstance(B(), A) else "no")
    scan("no" if isinstance("x", A) else "d")
    scan("e" if isinstance(event, A) else "f")
    scan(type(B()).name)
""",
        {f"read {letter}" for letter in "bcdef"},
    ),
    "variables of the environment by a name in a variable": (
        """
settings = os.environ.copy()
def main(event, context):
    for name in ("TABLE", "ORDERS"):
        resource.Table(settings[name]).scan()
        resource.Table(os.environ.get(name, "other")).put_item(Item={})
""",
        {"read users", "read OrdersTable", "write users", "write OrdersTable"},
    ),
}


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES)
def test_accesses_are_found(tmp_path: Path, body: str, expected: set[str]) -> None:
    usage = read_function(tmp_path, {"handler.py": BOTO + body})
    assert accesses(usage) == expected
    assert places(usage) == []
    assert usage.errors == ()
