"""Django's configuration of a database, from its URL."""

from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from registry import env

POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"
CURE = (
    "Set it to postgresql://user:password@host:5432/name (special characters of the password percent-encoded) "
    "or sqlite:////absolute/path."
)


def configure(url: str, variable: str = "DATABASE_URL") -> dict[str, Any]:
    """PostgreSQL with a connection pool, or SQLite made safe for several writers.

    ``variable`` is the environment variable that errors name.
    """
    try:
        config = _parse(url)
    except (dj_database_url.ParseError, ValueError):
        # Without the parser's message, which may quote a part of the password.
        raise ImproperlyConfigured(f"{variable} is not the URL of a database. {CURE}") from None
    config.setdefault("OPTIONS", {})
    if config["ENGINE"] == POSTGRESQL:
        _configure_postgresql(config)
    elif config["ENGINE"] == SQLITE:
        _configure_sqlite(config)
    else:
        raise ImproperlyConfigured(f"{variable} names a database that is not supported. {CURE}")
    return config


def _parse(url: str) -> dict[str, Any]:
    """The URL's parts. ``postgresql://user@first:5432,second:5432/name`` has several hosts; libpq finds one that works.

    dj_database_url knows a single host, so the others are cut out of the URL and put back into the result.
    """
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    _, comma, other_hosts = hosts.partition(",")
    if not comma:
        return dict(dj_database_url.parse(url))
    with_first_host = parts._replace(netloc=parts.netloc.removesuffix(comma + other_hosts))
    config: dict[str, Any] = dict(dj_database_url.parse(with_first_host.geturl()))
    names = []
    ports = []
    for host in hosts.split(","):
        address = urlsplit(f"//{host}")
        names.append(unquote(address.hostname or ""))
        ports.append(str(address.port or 5432))
    config["HOST"] = ",".join(names)
    config["PORT"] = ",".join(ports)
    return config


def _configure_postgresql(config: dict[str, Any]) -> None:
    options = config["OPTIONS"]
    options.setdefault("connect_timeout", 2)
    # lock_timeout: a save that waits longer gets an answer that names who is saving (ownership/history/lock.py).
    # jit: compiling a query takes seconds, and none of ours runs that long.
    limits = "-c lock_timeout=5s -c jit=off"
    patience = env.integer("DATABASE_TIMEOUT", 0)
    if patience:
        # A transaction that stays open holds the registry's lock: its process hangs, or its machine is gone.
        limits += (
            f" -c statement_timeout={patience}s -c idle_in_transaction_session_timeout={patience}s"
        )
    options["options"] = f"{options.get('options', '')} {limits}".strip()

    pool_size = env.integer("DATABASE_POOL_SIZE", 4)
    if pool_size:
        # timeout: how long a request or a probe waits for a connection while the database is away.
        # reconnect_timeout: the pool waits longer after each failure. With its default of five minutes it would take
        # minutes to notice that the database is back. If it gives up early, the next request tries again.
        pool: dict[str, Any] = {
            "min_size": 1,
            "max_size": pool_size,
            "timeout": 1.5,
            "reconnect_timeout": 3,
        }
        if patience:
            # psycopg takes a tenth of a second to load, which commands on SQLite need not wait for.
            from registry.postgresql import bounded

            # Longer than the server's own limit, so that the server can still report that it was reached.
            pool["connection_class"] = bounded(patience + 1)
        options["pool"] = pool
        # A connection that broke while it was idle in the pool is replaced before a request gets it.
        config["CONN_HEALTH_CHECKS"] = True


def _configure_sqlite(config: dict[str, Any]) -> None:
    options = config["OPTIONS"]
    # A transaction that first reads and then writes would fail at once if another writer came first. IMMEDIATE takes
    # the write lock at the beginning, so that it waits instead, up to the timeout in seconds.
    options["transaction_mode"] = "IMMEDIATE"
    options["timeout"] = 20
    options["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON"
    )
    # A thread keeps its connection: opening and configuring one takes longer than most answers.
    config["CONN_MAX_AGE"] = None
