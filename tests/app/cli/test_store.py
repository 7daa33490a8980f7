"""`dai models catalogue` and `search` tell what can be downloaded."""

from collections.abc import Iterator

import pytest

from app.core.settings import SettingsStore
from tests.engines.store.hub_server import HubServer, hub_server


@pytest.fixture
def hub(home, monkeypatch) -> Iterator[HubServer]:
    """The hub of the settings."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with hub_server() as server:
        SettingsStore(home.settings).change(hub_endpoint=server.hub)
        yield server


def test_the_catalogue_tells_sizes_terms_and_persian_without_any_network(dai, hub):
    result = dai("models", "catalogue")
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    assert len(lines) % 3 == 0
    assert all(" · about " in line and "Persian" in line for line in lines[::3])
    assert hub.seen == []


def test_the_catalogue_is_persian_where_the_user_is(dai, home, persian):
    assert "فارسی: " in dai("models", "catalogue").out


def test_the_catalogue_as_json_has_all_the_facts(dai, home):
    first = dai("models", "catalogue", "--json").json[0]
    assert {"id", "repository", "licence", "persian", "files"} <= first.keys()


def test_a_search_lists_what_the_hub_finds(dai, hub):
    hub.models["owner/tiny-GGUF"] = {"downloads": 1, "tags": ["license:mit"], "gated": "manual"}
    result = dai("models", "search", "tiny")
    assert result.out == "owner/tiny-GGUF · 1 download · mit · its owners want to be asked first\n"
    assert hub.seen[0].query["search"] == ["tiny"]
    [found] = dai("models", "search", "tiny", "--json").json
    assert (found["repository"], found["gated"]) == ("owner/tiny-GGUF", True)


def test_a_search_can_be_narrowed_to_a_language(dai, hub):
    hub.searches = True
    hub.models |= {"owner/one": {"tags": ["gguf"]}, "owner/two": {"tags": ["gguf", "fa"]}}
    assert dai("models", "search", "owner", "--language", "fa").out.splitlines() == [
        "owner/two · 0 downloads"
    ]


def test_a_search_is_sorted_by_the_hub(dai, hub):
    dai("models", "search", "tiny", "--sort", "updated")
    assert hub.seen[0].query["sort"] == ["lastModified"]


def test_a_search_without_a_hit_says_so(dai, hub):
    assert dai("models", "search", "none").out == ("The hub has no model in GGUF files called “none”.\n")


def test_a_sign_in_page_in_place_of_the_hub_is_named(dai, hub):
    hub.faults.page = True
    result = dai("models", "search", "tiny")
    assert result.status == 1
    assert "log in first" in result.err
