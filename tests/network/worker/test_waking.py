"""Sleep and other networks are noticed; slow moments and lost networks are no reason to connect anew."""

import pytest

from network.worker.waking import SLEPT_SECONDS, Waking, own_addresses

HOME, OFFICE, NOWHERE = frozenset({"192.168.1.7"}), frozenset({"10.0.0.4"}), frozenset()


class Device:
    def __init__(self):
        self.wall, self.monotonic, self.addresses = 1000.0, 50.0, HOME
        self.waking = Waking(lambda: self.wall, lambda: self.monotonic, lambda: self.addresses)

    def later(self, wall=5.0, monotonic=5.0, addresses=None):
        self.wall += wall
        self.monotonic += monotonic
        self.addresses = self.addresses if addresses is None else addresses
        return self.waking.look(5.0)


@pytest.mark.parametrize(
    ("wall", "monotonic", "slept"),
    [
        (5.0, 5.0, False),
        (5.0 + SLEPT_SECONDS, 5.0 + SLEPT_SECONDS, False),
        (3_600.0, 5.0, True),
        (3_600.0, 3_600.0, True),
        (-3_600.0, 5.0, False),
    ],
)
def test_sleep_shows_in_one_of_the_clocks_at_least(wall, monotonic, slept):
    device = Device()
    assert device.later(wall, monotonic) is slept
    assert not device.later()


def test_another_network_is_noticed_once_also_after_none_at_all():
    device = Device()
    assert not device.later(addresses=NOWHERE)
    assert not device.later(addresses=HOME)
    assert not device.later(addresses=NOWHERE)
    assert device.later(addresses=OFFICE)
    assert not device.later()


def test_this_device_can_be_asked():
    assert all(isinstance(address, str) for address in own_addresses())
