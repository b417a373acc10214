"""What packages do with what they are given, and what can't be told, in Python."""

from pathlib import Path

import pytest

from tests.support.drift_code import BOTO, accesses, places, read_function

CASES: dict[str, tuple[str, set[str]]] = {
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


LOGGED = {
    "a method of a table": "table.scan",
    "a function": "load",
    "within a dict": '{"call": table.scan}',
}


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
    "texts of which only a part is known": (
        "def scan(name): client.scan(TableName=name)\n"
        "def main(event, context):\n    scan('a-{}'.format(event['x']))\n    scan('-'.join(['b', event['x']]))\n"
        "    scan('-'.join(event))\n    scan(os.environ['TABLE'][1:])\n    scan('c'.split()[0])\n"
        "    scan(os.environ[event['x']])\n    scan(f'{event}' or f'')\n    scan(~1)",
        set(),
        ["handler.py:13", "handler.py:5"],
    ),
    "values of the environment that are not what code takes them for": (
        "import json\ndef scan(name): client.scan(TableName=name)\n"
        "def main(event, context):\n    scan(json.loads(os.environ['TABLE'])['users'])\n"
        "    scan(os.environ['TABLE'].split('-')[9])\n    scan(os.environ['NOT_SET'].lower())",
        set(),
        ["handler.py:10", "handler.py:8", "handler.py:9"],
    ),
    "a client of a service that is not known": (
        "def main(event, context):\n    boto3.client(event['service']).put_item(TableName='a', Item={})\n"
        "    boto3.client(event['service']).put_item(Item={})",
        {"write a"},
        ["handler.py:7"],
    ),
    "keyword arguments from the event": (
        "def save(table='a', **more): resource.Table(table).put_item(Item=more)\n"
        "def main(event, context):\n    save(x=1)\n    save(**{'table': 'b'})\n    save(**event)",
        {"write a", "write b"},
        ["handler.py:5"],
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
def test_what_cannot_be_told_is_unresolved(
    tmp_path: Path, body: str, expected: set[str], where: list[str]
) -> None:
    models = "from dynamodb_mapper.model import DynamoDBModel\nclass Cat(DynamoDBModel):\n    __table__ = 'cats'\n"
    usage = read_function(tmp_path, {"handler.py": BOTO + body, "models.py": models})
    assert accesses(usage) == expected
    assert sorted(set(places(usage))) == where
