"""Which network addresses an endpoint may have: public ones, and those that an operator allows.

Without this rule, anyone who may add an endpoint could use the registry to reach servers in the company's network.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address
# All IPv6 addresses that are routed on the internet. 6to4 and Teredo addresses embed an IPv4 address, public or not.
GLOBAL_UNICAST = ip_network("2000::/3")
TUNNELS = (ip_network("2002::/16"), ip_network("2001::/32"))
# IPv4 ranges for protocol assignments and for 6to4 relays.
SPECIAL = (ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"))


class AddressRefused(Exception):
    """The registry sends nothing to this address. The message says why, for people."""


def permitted_addresses(host: str, port: int, is_encrypted: bool) -> list[str]:
    """The permitted ones of the addresses that a host name resolves to; raises AddressRefused if there are none.

    Connect to one of these, not to the name: it may resolve to something else a moment later.
    """
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"The host name {host} can't be resolved.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in resolved))
    allowed = [address for address in addresses if _is_allowed(ip_address(address))]
    if allowed:
        return allowed
    public = [address for address in addresses if is_public(ip_address(address))]
    if not public:
        raise AddressRefused(
            f"{host} is not a public address. The registry sends nothing to its own network unless an operator "
            "allows it with ENDPOINT_NETWORKS."
        )
    if not is_encrypted:
        raise AddressRefused("The address must begin with https://.")
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
