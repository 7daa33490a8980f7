"""What a device shows of the groups that it belongs to."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from network.protocol.fields import Digest, GroupTag
from network.protocol.message import Part


class Membership(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device's place in a group; neither tells the secret that the members share."""

    group: GroupTag
    proof: Digest
    """HMAC-SHA256 of the group's secret over 'dai member 1', a zero byte and the member's identity key.

    Checked by the asker: a router cannot put a stranger into a group.
    """


Memberships = Annotated[tuple[Membership, ...], Meta(max_length=16)]
