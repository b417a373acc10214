"""How gunicorn serves the registry; it reads this file by itself when started here (docs/operations.md).

Options on the command line, such as --bind, come before what stands here.
"""

import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from registry.env import JSON_LINES, boolean

if boolean("DEBUG", False):
    sys.exit("DEBUG is set: gunicorn serves others, who must not see error pages with source code. Use `make run`.")

wsgi_app = "registry.wsgi:application"
bind = "127.0.0.1:8000"

# gunicorn's own variable: two for each core of a small machine. Each process has its own threads and its own pool of
# database connections.
workers = int(os.environ.get("WEB_CONCURRENCY", "4"))
# With threads, a request that waits for a slow reader or for a database that is away does not at once hold up the
# others, /livez among them. With more than two, one that holds the registry's lock waits too long for Python's
# interpreter after each answer of the database. They are fewer than the pool's connections: none waits for another's.
worker_class = "gthread"
threads = 2

# What a proxy says in headers is for the settings to believe or not (TRUST_PROXY, TRUSTED_PROXIES). gunicorn itself
# would believe whoever's proxy is on this machine, and let clients choose what part of an address routes and rates see.
secure_scheme_headers = {}
forwarder_headers = ""

# The most that gunicorn takes: a search may be a pasted line of a log.
limit_request_line = 8190

# A process that makes no sign of life for this long is replaced, in seconds.
timeout = 30
# What a request under way gets when the server is told to stop; docker-compose.yml waits a little longer.
graceful_timeout = 25
# Longer than common proxies keep an idle connection, or they would send a request into one that was just closed.
keepalive = 75

# Its own lines are JSON as the application's are. It logs no requests: the application does, without their queries.
logconfig_dict = {
    "formatters": {"generic": JSON_LINES},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["error_console"], "propagate": False},
        "gunicorn.access": {"level": "CRITICAL", "propagate": False},
    },
}

# Commands (migrate, backup, verify_history) may take their time; answers may not.
os.environ.setdefault("DATABASE_TIMEOUT", "10")

if os.environ.get("METRICS_TOKEN"):
    # Where the processes put their counts together (ownership/operations/metrics.py).
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="registry-metrics-"))


def child_exit(server, worker):
    """Take what a process that ended says of itself out of the metrics; its counts stay."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    """Leave no metrics behind."""
    shutil.rmtree(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""), ignore_errors=True)


# The socket for `gunicornc` would need a place to write; the container has none but /tmp.
control_socket_disable = True
