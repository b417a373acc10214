"""Calls and names in Python: one small handler each."""

from pathlib import Path

import pytest

from tests.support.drift_code import accesses, places, read_function

BOTO = """\
import os
import boto3
resource = boto3.resource("dynamodb")
client = boto3.client("dynamodb")
"""

CASES: dict[str, tuple[str, set[str]]] = {
    "client": (
        """
def main(event, context):
    client.get_item(TableName="a", Key={})
    client.batch_write_item(RequestItems={"b": [], os.environ["TABLE"]: []})
    client.transact_write_items(TransactItems=[{"Put": {"TableName": "c"}}, {"ConditionCheck": {"TableName": "d"}}])
    client.describe_table(TableName="z")
""",
        {"read a", "write b", "write users", "write c", "read d"},
    ),
    "resource and table": (
        """
table = resource.Table("a")
def main(event, context):
    table.put_item(Item={}, ReturnValues="ALL_OLD")
    with table.batch_writer() as batch:
        batch.delete_item(Key={})
    resource.batch_get_item(RequestItems={"b": {"Keys": []}})
    table.meta.client.query(TableName="c")
    print(table.name, table.item_count)
""",
        {"write a", "read b", "read c"},
    ),
    "sessions and other services": (
        """
session = boto3.session.Session(profile_name="x")
dynamo = session.client(service_name="dynamodb")
s3 = boto3.client("s3")
def main(event, context):
    s3.put_object(Bucket="b", Key="k")
    boto3.client("sqs").delete_message(QueueUrl="q")
    dynamo.scan(TableName="a")
""",
        {"read a"},
    ),
    "paginator": (
        """
def main(event, context):
    paginator = client.get_paginator("query")
    for page in paginator.paginate(TableName="a", IndexName="i"):
        print(page)
""",
        {"read a"},
    ),
    "PartiQL": (
        """
def main(event, context):
    client.execute_statement(Statement='SELECT * FROM "a"."i" WHERE x = ?')
    client.batch_execute_statement(Statements=[{"Statement": "INSERT INTO b VALUE {}"}])
    client.execute_transaction(TransactStatements=[{"Statement": f"UPDATE {os.environ['TABLE']} SET x = 1"}])
""",
        {"read a", "write b", "write users"},
    ),
    "keyword dictionaries": (
        """
def search(**kwargs):
    return client.query(**kwargs)

def main(event, context):
    arguments = {"TableName": "a"}
    if event.get("last"):
        arguments["ExclusiveStartKey"] = event["last"]
    client.scan(**arguments)
    search(TableName="b", **event)
    search(**dict(TableName="c"))
""",
        {"read a", "read b", "read c"},
    ),
    "positional and keyword arguments": (
        """
def save(item, *, table="a", **more):
    resource.Table(table).put_item(Item=item, **more)

def load(table, key, /, consistent=True):
    return resource.Table(table).get_item(Key=key)

def forward(function, *args, **kwargs):
    return function(*args, **kwargs)

def main(event, context):
    save({})
    save({}, table="b")
    load("c", {})
    forward(save, {}, table="d")
    forward(load, "e", {}, consistent=False)
""",
        {"write a", "write b", "read c", "write d", "read e"},
    ),
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
    "instances that are handed in": (
        """
from abc import ABC, abstractmethod
class Store(ABC):
    @abstractmethod
    def save(self, item): ...
class Dynamo(Store):
    def __init__(self, table): self.table = table
    def save(self, item): self.table.put_item(Item=item)
class Service:
    def __init__(self, store: Store): self.store = store
    def __call__(self, event): self.store.save(event)
service = Service(Dynamo(resource.Table("a")))
def main(event, context):
    return service(event)
""",
        {"write a"},
    ),
    "instances that a container makes": (
        """
import injector
class Repository:
    def save(self, item): resource.Table("a").put_item(Item=item)
class Service:
    def __init__(self, repository: Repository): self.repository = repository
    def run(self, event): self.repository.save(event)
def main(event, context):
    return injector.Injector().get(Service).run(event)
""",
        {"write a"},
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
    "dependencies of an application": (
        """
from fastapi import APIRouter, Depends, FastAPI
from mangum import Mangum
app = FastAPI()
router = APIRouter(prefix="/users")
class Users:
    def __init__(self, name: str): self.table = resource.Table(name)
    def all(self): return self.table.scan()
def users() -> Users: return Users("a")
@router.get("/")
async def everybody(limit: int = 10, repository: Users = Depends(users)):
    return repository.all()
app.include_router(router)
main = Mangum(app, lifespan="off")
""",
        {"read a"},
    ),
    "decorators that only wrap": (
        """
from aws_lambda_powertools import Tracer
from threading import Thread
tracer = Tracer()
@tracer.capture_method
def unused(): client.scan(TableName="a")
@tracer.capture_method(capture_response=False)
def save(table): client.put_item(TableName=table)
@tracer.capture_lambda_handler
def main(event, context):
    tracer.put_annotation(key="x", value=1)
    with tracer.provider.in_subsegment("x"):
        Thread(target=save, args=("b",)).start()
""",
        {"write b"},
    ),
    "an application of a package": (
        """
from flask import Flask, Blueprint
from mangum import Mangum
app = Flask(__name__)
pages = Blueprint("pages", __name__)
@pages.route("/users")
def users(): return resource.Table("a").scan()
@app.errorhandler(404)
def missing(error): return "", 404
app.register_blueprint(pages)
main = Mangum(app)
""",
        {"read a"},
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
    "threads and partials": (
        """
from concurrent.futures import ThreadPoolExecutor
from functools import partial
def save(table, item): resource.Table(table).put_item(Item=item)
def main(event, context):
    with ThreadPoolExecutor() as pool:
        pool.submit(save, "a", {})
        list(pool.map(partial(save, "b"), event["items"]))
    list(map(lambda table: save(table, {}), ["c"]))
    getattr(resource.Table("d"), "scan")()
""",
        {"write a", "write b", "write c", "read d"},
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
    "what is not processed is sent again": (
        """
def main(event, context):
    request = {"a": []}
    while request:
        request = client.batch_write_item(RequestItems=request).get("UnprocessedItems")
""",
        {"write a"},
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
    "functions and tables that a package gets": (
        """
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import SimpleNamespace
from tenacity import Retrying
Names = namedtuple("Names", "users orders")
names = Names("users", orders="orders")
more = SimpleNamespace(stock="stock")
def save(table): resource.Table(table).put_item(Item={})
def main(event, context):
    with ThreadPoolExecutor() as pool, ExitStack() as stack:
        list(pool.map(save, [names.users, names.orders]))
        stack.enter_context(resource.Table(more.stock).batch_writer()).put_item(Item={})
    Retrying()(resource.Table("retried").delete_item, Key={})
""",
        {"write users", "write orders", "write stock", "write retried"},
    ),
    "variables by name, and a client made once": (
        """
names = {key: os.environ.get(key) for key in ("TABLE", "ORDERS")}
made = None
def connect():
    global made
    made = boto3.client("dynamodb")
def main(event, context):
    if made is None: connect()
    made.scan(TableName=names["TABLE"])
    made.get_item(TableName="orders-STAGE".replace("STAGE", os.environ["STAGE"]))
""",
        {"read users", "read orders"},
    ),
    "models of PynamoDB": (
        """
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
class Base(Model):
    id = UnicodeAttribute(hash_key=True)
class User(Base):
    class Meta:
        table_name = os.environ["TABLE"]
class Order(Base):
    class Meta:
        table_name = "orders"
def main(event, context):
    user = User.get(event["id"])
    user.save()
    for order in Order.query(event["id"]):
        order.update(actions=[])
""",
        {"read users", "write users", "read orders", "write orders"},
    ),
    "what Lambda Powertools keeps": (
        """
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent
@idempotent(persistence_store=DynamoDBPersistenceLayer(table_name="done"))
def main(event, context): client.scan(TableName="a")
""",
        {"read a", "read done", "write done"},
    ),
    "iterators, and operations by name": (
        """
from functools import reduce
from itertools import chain
def call(operation, name, **parameters):
    table = resource.Table(name)
    return {"get": table.get_item, "put": table.put_item}[operation](**parameters)
def main(event, context):
    for name in chain(filter(None, [os.getenv("TABLE")]), ["b"]):
        call("put", name, Item={})
    call("get", "c", Key={})
    reduce(lambda found, name: found or client.scan(TableName=name), ["d"], None)
""",
        {"write users", "write b", "read c", "read d"},
    ),
    "a decorator with a function": (
        """
from aws_lambda_powertools.utilities.batch import BatchProcessor, batch_processor
processor = BatchProcessor()
def handle(record): client.put_item(TableName="a")
@batch_processor(record_handler=handle, processor=processor)
def main(event, context): return processor.response()
""",
        {"write a"},
    ),
}


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES)
def test_accesses_are_found(tmp_path: Path, body: str, expected: set[str]) -> None:
    usage = read_function(tmp_path, {"handler.py": BOTO + body})
    assert accesses(usage) == expected
    assert places(usage) == []
    assert usage.errors == ()


UNRESOLVED: dict[str, tuple[str, set[str], list[str]]] = {
    "a table from the event": (
        "def main(event, context): resource.Table(event['table']).scan()",
        set(),
        ["handler.py:5"],
    ),
    "a table from a file": (
        "def main(event, context): client.put_item(TableName=open('/etc/name').read())",
        set(),
        ["handler.py:5"],
    ),
    "a table of something unknown": (
        "from elsewhere import table\ndef main(event, context): table.put_item(Item={})",
        set(),
        ["handler.py:6"],
    ),
    "a library with models of its own": (
        "from models import Cat\ndef main(event, context): Cat.get('tom')",
        set(),
        ["handler.py:6"],
    ),
    "a module that can't be told": (
        "import importlib\ndef main(event, context): importlib.import_module(event['m']).run()",
        set(),
        ["handler.py:6"],
    ),
    "a syntax error": (
        "def main(event, context)\n    pass",
        set(),
        ["handler.py:5", "serverless.yml:9"],
    ),
}


@pytest.mark.parametrize(("body", "expected", "where"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_what_cannot_be_told_is_unresolved(tmp_path: Path, body: str, expected: set[str], where: list[str]) -> None:
    models = "from dynamodb_mapper.model import DynamoDBModel\nclass Cat(DynamoDBModel):\n    __table__ = 'cats'\n"
    usage = read_function(tmp_path, {"handler.py": BOTO + body, "models.py": models})
    assert accesses(usage) == expected
    assert sorted(set(places(usage))) == where


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
def test_modules_are_followed(tmp_path: Path, files: dict[str, str], handler: str, expected: set[str]) -> None:
    usage = read_function(tmp_path, files, handler)
    assert accesses(usage) == expected
    assert places(usage) == []


LOGGED = {"a method of a table": "table.scan", "a function": "load", "within a dict": '{"call": table.scan}'}


@pytest.mark.parametrize("value", LOGGED.values(), ids=LOGGED)
def test_what_is_handed_to_a_logger_is_not_called(tmp_path: Path, value: str) -> None:
    text = f"""
import logging
import boto3
logger = logging.getLogger(__name__)
table = boto3.resource("dynamodb").Table("users")
def load():
    table.scan()
def main(event, context):
    logger.debug("%s", {value})
"""
    assert accesses(read_function(tmp_path, {"handler.py": text})) == set()
