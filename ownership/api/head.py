"""The head of history, signed: whoever keeps it can prove later what the registry said."""

from base64 import b64encode
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api.authentication import HasRole
from ownership.api.base import RegistryView


class HeadSerializer(serializers.Serializer):
    """The latest revision with its digest."""

    revision = serializers.IntegerField()
    digest = serializers.CharField(help_text="of that revision, empty before the first")
    head = serializers.CharField(
        help_text="both as `verify_history --head` takes them; this text is what is signed"
    )
    signature = serializers.CharField(
        allow_null=True,
        help_text="Ed25519 over the bytes of `head`, in Base64; null if the registry has no key",
    )
    public_key = serializers.CharField(
        allow_null=True, help_text="of that signature, 32 bytes in Base64"
    )


class HeadView(RegistryView):
    """The head of history."""

    permission_classes = [HasRole]

    @extend_schema(operation_id="head", responses=HeadSerializer)
    def get(self, request: Request) -> Response:
        """The latest revision and its digest, signed if HEAD_KEY is set. Keep it to verify the history later."""
        head = self.history_head
        signature = public_key = None
        if settings.HEAD_KEY:
            key = _signing_key(settings.HEAD_KEY)
            signature = b64encode(key.sign(str(head).encode())).decode()
            public_key = b64encode(key.public_key().public_bytes_raw()).decode()
        return Response(
            {
                "revision": head.revision,
                "digest": head.digest,
                "head": str(head),
                "signature": signature,
                "public_key": public_key,
            }
        )


@cache
def _signing_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)
