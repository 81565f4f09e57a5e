"""Mail addresses: one parser, for channels, forms and the sender."""

import pytest

from aigen.errors import UsageError
from aigen.types.addresses import for_servers, is_address
from aigen.types.request import check_channel

USABLE = {
    "ana@example.org": "ana@example.org",
    "ana.b+c@sub.example.org": "ana.b+c@sub.example.org",
    "root@localhost": "root@localhost",
    "ana@printer.local": "ana@printer.local",
    "ana@ex\u00e4mple.org": "ana@xn--exmple-cua.org",
    "an\u00e4@example.org": "an\u00e4@example.org",
}
UNUSABLE = [
    "ana@example.org?subject=hi", "ana@example.org.", "ana@example..org", "ana..b@example.org", ".ana@example.org",
    "ana", "ana@", "@example.org", "ana@example.org, bob@example.org", "ana@example.org\nBcc: bob@example.org",
    "a b@example.org", "//user:password@example.org", "ana?x@example.org", "ana%40x@example.org",
    "a" * 65 + "@example.org", f"ana@{'a' * 250}.org", "Ana <ana@example.org>", '"a b"@example.org',
    "ana@[127.0.0.1]", "ana@.local", "a b@localhost",
]  # fmt: skip


@pytest.mark.parametrize("address", USABLE)
def test_an_address_is_used_as_servers_take_it(address: str) -> None:
    assert is_address(address)
    assert for_servers(address) == USABLE[address]
    check_channel(f"mailto:{address}")


@pytest.mark.parametrize("address", UNUSABLE)
def test_what_is_no_address_is_refused_when_ordering(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(UsageError, match="has no usable address"):
        check_channel(f"mailto:{address}")
