"""Which addresses of the network an endpoint may have: public ones, and those that an operator allows.

Otherwise somebody who may make an endpoint could reach servers inside the company's network from here.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address
# All of IPv6 that is routed on the internet. In it, 6to4 and Teredo carry IPv4 addresses, which may be any.
GLOBAL_UNICAST = ip_network("2000::/3")
TUNNELS = (ip_network("2002::/16"), ip_network("2001::/32"))
# Of IPv4: for protocols, and relays of 6to4.
SPECIAL = (ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"))


class NotPermitted(Exception):
    """The registry sends nothing there. The message says why, for people."""


def permitted_addresses(host: str, port: int, is_encrypted: bool) -> list[str]:
    """The addresses that a host's name resolves to, as far as they are permitted; NotPermitted if none is.

    Whoever connects must use one of these, and not the name: that may resolve to something else a moment later.
    """
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotPermitted(f"The name {host} can't be resolved.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in resolved))
    allowed = [address for address in addresses if _is_allowed(ip_address(address))]
    if allowed:
        return allowed
    public = [address for address in addresses if is_public(ip_address(address))]
    if not public:
        raise NotPermitted(
            f"{host} is not a public address. The registry sends nothing inside its own network, unless an operator "
            "allows it by ENDPOINT_NETWORKS."
        )
    if not is_encrypted:
        raise NotPermitted("The address must begin with https://.")
    return public


def is_public(address: Address) -> bool:
    """Whether an address is routed on the internet."""
    if isinstance(address, IPv6Address):
        is_tunnel = any(address in network for network in TUNNELS)
        return address in GLOBAL_UNICAST and address.is_global and not is_tunnel
    is_special = any(address in network for network in SPECIAL)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not is_special
    )


def _is_allowed(address: Address) -> bool:
    """Whether an operator allows it."""
    return any(address in ip_network(network) for network in settings.ENDPOINT_NETWORKS)
