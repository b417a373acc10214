"""Does the time of an answer tell how much of a guessed token is right? ``python -m benchmarks.token_timing``.

Guesses of four kinds take turns, ROUNDS=3000 each, in the process that checks them: SQLite in a temporary folder, or
PostgreSQL by ``tests.support.postgres``. Prints the median of each kind, and the spread of the middle half.
"""

import os
import time
from statistics import quantiles

from benchmarks.generator import empty_database

ROUNDS = int(os.environ.get("ROUNDS", "3000"))


def main() -> None:
    """Measure, and print a line for each kind of guess."""
    with empty_database():
        from django.contrib.auth.models import User
        from django.db import connection
        from rest_framework.exceptions import AuthenticationFailed

        from ownership.api.authentication import TokenAuthentication
        from tests.support.tokens import make_token

        account = User.objects.create_user("program")
        for _ in range(200):
            make_token(account)
        _, token = make_token(account)
        guesses = {
            "nothing right": "own_" + "0" * (len(token) - 4),
            "the beginning that is looked up": token[:20] + "0" * (len(token) - 20),
            "half": token[: len(token) // 2] + "0" * (len(token) - len(token) // 2),
            "all but the last character": token[:-1] + ("0" if token[-1] != "0" else "1"),
        }
        times: dict[str, list[float]] = {kind: [] for kind in guesses}
        authentication = TokenAuthentication()
        for _ in range(ROUNDS):
            for kind, guess in guesses.items():
                start = time.perf_counter()
                try:
                    authentication.authenticate_credentials(guess.encode())
                except AuthenticationFailed:
                    times[kind].append((time.perf_counter() - start) * 1e6)
        for kind, of_kind in times.items():
            low, median, high = quantiles(of_kind, n=4)
            print(
                f"{connection.vendor}: {kind}: median {median:.0f} µs, middle half {low:.0f} to {high:.0f} µs"
            )


if __name__ == "__main__":
    main()
