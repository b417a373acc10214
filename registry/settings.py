"""Settings. Development and production differ only by environment variables; docs/operations.md lists them all."""

import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from registry import database, env

BASE_DIR = Path(__file__).resolve().parent.parent
# What a running registry writes: the SQLite file, development's secret key, and the map's snapshots.
VAR_DIR = BASE_DIR / "var"


def development_secret_key() -> str:
    """A secret of this checkout, made once, so that sign-ins survive a restart of ``make run``."""
    path = VAR_DIR / "secret-key"
    if not path.exists():
        VAR_DIR.mkdir(exist_ok=True)
        path.write_text(secrets.token_urlsafe(50))
        path.chmod(0o600)
    return path.read_text()


DEBUG = env.boolean("DEBUG", False)
if DEBUG:
    SECRET_KEY = development_secret_key()
else:
    SECRET_KEY = env.required(
        "SECRET_KEY",
        "Production needs a long random one (docs/operations.md); for development use `make run`, or DEBUG=1.",
    )
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEBUG else "")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS is not set. Set it to the host names that it serves, separated by commas."
    )
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# The proxies whose X-Forwarded-For is trusted.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
# Requests a minute to the API for each token or address, in each process; 0: no limit.
API_RATE = env.integer("API_RATE", 0 if DEBUG else 6_000)

# Whether the map can be read without a sign-in. History always needs a sign-in or a token.
ANONYMOUS_READ = env.boolean("ANONYMOUS_READ", DEBUG)
# Whether team leads edit what services of their teams own, and no more (ownership/models/rights.py).
RIGHTS_FOLLOW_OWNER = env.boolean("RIGHTS_FOLLOW_OWNER", False)

# For how long a confirmation of a table's entries holds, unless its group has a period of its own.
CONFIRMATION_DAYS = env.integer("CONFIRMATION_DAYS", 180)
if not 1 <= CONFIRMATION_DAYS <= 3_650:
    raise ImproperlyConfigured(
        f"CONFIRMATION_DAYS={CONFIRMATION_DAYS} is not from 1 to 3650. Unset it for 180."
    )

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
    "ownership.web.middleware.HealthMiddleware",
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
    "ownership.web.middleware.BusyMiddleware",
]
if DEBUG:
    MIDDLEWARE.append("ownership.web.middleware.NotFoundMiddleware")

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

DATABASES = {
    "default": database.configure(env.text("DATABASE_URL", f"sqlite:///{VAR_DIR}/registry.sqlite3"))
}
# Its streaming replicas (PostgreSQL), to read from (ownership/web/replicas.py).
REPLICAS = []
for _number, _url in enumerate(env.words("DATABASE_REPLICA_URLS"), 1):
    _alias = f"replica{_number}"
    REPLICAS.append(_alias)
    DATABASES[_alias] = database.configure(_url, "DATABASE_REPLICA_URLS")
    if DATABASES[_alias]["ENGINE"] != database.POSTGRESQL:
        raise ImproperlyConfigured(
            f"DATABASE_REPLICA_URLS names a database other than PostgreSQL. {database.CURE}"
        )
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
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_ENABLED = True
# Five failed sign-ins lock the pair of name and address, so that nobody can lock out others by failing as them.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_HANDLER = "ownership.web.sign_in.GuessHandler"  # counts in a file, not in the database
AXES_USERNAME_CALLABLE = "ownership.web.sign_in.guessed_name"
AXES_WHITELIST_CALLABLE = "ownership.web.sign_in.no_guess"
AXES_LOCKOUT_CALLABLE = "ownership.web.sign_in.locked_out"
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True

