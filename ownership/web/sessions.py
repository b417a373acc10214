"""Sessions whose keys are stored as hashes, so that nobody can sign in with what a backup or the database shows."""

from hashlib import sha256
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone


def _hashed(key: str) -> str:
    # As long as the column. A key is random, so 160 bits of its hash are enough.
    return sha256(key.encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    """Django's sessions in the database. The browser has the key, the database its hash."""

    def load(self) -> dict[str, Any]:
        """The session's data; empty if there is no such session, or if it has expired."""
        session = None
        if self.session_key:
            session = self.model.objects.filter(
                session_key=_hashed(self.session_key),
                expire_date__gt=timezone.now(),
            ).first()
        if session is None:
            # As in Django's own: whoever sends an unknown key gets a new one.
            self._session_key = None
            return {}
        return self.decode(session.session_data)

    def exists(self, session_key: str) -> bool:
        """Whether there is a session with that key."""
        return super().exists(_hashed(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row to save."""
        row = super().create_model_instance(data)
        row.session_key = _hashed(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """End the session with that key, by default this one."""
        key = session_key or self.session_key
        if key:
            super().delete(_hashed(key))
