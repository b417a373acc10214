"""Settings. Development and production differ by environment variables only; docs/operations.md lists them all."""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from registry import env
from registry.postgresql import bounded

BASE_DIR = Path(__file__).resolve().parent.parent
# What a running registry writes: the SQLite file and development's secret key.
VAR_DIR = BASE_DIR / "var"
DATABASE_URL_CURE = (
    "Set it to postgresql://user:password@host:5432/name (special characters of the password percent-encoded) "
    "or sqlite:////absolute/path."
)


def development_secret_key() -> str:
    """A secret of this checkout alone, made once, so that sign-ins outlive a restart of ``make run``."""
    path = VAR_DIR / "secret-key"
    if not path.exists():
        VAR_DIR.mkdir(exist_ok=True)
        path.write_text(secrets.token_urlsafe(50))
        path.chmod(0o600)
    return path.read_text()


def parsed(url: str) -> dict[str, Any]:
    """The URL's parts. Of several hosts (``postgresql://user@one:5432,two:5432/name``) libpq takes one that serves."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    _, comma, others = hosts.partition(",")
    one = parts._replace(netloc=parts.netloc.removesuffix(comma + others)).geturl() if comma else url
    config: dict[str, Any] = dict(dj_database_url.parse(one))
    if comma:
        several = [urlsplit(f"//{host}") for host in hosts.split(",")]
        config["HOST"] = ",".join(unquote(host.hostname or "") for host in several)
        config["PORT"] = ",".join(str(host.port or 5432) for host in several)
    return config


def database(url: str, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Django's configuration for a DATABASE_URL: PostgreSQL with a pool, or SQLite made safe for several writers."""
    try:
        config = parsed(url)
    except (dj_database_url.ParseError, ValueError):
        # Without the parser's own words: they may quote a part of the password.
        raise ImproperlyConfigured(f"{name} is not an address of a database. {DATABASE_URL_CURE}") from None
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"] == "django.db.backends.postgresql":
        options.setdefault("connect_timeout", 2)
        patience = env.integer("DATABASE_TIMEOUT", 0)
        # lock_timeout: a save that waits longer is told who writes (ownership/history/lock.py).
        # jit: compiling a query takes seconds, and none of ours runs that long.
        limits = "-c lock_timeout=5s -c jit=off"
        if patience:
            # A transaction left open holds the registry's lock: its process hangs, or its machine is gone.
            limits += f" -c statement_timeout={patience}s -c idle_in_transaction_session_timeout={patience}s"
        options["options"] = f"{options.get('options', '')} {limits}".strip()
        size = env.integer("DATABASE_POOL_SIZE", 4)
        if size:
            # timeout: how long a request, a probe's too, waits for a connection while the database is away.
            # reconnect_timeout: the pool waits longer after each failure; by its default of five minutes it would
            # notice only minutes later that the database is back. Giving up early, the next request tries anew.
            options["pool"] = {"min_size": 1, "max_size": size, "timeout": 1.5, "reconnect_timeout": 3}
            if patience:
                # The client waits a little longer than the server takes to say that it was too long.
                options["pool"]["connection_class"] = bounded(patience + 1)
            # A connection that broke while it lay in the pool is replaced, not handed to a request.
            config["CONN_HEALTH_CHECKS"] = True
    elif config["ENGINE"] == "django.db.backends.sqlite3":
        # IMMEDIATE: a transaction that begins by reading and then writes would fail at once when another
        # writer came first; taking the write lock at its start lets it wait (up to the timeout, in seconds).
        # A thread keeps its connection: opening one and setting it up costs more than most answers.
        config["CONN_MAX_AGE"] = None
        options["transaction_mode"] = "IMMEDIATE"
        options["timeout"] = 20
        options["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON"
        # Tests run on a file too, as the registry does: only there do threads meet WAL and real locks.
        config["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
    else:
        raise ImproperlyConfigured(f"DATABASE_URL names a database that is not supported. {DATABASE_URL_CURE}")
    return config


DEBUG = env.boolean("DEBUG", False)
SECRET_KEY = (
    development_secret_key()
    if DEBUG
    else env.required(
        "SECRET_KEY",
        "Production needs a long random one (docs/operations.md); for development use `make run`, or DEBUG=1.",
    )
)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEBUG else "")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set. List the host names it is served under, by commas.")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# Whose X-Forwarded-For is believed.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
# Requests a minute to the API, of each token or address and in each process; 0: any number.
API_RATE = env.integer("API_RATE", 0 if DEBUG else 6_000)

# Whether the map may be read without signing in. History always needs a sign-in or a token.
ANONYMOUS_READ = env.boolean("ANONYMOUS_READ", DEBUG)

INSTALLED_APPS = [
    "registry.apps.RegistryAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "simple_history",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "axes",
    "ownership",
]

MIDDLEWARE = [
    "ownership.web.middleware.RequestLogMiddleware",
    "ownership.web.middleware.ClientAddressMiddleware",
    "ownership.operations.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "ownership.web.middleware.BrowserPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ownership.web.health.HealthMiddleware",
    "ownership.web.rate_limit.ApiRateMiddleware",
    "ownership.web.replicas.ReplicaMiddleware",
    "ownership.web.middleware.MinimumRevisionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Early, because sessions, sign-ins and URL resolving would take longer than its answers.
    "ownership.api.map_view.MapMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
    "ownership.web.health.BusyMiddleware",
]

ROOT_URLCONF = "registry.urls"
WSGI_APPLICATION = "registry.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "registry.templates.UnindentedLoader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": database(env.text("DATABASE_URL", f"sqlite:///{VAR_DIR}/registry.sqlite3"))}
# PostgreSQL's streaming replicas of it, to read from (ownership/web/replicas.py).
REPLICAS = []
for _number, _url in enumerate(env.words("DATABASE_REPLICA_URLS"), 1):
    REPLICAS.append(f"replica{_number}")
    DATABASES[REPLICAS[-1]] = database(_url, "DATABASE_REPLICA_URLS")
    if DATABASES[REPLICAS[-1]]["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"DATABASE_REPLICA_URLS names no PostgreSQL. {DATABASE_URL_CURE}")
DATABASE_ROUTERS = ["ownership.web.replicas.ReplicaRouter"] if REPLICAS else []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "pages:home"
SESSION_ENGINE = "ownership.web.sessions"  # keys hashed
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Five failed sign-ins with one name from one address lock that pair: nobody locks others out by failing as them.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT, AXES_COOLOFF_TIME = 5, timedelta(minutes=15)
AXES_RESET_ON_SUCCESS, AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = True, False
AXES_USERNAME_CALLABLE = "ownership.web.sign_in.guessed_name"
AXES_WHITELIST_CALLABLE = "ownership.web.sign_in.no_guess"
AXES_LOCKOUT_CALLABLE = "ownership.web.sign_in.locked_out"
AXES_ENABLE_ADMIN, AXES_DISABLE_ACCESS_LOG = False, True

# Sign-in at an OpenID Connect provider, where one is named. The extra `oidc` has what it takes.
OIDC_RP_CLIENT_ID = env.text("OIDC_CLIENT_ID", "")
if OIDC_RP_CLIENT_ID:
    _cure = "OIDC_CLIENT_ID is set, and so must all of OIDC_… be (docs/operations.md)."
    OIDC_RP_CLIENT_SECRET = env.required("OIDC_CLIENT_SECRET", _cure)
    OIDC_OP_AUTHORIZATION_ENDPOINT = env.required("OIDC_AUTHORIZATION_URL", _cure)
    OIDC_OP_TOKEN_ENDPOINT = env.required("OIDC_TOKEN_URL", _cure)
    OIDC_OP_USER_ENDPOINT = env.required("OIDC_USERINFO_URL", _cure)
    OIDC_OP_JWKS_ENDPOINT = env.required("OIDC_JWKS_URL", _cure)
    OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
    OIDC_LEADS, OIDC_VIEWERS = env.words("OIDC_LEADS"), env.words("OIDC_VIEWERS")
    OIDC_RP_SIGN_ALGO, OIDC_RP_SCOPES, OIDC_USE_PKCE, OIDC_TIMEOUT = "RS256", "openid email profile", True, 5
    LOGIN_REDIRECT_URL_FAILURE = "/admin/login/"
    SESSION_COOKIE_AGE = 12 * 60 * 60  # who left the company or a group is out by the next day
    INSTALLED_APPS.append("mozilla_django_oidc")
    AUTHENTICATION_BACKENDS.append("ownership.web.oidc.OidcBackend")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# Where the processes of one machine share the map's snapshots. Without a place to write, each makes its own.
SNAPSHOT_DIR = env.text("SNAPSHOT_DIR", str(VAR_DIR / "snapshots"))

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # other sites have no use for them
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG  # development needs no collectstatic
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    }
}