# Sign-in with an OpenID Connect provider, if one is named. Needs the extra `oidc`.
OIDC_RP_CLIENT_ID = env.text("OIDC_CLIENT_ID", "")
if OIDC_RP_CLIENT_ID:
    _cure = (
        "OIDC_CLIENT_ID is set, so the other OIDC_… variables must be, too (docs/operations.md)."
    )
    OIDC_RP_CLIENT_SECRET = env.required("OIDC_CLIENT_SECRET", _cure)
    OIDC_OP_AUTHORIZATION_ENDPOINT = env.required("OIDC_AUTHORIZATION_URL", _cure)
    OIDC_OP_TOKEN_ENDPOINT = env.required("OIDC_TOKEN_URL", _cure)
    OIDC_OP_USER_ENDPOINT = env.required("OIDC_USERINFO_URL", _cure)
    OIDC_OP_JWKS_ENDPOINT = env.required("OIDC_JWKS_URL", _cure)
    OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
    OIDC_LEADS = env.words("OIDC_LEADS")
    OIDC_VIEWERS = env.words("OIDC_VIEWERS")
    OIDC_RP_SIGN_ALGO = "RS256"
    OIDC_RP_SCOPES = "openid email profile"
    OIDC_USE_PKCE = True
    OIDC_TIMEOUT = 5  # seconds
    LOGIN_REDIRECT_URL_FAILURE = "/admin/login/"
    # People who left the company or a group are out by the next day.
    SESSION_COOKIE_AGE = 12 * 60 * 60
    INSTALLED_APPS.append("mozilla_django_oidc")
    AUTHENTICATION_BACKENDS.append("ownership.web.oidc.OidcBackend")

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "registry.formats"
# So localdate() is the day in UTC. Waivers, confirmations, suggestions and tokens end with it, wherever people are.
TIME_ZONE = "UTC"
USE_TZ = True

# Where the processes of one machine share the map's snapshots. If it can't be written, each makes its own.
SNAPSHOT_DIR = env.text("SNAPSHOT_DIR", str(VAR_DIR / "snapshots"))

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site needs the static files
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG  # development needs no collectstatic
if DEBUG:
    _static_storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
else:
    _static_storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {"staticfiles": {"BACKEND": _static_storage}}

# Security. Development uses plain HTTP on this machine; production is behind a proxy that terminates TLS.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEBUG
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("TRUST_PROXY", False) else None
)
# Probes come from inside, over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
X_FRAME_OPTIONS = "DENY"
# Some pages confirm thousands of rows, or edit a table with many accesses.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

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
    "EXCEPTION_HANDLER": "ownership.api.errors.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Ownership registry",
    "DESCRIPTION": "Which service owns, reads and writes which DynamoDB table. Read-only; see docs/api.md.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["ownership.api.authentication.MayRead"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # deepLinking would put a link into each button, which screen readers cannot reach.
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": False,
        "validatorUrl": None,
        "defaultModelsExpandDepth": 0,
    },
    "ENUM_NAME_OVERRIDES": {
        "KeyTypeEnum": "ownership.models.KeyType",
        "ModeEnum": "ownership.models.Mode",
        "EntryTypeEnum": ["created", "changed", "deleted"],
        "DriftKindEnum": "ownership.drift.types.FINDING_KINDS",
        "IndexKindEnum": "ownership.models.SecondaryIndex.Kind",
    },
}
KNOX_TOKEN_MODEL = "ownership.ApiToken"  # noqa: S105 (the name of a model)
# knox's own migrations create its token table although ours replaces it, and its foreign key would then keep the
# users' table from being emptied.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=365),
    "TOKEN_PREFIX": "own_",
    "AUTH_HEADER_PREFIX": "Token",
}

# The key that signs the head of history, at /api/v1/head/. Without it the head is unsigned.
HEAD_KEY = env.signing_key("HEAD_KEY")

# Where people find the registry, for links in news. Without a slash at the end.
_site = (
    "http://127.0.0.1:8000" if DEBUG else f"https://{ALLOWED_HOSTS[0].lstrip('.*') or 'localhost'}"
)
SITE_URL = env.text("SITE_URL", _site).rstrip("/")
# The mail server for news. Without one, no mail is sent.
EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.integer("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_PASSWORD", "")
_security = env.choice("EMAIL_SECURITY", "starttls", ["starttls", "tls", "none"])
EMAIL_USE_TLS = _security == "starttls"
EMAIL_USE_SSL = _security == "tls"
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", f"registry@{urlsplit(SITE_URL).hostname}")
# Networks inside which endpoints may be. All others must be reached over the internet.
ENDPOINT_NETWORKS = env.networks("ENDPOINT_NETWORKS")

# The token for Prometheus. Without it there is no /metrics.
METRICS_TOKEN = env.secret("METRICS_TOKEN")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "ownership.web.request_context.RequestLogFilter"}},
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": env.JSON_LINES,
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line" if DEBUG else "json",
            "filters": ["context"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    # In development, the server logs the requests itself.
    "loggers": {
        "ownership": {"level": "WARNING" if DEBUG else "INFO"},
        "axes": {"level": "WARNING"},
        # At INFO it logs where it found credentials, in the middle of what `drift dynamodb` prints.
        "botocore": {"level": "WARNING"},
    },
}
