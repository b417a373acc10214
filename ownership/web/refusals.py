"""A page that says what is wrong with a request and where to go from there."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def refusal(
    request: HttpRequest, status: int, title: str, message: str, **context: object
) -> HttpResponse:
    """The page with that status. ``context`` is for its template, such as similar names."""
    context = {"title": title, "message": message, **context}
    return render(request, "ownership/refusal.html", context, status=status)
