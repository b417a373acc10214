"""Sessions whose keys are stored hashed, so that nobody can sign in with what a backup or the database contains."""

from hashlib import sha256
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

KEY_LENGTH = 40  # of the column; a key is random, so this much of its hash is unique


def _hashed(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:KEY_LENGTH]


class SessionStore(db.SessionStore):
    """Django's session store, with the browser's key hashed wherever the database sees it."""

    # Django has no public hook for the lookup; its own cached_db backend overrides this method, too.
    def _get_session_from_db(self) -> AbstractBaseSession | None:
        if self.session_key:
            key = _hashed(self.session_key)
            session = self.model.objects.filter(session_key=key, expire_date__gt=timezone.now()).first()
            if session is not None:
                return session
        self._session_key = None
        return None

    def exists(self, session_key: str) -> bool:
        """Whether there is a session with that key."""
        return super().exists(_hashed(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row to save."""
        row = super().create_model_instance(data)
        row.session_key = _hashed(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """End the session with that key, or this one."""
        key = session_key or self.session_key
        if key:
            super().delete(_hashed(key))
