"""Sessions whose keys are stored as hashes, so that nobody can sign in with what a backup or the database shows.

On SQLite, signing in and out needs no turn to write: while another connection writes, the session is set aside in a
file beside the database. The next request that finds the database free moves it there.
"""

import time
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import DatabaseError, connection
from django.utils import timezone

from ownership.web.optional_writes import is_refused, without_waiting, write_if_free

ENDED = ""  # what is set aside of a session that has ended


def _hashed(key: str) -> str:
    # As long as the column. A key is random, so 160 bits of its hash are enough.
    return sha256(key.encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    """Django's sessions in the database. The browser has the key, the database its hash."""

    def load(self) -> dict[str, Any]:
        """The session's data; empty if there is no such session, or if it has expired."""
        session = self._row()
        if session is None or session.expire_date <= timezone.now():
            # As in Django's own: whoever sends an unknown key gets a new one.
            self._session_key = None
            return {}
        return self.decode(session.session_data)

    def _row(self) -> AbstractBaseSession | None:
        if not self.session_key:
            return None
        key = _hashed(self.session_key)
        text = _read_aside(key)
        if text is None:
            return self.model.objects.filter(
                session_key=key, expire_date__gt=timezone.now()
            ).first()
        if text == ENDED:
            if write_if_free(self.model.objects.filter(session_key=key).delete):
                _forget_aside(key)
            return None
        expiry, _, data = text.partition("\n")
        row = self.model(
            session_key=key, session_data=data, expire_date=datetime.fromisoformat(expiry)
        )
        if write_if_free(row.save):
            _forget_aside(key)
        return row

    def exists(self, session_key: str) -> bool:
        """Whether there is a session with that key."""
        return super().exists(_hashed(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row to save."""
        row = super().create_model_instance(data)
        row.session_key = _hashed(row.session_key)
        return row

    def save(self, must_create: bool = False) -> None:
        """Keep the session. Raises UpdateError if it has ended meanwhile."""
        if self.session_key is None:
            self.create()
            return
        key = _hashed(self.session_key)
        text = _read_aside(key)
        if text == ENDED:
            raise UpdateError
        if text is not None and not self.exists(self.session_key):
            must_create = True
        try:
            with without_waiting():
                super().save(must_create)
        except (DatabaseError, UpdateError) as error:
            if not is_refused(error):
                raise
            row = self.create_model_instance(dict(self.items()))
            _set_aside(key, f"{row.expire_date.isoformat()}\n{row.session_data}")
        else:
            _forget_aside(key)

    def delete(self, session_key: str | None = None) -> None:
        """End the session with that key, by default this one."""
        key = session_key or self.session_key
        if not key:
            return
        hashed = _hashed(key)
        if write_if_free(self.model.objects.filter(session_key=hashed).delete):
            _forget_aside(hashed)
        else:
            _set_aside(hashed, ENDED)


def _folder() -> Path | None:
    """Where sessions are set aside. PostgreSQL needs no such place."""
    if connection.vendor != "sqlite":
        return None
    return Path(f"{connection.settings_dict['NAME']}-sessions")


def _read_aside(key: str) -> str | None:
    """What was set aside of the session; None if nothing."""
    folder = _folder()
    if folder is None:
        return None
    try:
        return (folder / key).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _set_aside(key: str, text: str) -> None:
    folder = _folder()
    if folder is None:
        raise UpdateError
    folder.mkdir(mode=0o700, exist_ok=True)
    for file in folder.iterdir():
        # Of people who never came back.
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < time.time() - settings.SESSION_COOKIE_AGE:
                file.unlink()
    # Another request of this session may read it at the same time: it sees the old text or the new one.
    new = folder / f"{key}.{time.monotonic_ns()}"
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(folder / key)


def _forget_aside(key: str) -> None:
    folder = _folder()
    if folder is not None:
        (folder / key).unlink(missing_ok=True)
