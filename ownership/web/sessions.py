"""Sessions whose keys are kept hashed: nobody signs in with what a backup or a look into the database gives."""

from hashlib import sha256
from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone


def _hashed(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:40]  # as many as the column holds; a key is random, so plenty


class SessionStore(db.SessionStore):
    """Django's, with the browser's key hashed wherever the database meets it."""

    def _get_session_from_db(self) -> Any:
        if self.session_key:
            found = self.model.objects.filter(session_key=_hashed(self.session_key), expire_date__gt=timezone.now())
            if session := found.first():
                return session
        self._session_key = None
        return None

    def exists(self, session_key: str) -> bool:
        """Whether there is a session of that key."""
        return super().exists(_hashed(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row to save."""
        row = super().create_model_instance(data)
        row.session_key = _hashed(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """End the session of that key, or this one."""
        if key := session_key or self.session_key:
            super().delete(_hashed(key))