# Security. Development speaks plain HTTP on this machine; production stands behind a proxy that ends TLS.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEBUG
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("TRUST_PROXY", False) else None
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]  # probes come from inside, by plain HTTP
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_NUMBER_FIELDS = (
    20_000  # a page on which thousands of rows are confirmed; one of a table with many accesses
)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "ownership.api.authentication.TokenAuthentication",
        "ownership.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["ownership.api.authentication.MayRead"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_PAGINATION_CLASS": "ownership.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "ownership.api.filters.Search",
        "ownership.api.filters.Ordering",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "ownership.api.errors.problem",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Ownership registry",
    "DESCRIPTION": "Which service owns, reads and writes which DynamoDB table. Read-only; see docs/api.md.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["ownership.api.authentication.MayRead"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "ENUM_NAME_OVERRIDES": {
        "KeyTypeEnum": "ownership.models.KeyType",
        "ModeEnum": "ownership.models.Mode",
        "EntryTypeEnum": ["created", "changed", "deleted"],
        "DriftKindEnum": "ownership.drift.types.FINDING_KINDS",
        "IndexKindEnum": "ownership.models.SecondaryIndex.Kind",
    },
}
KNOX_TOKEN_MODEL = "ownership.ApiToken"  # noqa: S105 (the name of a model)
# knox's own migrations make its token table even where ours replaces it; and then nothing may empty the users' table.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {"TOKEN_TTL": timedelta(days=365), "TOKEN_PREFIX": "own_", "AUTH_HEADER_PREFIX": "Token"}

# For Prometheus; without it there is no /metrics.
METRICS_TOKEN = env.secret("METRICS_TOKEN")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "ownership.web.request_context.RequestLogFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}, "json": env.JSON_LINES},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line" if DEBUG else "json",
            "filters": ["context"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    # Development's server has lines of its own.
    "loggers": {
        "ownership": {"level": "WARNING" if DEBUG else "INFO"},
        "axes": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},  # says where it found credentials, into what `drift dynamodb` prints
    },
}
