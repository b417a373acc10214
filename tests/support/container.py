"""Builds the image and runs what docker-compose.yml describes, without a container engine: ``make container``, as root.

buildah builds with chroot isolation. The images that the Dockerfile begins with can't be had without a registry, so
debootstrap makes stand-ins of the same Debian; the one for PostgreSQL's has Debian's own, older client programs. Then
each service of docker-compose.yml starts in its order, by its own command and with its environment, in a network of its
own that nothing outside reaches. The database is the machine's own PostgreSQL and the proxy its own nginx; the others
run in the image, as its user, on a root file system that is read-only, without any privilege.

The first run takes some ten minutes; the stand-ins stay in var/container. Where something is missing, it says so, and
fails only if REQUIRE_CONTAINER=1. Not tried here: an engine's own part, such as its networks, volumes and restarts.
"""

import http.client
import json
import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.postgres import server_binaries

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var/container"
PYTHON, POSTGRES = (
    "docker.io/library/python:3.13-slim-trixie",
    "docker.io/library/postgres:18-trixie",
)
IMAGE = "localhost/ownership-registry"
MIRROR = "http://deb.debian.org/debian"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
INSIDE = "CONTAINER_NETWORK"  # set in the process that has a network of its own
PROGRAMS = ("buildah", "debootstrap", "nginx", "openssl", "curl", "unshare", "ip")
ENVIRONMENT = {
    "SECRET_KEY": "for this check alone, and long enough to be one",
    "ALLOWED_HOSTS": "localhost",
    "POSTGRES_PASSWORD": "owner",
    "WEB_POSTGRES_PASSWORD": "web",
    "ANONYMOUS_READ": "1",
    "TRUSTED_PROXIES": "127.0.0.1",
    "COMPOSE_PROFILES": "proxy",
    "SERVER_NAME": "localhost",
}
TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE


def say(text: str) -> None:
    """A line of the report."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def buildah(*arguments: str, **more: Any) -> str:
    """What buildah prints. It keeps its images here, apart from those of the machine."""
    places = [
        "--root",
        f"{FOLDER}/storage",
        "--runroot",
        f"{FOLDER}/run",
        "--storage-driver",
        "vfs",
    ]
    done = subprocess.run(
        ["buildah", *places, *arguments], stdout=subprocess.PIPE, text=True, **more
    )
    if done.returncode:
        sys.exit(f"buildah {arguments[0]} failed with status {done.returncode}.")
    return done.stdout.strip()


def has_image(name: str) -> bool:
    """Whether that image was made before."""
    return name in buildah("images", "--format", "{{.Name}}:{{.Tag}}").split()


def make_stand_ins() -> None:
    """Images in place of Python's and PostgreSQL's, of the same Debian."""
    if not has_image(PYTHON):
        say("debootstrap makes a stand-in for the image of Python …")
        rootfs = FOLDER / "rootfs"
        shutil.rmtree(rootfs, ignore_errors=True)
        packages = "--include=python3,python3-venv,python3-pip,ca-certificates"
        subprocess.run(
            ["debootstrap", "--variant=minbase", packages, "trixie", str(rootfs), MIRROR],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        # How this machine reaches a package index.
        if Path("/etc/pip.conf").exists():
            shutil.copy("/etc/pip.conf", rootfs / "etc/pip.conf")
        for name in ("python", "pip"):
            (rootfs / f"usr/local/bin/{name}").symlink_to(f"/usr/bin/{name}3")
        for marker in rootfs.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
            marker.unlink()
        container = buildah("from", "scratch")
        buildah("copy", "--quiet", container, str(rootfs), "/")
        buildah("config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", container)
        buildah("commit", "--quiet", "--rm", container, PYTHON)
        shutil.rmtree(rootfs)
    if not has_image(POSTGRES):
        say("a stand-in for the image of PostgreSQL …")
        container = buildah("from", "--pull-never", PYTHON)
        install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql-client >/dev/null"
        quiet = ["--env", "DEBIAN_FRONTEND=noninteractive"]
        buildah("run", "--isolation", "chroot", *quiet, container, "--", "sh", "-c", install)
        buildah("commit", "--quiet", "--rm", container, POSTGRES)


def build() -> None:
    """The image, from the files that git knows, by the Dockerfile as it is."""
    context = FOLDER / "context"
    shutil.rmtree(context, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    for name in listed.rstrip("\0").split("\0"):
        target = context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    say("buildah builds the image …")
    # What a run that was broken off left behind, and the image of the last one.
    buildah("rm", "--all")
    buildah("rmi", "--prune", "--force")
    trust = ["-v", f"{CERTIFICATES}:{CERTIFICATES}:ro"] if CERTIFICATES.exists() else []
    options = ["--isolation", "chroot", "--pull-never", "--network", "host", *trust, "--tag", IMAGE]
    buildah("build", "--quiet", *options, str(context), stderr=None)


def compose() -> dict[str, Any]:
    """docker-compose.yml with its variables filled in, as for ENVIRONMENT."""
    described: dict[str, Any] = filled_in(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))
    return described


def filled_in(value: Any) -> Any:
    """The value with variables replaced in all its texts, at any depth."""
    if isinstance(value, dict):
        return {key: filled_in(each) for key, each in value.items()}
    if isinstance(value, list):
        return [filled_in(each) for each in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(:[-?])?([^}]*)\}", variable, value)
    return value


def variable(match: re.Match[str]) -> str:
    """What compose puts in place of ``${NAME}``, ``${NAME:-default}`` or ``${NAME:?error}``."""
    name, operator, rest = match.groups()
    if name in ENVIRONMENT:
        return ENVIRONMENT[name]
    if operator == ":?":
        sys.exit(f"{name} must be set: {rest}")
    return str(rest)


def in_order(services: dict[str, Any]) -> list[str]:
    """The services' names, each after those it depends on."""
    ordered: list[str] = []
    while len(ordered) < len(services):
        for name, service in services.items():
            if name not in ordered and set(service.get("depends_on", {})) <= set(ordered):
                ordered.append(name)
    return ordered


