# The production image: dependencies and static files are made in a first stage, the second only runs them.
FROM python:3.13-slim-trixie AS build
WORKDIR /app

# Wheels alone, each checked against its hash: nothing is compiled, no package's set-up code runs.
# The environment gets no pip of its own, so the running container has nothing to install with in it.
# Both have what importing .xlsx takes; requirements-oidc.txt also has what sign-in by OpenID Connect takes.
ARG REQUIREMENTS=requirements.txt
COPY requirements.txt requirements-oidc.txt ./
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --only-binary :all: --require-hashes -r "$REQUIREMENTS"

# .dockerignore lets through what the application needs, and no more.
COPY . .
# Settings ask for a key and host names; these serve this step alone and are no part of the image.
# Byte code is made here, for the running container can't write any.
RUN SECRET_KEY=for-collectstatic-alone ALLOWED_HOSTS=localhost /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q registry ownership


FROM python:3.13-slim-trixie
# pg_dump and pg_restore, for backups, with their library: out of the image of the server that docker-compose.yml runs, so
# that they fit it. It is of the same Debian, which has what that library itself needs.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq5 liblz4-1 libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY --from=postgres:18-trixie /usr/lib/*/libpq.so.5.* /opt/postgresql/lib/
COPY --from=postgres:18-trixie /usr/lib/postgresql/*/bin/pg_dump /usr/lib/postgresql/*/bin/pg_restore /opt/postgresql/bin/
RUN echo /opt/postgresql/lib > /etc/ld.so.conf.d/00-postgresql.conf \
    && ldconfig \
    && /opt/postgresql/bin/pg_dump --version \
    && /opt/postgresql/bin/pg_restore --version
# A fixed number, so that a volume or a cluster's policy can name it.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin registry
ENV PATH=/venv/bin:/opt/postgresql/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /venv /venv
# Owned by root: the application can't change its own code.
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
# gunicorn.conf.py has the rest. In a container all interfaces are the container's own.
CMD ["gunicorn", "--bind=0.0.0.0:8000"]
