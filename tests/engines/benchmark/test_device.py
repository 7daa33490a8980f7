"""Memory and energy, read from files as Linux and Android write them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engines.benchmark.energy import EnergyMeter
from engines.benchmark.process_memory import child_processes, peak_memory


def write(folder: Path, **values: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")
    return folder


def test_the_processors_counter_is_read_package_by_package(tmp_path: Path) -> None:
    packages = [
        write(tmp_path / f"intel-rapl:{number}", energy_uj=1_000_000, max_energy_range_uj=9_000_000)
        for number in (0, 1)
    ]
    part = write(tmp_path / "intel-rapl:0:0", energy_uj=0, max_energy_range_uj=9_000_000)
    meter = EnergyMeter(tmp_path, tmp_path / "none")
    write(packages[0], energy_uj=3_500_000)
    write(packages[1], energy_uj=1_500_000)
    write(part, energy_uj=2_000_000)
    assert (meter.source, meter.joules()) == ("rapl", pytest.approx(3.0))


def test_a_counter_that_has_started_again_is_understood(tmp_path: Path) -> None:
    package = write(tmp_path / "intel-rapl:0", energy_uj=8_000_000, max_energy_range_uj=9_000_000)
    meter = EnergyMeter(tmp_path, tmp_path / "none")
    write(package, energy_uj=500_000)
    assert meter.joules() == pytest.approx(1.5)


def test_a_battery_is_read_where_the_processor_tells_nothing(tmp_path: Path) -> None:
    battery = write(tmp_path / "BAT0", type="Battery", status="Discharging", energy_now=50_000_000)
    write(tmp_path / "AC", type="Mains")
    meter = EnergyMeter(tmp_path / "none", tmp_path)
    assert (meter.source, meter.joules()) == ("battery", None)
    write(battery, energy_now=49_990_000)
    assert meter.joules() == pytest.approx(36.0)


def test_a_battery_that_tells_its_charge_is_read_too(tmp_path: Path) -> None:
    battery = write(
        tmp_path / "battery",
        type="Battery",
        status="Discharging",
        charge_now=3_000_000,
        voltage_now=4_000_000,
    )
    meter = EnergyMeter(tmp_path / "none", tmp_path)
    write(battery, charge_now=2_999_000)
    assert meter.joules() == pytest.approx(14.4)


@pytest.mark.parametrize("status", ["Charging", "Full"])
def test_a_battery_on_the_mains_tells_nothing(tmp_path: Path, status: str) -> None:
    write(tmp_path / "BAT0", type="Battery", status=status, energy_now=50_000_000)
    meter = EnergyMeter(tmp_path / "none", tmp_path)
    assert (meter.source, meter.joules()) == (None, None)


@pytest.mark.desktop("child processes")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.parametrize("with_psutil", [True, False])
def test_a_childs_memory_is_told_apart_from_ours(with_psutil: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not with_psutil:
        monkeypatch.setitem(sys.modules, "psutil", None)
    before = child_processes()
    code = "block = bytearray(64 << 20); block = None; print('done', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"done\n"
        new = child_processes() - before
        peak = peak_memory(new)
        child.communicate(b"\n")
    assert new == {child.pid}
    assert peak is not None
    assert 64 << 20 < peak < 200 << 20


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system another way there")
def test_without_a_child_it_is_our_own_memory(tmp_path: Path) -> None:
    own = peak_memory([])
    assert own is not None
    assert own > 10 << 20
    folder = write(tmp_path / str(os.getpid()), status="Name:\tdai\nVmHWM:\t  123 kB\nPPid:\t1")
    assert peak_memory([], folder.parent) == 123 * 1024