def seconds(text: str) -> int:
    """Compose's durations, as far as they are used here."""
    number, unit = int(text[:-1]), text[-1]
    return number * {"s": 1, "m": 60}[unit]


class Image:
    """The image, ready to run commands in."""

    def __init__(self, root: Path, config: dict[str, Any]) -> None:
        self.root, self.config = root, config

    def command(self, service: dict[str, Any], arguments: list[str]) -> list[str]:
        """The command line that runs the arguments as the service would: user, file systems and rights included."""
        user, group = self.config["User"].split(":")
        root = shlex.quote(str(self.root))
        mounts = [
            f"mount --bind {root} {root}",
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
        ]
        mounts += [f"mount --bind {FOLDER}/hosts {root}/etc/hosts"]
        mounts += [f"mount -t tmpfs tmpfs {root}{path}" for path in service["tmpfs"]]
        if service["read_only"]:
            mounts.append(f"mount -o remount,bind,ro {root}")
        variables = [
            *self.config["Env"],
            *(f"{name}={value}" for name, value in service["environment"].items()),
        ]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        rights = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--clear-groups"]
        run = ["setpriv", f"--reuid={user}", f"--regid={group}", *rights, "env", "-i", *variables]
        run += ["sh", "-c", f'cd {self.config["WorkingDir"]} && exec "$@"', "sh", *arguments]
        script = " && ".join([*mounts, f"exec chroot {root} {shlex.join(run)}"])
        return ["unshare", "--mount", "sh", "-c", script]

    def run(
        self, service: dict[str, Any], arguments: list[str], **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the arguments to their end."""
        return subprocess.run(self.command(service, arguments), capture_output=True, **more)


def checked(what: str, done: subprocess.CompletedProcess[bytes]) -> bytes:
    """What it printed; ends the whole check if it failed."""
    if done.returncode:
        sys.exit(
            f"{what} failed with status {done.returncode}:\n{done.stderr.decode()}\n{done.stdout.decode()}"
        )
    say(what)
    return done.stdout


def until_healthy(
    name: str, service: dict[str, Any], ask: list[str], environment: dict[str, str] | None = None
) -> None:
    """Ask the service's health check, as often and as long as it says."""
    check = service["healthcheck"]
    begun = time.monotonic()
    # A busy machine may take longer than what the file promises for one of its own.
    patience = 3 * (
        seconds(check.get("start_period", "0s")) + check["retries"] * seconds(check["interval"])
    )
    while True:
        answer = subprocess.run(ask, capture_output=True, env=environment)
        if answer.returncode == 0:
            say(f"{name} is healthy after {time.monotonic() - begun:.1f} s")
            return
        if time.monotonic() - begun > patience:
            sys.exit(f"{name} is not healthy (logs are in {FOLDER}): {answer.stderr.decode()}")
        time.sleep(1)


@contextmanager
def database(service: dict[str, Any], roles: str) -> Iterator[None]:
    """The machine's own PostgreSQL, set up as the image would."""
    binaries = server_binaries()
    assert binaries is not None
    folder = FOLDER / "database"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    shutil.chown(folder, "postgres", "postgres")

    def run(program: str, *arguments: str, **more: Any) -> None:
        subprocess.run(
            [
                "setpriv",
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                str(binaries / program),
                *arguments,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **more,
        )

    name = service["environment"]["POSTGRES_USER"]
    data = f"{folder}/data"
    run("initdb", "-D", data, "-U", name, "--auth=trust", "--encoding=UTF8", "--no-sync")
    options = (
        f"-p 5432 -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    )
    run("pg_ctl", "-D", data, "-l", f"{folder}/log", "-w", "-o", options, "start")
    try:
        run("createdb", "-h", "127.0.0.1", "-U", name, service["environment"]["POSTGRES_DB"])
        run(
            "psql",
            "-h",
            "127.0.0.1",
            "-U",
            name,
            "-d",
            service["environment"]["POSTGRES_DB"],
            "-q",
            "-c",
            roles,
        )
        yield
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")


@contextmanager
def proxy(service: dict[str, Any]) -> Iterator[None]:
    """The machine's own nginx, with the file that the image would make of the template."""
    certificates = FOLDER / "certificates"
    certificates.mkdir(exist_ok=True)
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    make += ["-keyout", "privkey.pem", "-out", "fullchain.pem"]
    subprocess.run(make, cwd=certificates, check=True, capture_output=True)
    values = service["environment"] | {"CERTIFICATES": str(certificates)}
    template = (ROOT / "deploy/nginx.conf.template").read_text()
    filled = re.sub(r"\$\{(\w+)\}", lambda match: str(values[match[1]]), template)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {FOLDER}/nginx-{kind};" for kind in kinds)
    (FOLDER / "nginx.conf").write_text(
        f"daemon off; pid {FOLDER}/nginx.pid; user root; error_log {FOLDER}/nginx.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{filled} }}\n"
    )
    process = subprocess.Popen(["nginx", "-c", f"{FOLDER}/nginx.conf", "-e", f"{FOLDER}/nginx.log"])
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def ask(path: str) -> tuple[int, bytes]:
    """Status and body of an answer that came through the proxy."""
    connection = http.client.HTTPSConnection("localhost", context=TRUSTING, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def stop_under_load(process: subprocess.Popen[bytes], service: dict[str, Any]) -> None:
    """TERM while eight readers ask: every request that was begun before gets its answer, and it ends in time."""
    counts: Counter[str] = Counter()
    told = threading.Event()

    def read() -> None:
        while not told.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=60)
            try:
                connection.request(
                    "GET",
                    "/api/v1/map/",
                    headers={"X-Forwarded-Proto": "https", "Host": "localhost"},
                )
                counts[str(connection.getresponse().status)] += 1
            except (OSError, http.client.HTTPException) as error:
                counts[type(error).__name__] += 1
            finally:
                connection.close()

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    while counts["200"] < 200:
        time.sleep(0.01)
    told.set()
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status = process.wait(seconds(service["stop_grace_period"]))
    for reader in readers:
        reader.join()
    say(
        f"web ended {time.monotonic() - begun:.1f} s after TERM with status {status}; answers: {dict(counts)}"
    )
    if status or set(counts) != {"200"}:
        sys.exit("TERM under load lost requests, or did not end well.")


def stop_deliverer(process: subprocess.Popen[bytes], service: dict[str, Any]) -> None:
    """It is still running, and ends well and in time after TERM."""
    if process.poll() is not None:
        sys.exit(
            f"deliver ended by itself with status {process.returncode} (its log is in {FOLDER})."
        )
    process.send_signal(signal.SIGTERM)
    status = process.wait(seconds(service["stop_grace_period"]))
    say(f"deliver ended after TERM with status {status}")
    if status:
        sys.exit("deliver did not end well.")


def prove_confined(image: Image, service: dict[str, Any]) -> None:
    """No right is left inside, and nothing but /tmp can be written."""
    status = image.run(service, ["cat", "/proc/self/status"]).stdout.decode()
    fields = dict(re.findall(r"^(Uid|CapEff|CapBnd|NoNewPrivs):\s+(\S+)", status, re.MULTILINE))
    expected = {"Uid": "10001", "CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1"}
    if fields != expected:
        sys.exit(f"The image runs with {fields}, not {expected}.")
    for path in ("/app/new", "/venv/new", "/new"):
        refused = image.run(service, ["touch", path])
        if refused.returncode == 0 or b"Read-only" not in refused.stderr:
            sys.exit(f"{path} could be written: {refused.stderr.decode()}")
    say("it runs as 10001 without a capability, and can write nothing but /tmp")


def back_up_and_restore(image: Image, service: dict[str, Any]) -> None:
    """By the commands of docs/operations.md, with the programs of the image."""
    backup = checked("backup, inside", image.run(service, ["python", "manage.py", "backup", "-"]))
    head = image.run(service, ["python", "manage.py", "verify_history"])
    restored = image.run(service, ["python", "manage.py", "restore", "-", "--yes"], input=backup)
    checked(f"restore of {len(backup):,} bytes, inside", restored)
    again = image.run(service, ["python", "manage.py", "verify_history"])
    if checked("verify_history, inside", head) != checked(
        "verify_history again, after the restore", again
    ):
        sys.exit("The history verifies differently after the restore.")


def run_services() -> None:
    """Everything that docker-compose.yml describes, in its order."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    (FOLDER / "hosts").write_text("127.0.0.1 localhost database web\n")
    subprocess.run(["mount", "--bind", f"{FOLDER}/hosts", "/etc/hosts"], check=True)
    described = compose()
    services = described["services"]
    config = json.loads(buildah("inspect", "--type", "image", IMAGE))["OCIv1"]["config"]
    container = buildah("from", "--pull-never", IMAGE)
    image = Image(Path(buildah("mount", container)), config)
    os.environ["PATH"] += f":{server_binaries()}"
    processes: dict[str, subprocess.Popen[bytes]] = {}
    with ExitStack() as running:
        running.callback(buildah, "rm", container)
        for name in in_order(services):
            service = services[name]
            say(f"{name}:")
            if name == "database":
                running.enter_context(database(service, described["configs"]["roles"]["content"]))
                until_healthy(name, service, service["healthcheck"]["test"][1:])
            elif name == "proxy":
                running.enter_context(proxy(service))
                until_healthy(name, service, service["healthcheck"]["test"][1:])
            elif "restart" in service and service["restart"] == "no":
                checked(f"{name} has done its work", image.run(service, service["command"]))
            else:
                log = running.enter_context((FOLDER / f"{name}.log").open("w"))
                process = subprocess.Popen(
                    image.command(service, service.get("command", config["Cmd"])), stderr=log
                )
                running.callback(process.kill)
                processes[name] = process
                if "healthcheck" in service:
                    until_healthy(
                        name, service, image.command(service, service["healthcheck"]["test"][1:])
                    )
        status, body = ask("/api/v1/map/")
        tables = len(json.loads(body)["tables"]) if status == 200 else 0
        say(f"through the proxy, the map answers {status} with {tables} tables")
        if not tables:
            sys.exit("The map could not be read.")
        prove_confined(image, services["web"])
        back_up_and_restore(image, services["migrate"])
        stop_deliverer(processes["deliver"], services["deliver"])
        stop_under_load(processes["web"], services["web"])
        if ask("/livez")[0] != 503:
            sys.exit("The proxy does not say that the web server is away.")
    say("all is well")


def main() -> None:
    """Build outside, run inside a network of its own."""
    if os.environ.get(INSIDE):
        run_services()
        return
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if server_binaries() is None:
        missing.append("postgresql")
    if os.getuid() or missing:
        why = f"there is no {', '.join(missing)}" if missing else "it takes root"
        print(
            f"NOT RUN: {why} (Debian: apt-get install buildah debootstrap nginx postgresql curl openssl)."
        )
        sys.exit(1 if os.environ.get("REQUIRE_CONTAINER") == "1" else 0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    make_stand_ins()
    build()
    again = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.support.container"]
    sys.exit(subprocess.run(again, cwd=ROOT, env=os.environ | {INSIDE: "1"}).returncode)


if __name__ == "__main__":
    main()
