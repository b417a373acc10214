"""A page that says what is wrong with a request and where to go from there; and what is wrong with any address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def refusal(
    request: HttpRequest, status: int, title: str, message: str, **context: object
) -> HttpResponse:
    """The page with that status. ``context`` is for its template, such as similar names."""
    context = {"title": title, "message": message, **context}
    return render(request, "ownership/refusal.html", context, status=status)


def has_nul(request: HttpRequest) -> bool:
    """Whether the address has a NUL character, which PostgreSQL takes in no text."""
    texts = [request.path]
    for name, values in request.GET.lists():
        texts += [name, *values]
    return any("\x00" in text for text in texts)
