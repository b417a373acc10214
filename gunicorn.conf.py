"""gunicorn's configuration, which it reads by itself when started in this folder (docs/operations.md).

Options on the command line, such as --bind, take precedence.
"""

import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from registry.env import JSON_LINES, boolean

if boolean("DEBUG", False):
    sys.exit(
        "DEBUG is set: gunicorn serves others, who must not see error pages with source code. Use `make run`."
    )

wsgi_app = "registry.wsgi:application"
bind = "127.0.0.1:8000"

# WEB_CONCURRENCY is gunicorn's own variable. The default is two processes for each core of a small machine. Each
# process has its own threads and its own pool of database connections.
workers = int(os.environ.get("WEB_CONCURRENCY", "4"))
# Threads that wait for no client: a request is given to one when it has arrived whole. Health checks have a thread of
# their own. With more than two, a thread that holds the registry's lock waits too long for Python's interpreter after
# each answer of the database. There are fewer threads than connections in the pool, so none waits for another's.
worker_class = "ownership.web.worker.BufferingWorker"
threads = 2
# Connections of one process, waiting ones included. Fewer than the 1,024 files that a process may usually have open.
worker_connections = 500

# The settings decide which proxy headers to trust (TRUST_PROXY, TRUSTED_PROXIES). gunicorn itself would trust any proxy
# on this machine, and let clients choose a part of the path and the address that the rate limit counts.
secure_scheme_headers = {}
forwarder_headers = ""

# The most that gunicorn allows: a search may be a pasted log line.
limit_request_line = 8190

# Seconds without a sign of life after which a process is replaced.
timeout = 30
# Seconds that running requests get when the server is told to stop. docker-compose.yml waits a little longer.
graceful_timeout = 25
# Longer than common proxies keep an idle connection. Otherwise they would send requests into closed ones.
keepalive = 75

# gunicorn's own lines are JSON, like the application's. It logs no requests: the application does, without the query.
logconfig_dict = {
    "formatters": {"generic": JSON_LINES},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["error_console"], "propagate": False},
        "gunicorn.access": {"level": "CRITICAL", "propagate": False},
    },
}

# For requests only: commands such as migrate, backup and verify_history may take their time.
os.environ.setdefault("DATABASE_TIMEOUT", "10")

if os.environ.get("METRICS_TOKEN"):
    # Where the processes combine their counts (ownership/operations/metrics.py).
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="registry-metrics-"))


def child_exit(server, worker):
    """Remove what an ended process reported about itself from the metrics. Its counts stay."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    """Delete the metrics."""
    shutil.rmtree(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""), ignore_errors=True)


# gunicorn's control socket would need a folder to write to; the container has only /tmp.
control_socket_disable = True
