"""Headers that every answer carries."""

from django.http import HttpRequest, HttpResponse

from ownership.web.client_address import _Next

# What browsers may do on any page here: load what this registry serves, and use no camera, place and the like.
POLICIES = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "img-src 'self' data:",  # the admin's and the API page's style sheets hold small pictures
        ]
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class BrowserPolicyMiddleware:
    """Tells browsers what no page here needs. The same for all, so it costs each answer next to nothing."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers."""
        response = self.get_response(request)
        for name, value in POLICIES.items():
            response.headers[name] = value
        return response
