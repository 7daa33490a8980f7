"""What people type as an address of a page, and where it may lead."""

from __future__ import annotations

import pytest

from rag.errors import WebAddressInvalid
from rag.web.address import is_private, looks_like_address, read_address


@pytest.mark.parametrize(
    ("typed", "url", "host"),
    [
        ("https://Example.org", "https://example.org/", "example.org"),
        ("  example.org/a?b=c#part ", "https://example.org/a?b=c", "example.org"),
        ("HTTP://example.org:80/a", "http://example.org/a", "example.org"),
        ("https://example.org:8443/", "https://example.org:8443/", "example.org"),
        ("localhost:8000/a", "https://localhost:8000/a", "localhost"),
        ("https://fa.example.org/صفحه", "https://fa.example.org/%D8%B5%D9%81%D8%AD%D9%87", "fa.example.org"),
        ("https://مثال.example/", "https://xn--mgbh0fb.example/", "xn--mgbh0fb.example"),
        ("http://[::1]:8000/a", "http://[::1]:8000/a", "[::1]"),
        ("https://example.org/a%20b", "https://example.org/a%20b", "example.org"),
    ],
)
def test_addresses_are_understood_as_people_write_them(typed: str, url: str, host: str) -> None:
    address = read_address(typed)
    assert (address.url, address.host) == (url, host)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "two words",
        "file:///etc/passwd",
        "ftp://example.org",
        "javascript:alert(1)",
        "mailto:a@example.org",
        "https://user:secret@example.org",
        "https://exa mple.org",
        "https://exam\nple.org",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "https://-a.org",
        "https://example.org:99999/",
        "https://example.org/" + "a" * 3000,
        "https://",
    ],
)
def test_what_is_no_address_of_a_page_is_refused(typed: str) -> None:
    with pytest.raises(WebAddressInvalid) as refused:
        read_address(typed)
    assert "secret" not in refused.value.name


@pytest.mark.parametrize(
    ("typed", "private"),
    [
        ("https://example.org", False),
        ("https://8.8.8.8", False),
        ("http://127.0.0.1", True),
        ("http://192.168.1.1", True),
        ("http://169.254.169.254", True),
        ("http://[::1]", True),
        ("http://[::ffff:10.0.0.1]", True),
        ("http://router", True),
        ("http://nas.local", True),
        ("http://localhost", True),
    ],
)
def test_addresses_at_home_are_known(typed: str, private: bool) -> None:
    assert read_address(typed).private is private


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("1.1.1.1", False),
        ("10.1.2.3", True),
        ("100.64.0.1", True),
        ("224.0.0.1", True),
        ("0.0.0.0", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("64:ff9b::a00:1", True),
        ("64:ff9b::808:808", False),
        ("2606:4700::1111", False),
    ],
)
def test_numbers_of_private_networks_are_known(address: str, private: bool) -> None:
    assert is_private(address) is private


def test_one_site_has_several_hosts() -> None:
    one = read_address("https://example.org")
    assert one.same_site(read_address("http://www.example.org/a"))
    assert read_address("https://www.example.org").same_site(one)
    assert not one.same_site(read_address("https://notexample.org"))
    assert not one.same_site(read_address("https://example.org.evil.test"))


def test_a_file_is_told_from_a_page() -> None:
    assert looks_like_address("https://example.org")
    assert not looks_like_address("notes/https.txt")
    assert not looks_like_address("C:\\notes.txt")
