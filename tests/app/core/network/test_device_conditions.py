"""What the system tells about power, connection and temperature, read from its own files and programs."""

import pytest

from app.core.network.device_conditions import (
    Conditions,
    DeviceConditions,
    celsius_by_files,
    charging_by_files,
    metered_of,
    read_conditions,
)


@pytest.fixture
def supply(tmp_path):
    def make(name, **values):
        (tmp_path / name).mkdir()
        for key, value in values.items():
            (tmp_path / name / key).write_text(value + "\n")

    return make


def test_a_device_on_its_battery_does_not_charge(supply, tmp_path):
    supply("AC", type="Mains", online="0")
    supply("BAT0", type="Battery", status="Discharging")
    assert charging_by_files(tmp_path) is False


@pytest.mark.parametrize("status", ["Charging", "Full", "Not charging"])
def test_a_plugged_in_device_charges_however_full_it_is(supply, tmp_path, status):
    supply("AC", type="Mains", online="1")
    supply("BAT0", type="Battery", status=status)
    assert charging_by_files(tmp_path) is True


def test_a_device_without_a_battery_has_power_and_that_of_a_mouse_does_not_count(supply, tmp_path):
    assert charging_by_files(tmp_path) is True
    supply("mouse", type="Battery", status="Discharging", scope="Device")
    assert charging_by_files(tmp_path) is True


def test_what_cannot_be_read_is_not_known(supply, tmp_path):
    assert charging_by_files(tmp_path / "nothing") is None
    supply("secret")
    assert charging_by_files(tmp_path) is None


def test_the_hottest_sensor_counts_and_broken_ones_do_not(tmp_path):
    for number, told in enumerate(["45000", "61500", "-40000", "999999", "x", ""]):
        (tmp_path / f"thermal_zone{number}").mkdir()
        (tmp_path / f"thermal_zone{number}" / "temp").write_text(told)
    assert celsius_by_files(tmp_path) == 61.5
    assert celsius_by_files(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("told", "metered"),
    [
        ("GENERAL.STATE:100 (connected)\nGENERAL.METERED:no (guessed)\n", False),
        ("GENERAL.STATE:100 (connected)\nGENERAL.METERED:yes\n", True),
        ("GENERAL.STATE:30 (disconnected)\nGENERAL.METERED:yes\n", None),
        (
            "GENERAL.STATE:100 (connected)\nGENERAL.METERED:no\n\n"
            "GENERAL.STATE:100 (connected)\nGENERAL.METERED:yes (guessed)\n",
            True,
        ),
        ("GENERAL.STATE:100 (connected)\nGENERAL.METERED:unknown\n", None),
        ("Error: NetworkManager is not running.\n", None),
    ],
)
def test_one_metered_connection_is_enough(told, metered):
    assert metered_of(told) is metered


def test_the_system_is_asked_rarely_and_the_user_interface_knows_better():
    time, asked = 0.0, []

    def read():
        asked.append(time)
        return Conditions(charging=None, metered=False, celsius=50.0)

    conditions = DeviceConditions(read, lambda: time)
    assert conditions.now() == conditions.now() == Conditions(None, metered=False, celsius=50.0)
    conditions.report(charging=True, metered=True)
    assert conditions.now() == Conditions(charging=True, metered=True, celsius=50.0)
    time = 20.0
    conditions.now()
    assert asked == [0.0, 20.0]


def test_this_machine_can_be_asked():
    found = read_conditions()
    assert found.charging in (True, False, None)
    assert found.celsius is None or 0 < found.celsius < 130
