"""A page that says what was wrong with a request and where to go from there."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def refusal(request: HttpRequest, status: int, title: str, message: str, **context: Any) -> HttpResponse:
    """A page that says what was wrong with the address and where to go from here."""
    return render(request, "ownership/refusal.html", {"title": title, "message": message, **context}, status=status)
