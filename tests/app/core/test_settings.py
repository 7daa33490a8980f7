"""Settings survive restarts, and a damaged file costs only what is damaged."""

from pathlib import Path

import msgspec
import pytest

from app.core.settings import Settings, SettingsStore


def test_a_change_is_kept_and_told(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    told: list[Settings] = []
    unsubscribe = store.subscribe(told.append)
    store.change(language="fa", text_scale=1.2)
    unsubscribe()
    store.change(theme="dark")
    assert [settings.language for settings in told] == ["fa"]
    again = SettingsStore(tmp_path / "settings.json").current
    assert (again.language, again.text_scale, again.theme) == ("fa", 1.2, "dark")


@pytest.mark.parametrize("values", [{"text_scale": 9.0}, {"language": "xx"}, {"context_tokens": "many"}])
def test_a_value_out_of_range_is_refused_and_nothing_changes(
    tmp_path: Path, values: dict[str, object]
) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    before = store.current
    with pytest.raises(msgspec.ValidationError):
        store.change(**values)
    assert store.current == before


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="colour"):
        SettingsStore(tmp_path / "settings.json").change(colour="red")


def test_one_wrong_value_in_the_file_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"language": "fa", "text_scale": 99, "of_a_newer_version": 1}', encoding="utf-8")
    settings = SettingsStore(path).current
    assert (settings.language, settings.text_scale) == ("fa", 1.0)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]"])
def test_a_damaged_file_starts_with_the_defaults_and_offline(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    assert SettingsStore(path).current == Settings(offline=True)


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("https://hf-mirror.example", True),
        ("http://192.168.1.5:8080/hf", True),
        ("ftp://mirror.example", False),
        ("https://user:password@mirror.example", False),
        ("https://mirror.example/?a=b", False),
        ("mirror.example", False),
        ("https://", False),
        ("https://mirror.example\nx", False),
    ],
)
def test_an_address_of_the_web_holds_no_password(tmp_path: Path, address: str, accepted: bool) -> None:
    for setting in ("hub_endpoint", "proxy"):
        store = SettingsStore(tmp_path / "settings.json")
        if accepted:
            assert getattr(store.change(**{setting: address}), setting) == address
        else:
            with pytest.raises(msgspec.ValidationError):
                store.change(**{setting: address})


def test_accepted_licences_are_kept(tmp_path: Path) -> None:
    SettingsStore(tmp_path / "settings.json").change(licences_accepted=("https://ai.google.dev/gemma/terms",))
    assert SettingsStore(tmp_path / "settings.json").current.licences_accepted == (
        "https://ai.google.dev/gemma/terms",
    )


def test_what_another_process_has_changed_is_taken_over_and_not_undone(tmp_path):
    one, two = SettingsStore(tmp_path / "settings.json"), SettingsStore(tmp_path / "settings.json")
    told = []
    two.subscribe(told.append)
    one.change(theme="dark")
    assert two.refresh().theme == "dark"
    assert [settings.theme for settings in told] == ["dark"]
    one.change(passages=9)
    two.change(thinking=True)
    assert (one.refresh().passages, one.current.thinking) == (9, True)


def test_a_file_that_is_being_edited_leaves_the_settings_as_they_are(tmp_path):
    path = tmp_path / "settings.json"
    store = SettingsStore(path)
    store.change(offline=True)
    for half in (b"", b'{"offline": fal'):
        path.write_bytes(half)
        assert store.refresh().offline
    path.unlink()
    assert store.refresh().offline
