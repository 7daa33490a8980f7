"""How far this device trusts a worker: from what it has seen itself, and from nothing anybody says.

Two things are seen. **Canaries** are questions whose answer the asker knew; a worker that fails too many is
put into quarantine. **Agreement** with the other workers of a question moves the trust a little, and can
never quarantine anybody: a majority may be wrong, and may be one person.

Trust is the mean of a Beta distribution, (good + 1) / (good + bad + 2): a half for a stranger, and slow to be
moved by little. What was seen long ago counts less. The quarantine is a cumulative sum test (CUSUM; Page
1954): it asks, canary by canary, whether the worker passes as its model should or rather at 60 %.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from network.errors import MessageInvalid
from network.protocol.fields import ModelTag, NodeId, Time

DAY = 86_400
HALF_LIFE_SECONDS = 30 * DAY
QUARANTINE_SECONDS = 30 * DAY
"""After that a worker is a stranger again: its owner may have repaired it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of the test; tests/network/test_trust_simulation.py holds them to what they promise."""

    usual_pass: float = 0.90
    """How often an honest worker passes a canary, where its model has not been measured."""
    cheater_pass: float = 0.60
    """Whoever passes more rarely than about the middle of the two is found."""
    false_alarm: float = 0.001
    missed: float = 0.01
    canary_counts: float = 2.0
    agreement_counts: float = 0.05
    disagreement_counts: float = 0.25
    canary_share: float = 0.05
    """Of all questions, once everybody is known."""
    stranger_share: float = 0.15
    """So many more while all are strangers."""
    few_canaries: int = 4
    suspect_first: float = 5.0
    """A failed canary makes the next one come as early as if seven fewer had been sent."""


DEFAULT_RULES = Rules()
_Weight = Annotated[float, Meta(ge=0.0, le=1e9)]


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was seen of one worker with one model."""

    good: _Weight = 0.0
    bad: _Weight = 0.0
    suspicion: Annotated[float, Meta(ge=-100.0, le=1_000.0)] = 0.0
    canaries: Annotated[int, Meta(ge=0)] = 0
    questions: Annotated[int, Meta(ge=0)] = 0
    """Answered for this device, canaries among them."""
    changed: Time = 0
    quarantined: Time | None = None
    """Since when."""

    @property
    def trust(self) -> float:
        """0 to 1."""
        return (self.good + 1.0) / (self.good + self.bad + 2.0)


STRANGER = Standing()


def at(standing: Standing, now: int) -> Standing:
    """As it counts at this time: the past fades, a quarantine ends."""
    if standing.quarantined is not None:
        return STRANGER if now - standing.quarantined >= QUARANTINE_SECONDS else standing
    age = max(0, now - standing.changed)
    fading = 0.5 ** (age / HALF_LIFE_SECONDS) if age else 1.0
    return msgspec.structs.replace(standing, good=standing.good * fading, bad=standing.bad * fading)


def after_canary(
    standing: Standing,
    now: int,
    *,
    passed: bool,
    usual_pass: float | None = None,
    rules: Rules = DEFAULT_RULES,
) -> Standing:
    """After a canary. `usual_pass` is how often this model passes when it is known to be honest, as measured:
    without it a weak but honest model would be taken for a cheat."""
    standing = at(standing, now)
    # A weak model leaves less room below it; what is to be found must stay clearly worse.
    honest = min(0.99, max(0.05, rules.usual_pass if usual_pass is None else usual_pass))
    cheater = honest * rules.cheater_pass / rules.usual_pass
    step = math.log(cheater / honest) if passed else math.log((1 - cheater) / (1 - honest))
    alarm = math.log((1 - rules.missed) / rules.false_alarm)
    floor = math.log(rules.missed / (1 - rules.false_alarm))  # a good past cannot be saved up without limit
    suspicion = max(floor, standing.suspicion + step)
    caught = suspicion >= alarm or standing.quarantined is not None
    return msgspec.structs.replace(
        standing,
        good=standing.good + rules.canary_counts * passed,
        bad=standing.bad + rules.canary_counts * (not passed),
        suspicion=suspicion,
        canaries=standing.canaries + 1,
        questions=standing.questions + 1,
        changed=now,
        quarantined=(standing.quarantined or now) if caught else None,
    )


def after_answer(
    standing: Standing, now: int, *, agreed: bool | None, rules: Rules = DEFAULT_RULES
) -> Standing:
    """After an ordinary answer: whether others agreed with it; None where nobody agreed with anybody."""
    standing = at(standing, now)
    return msgspec.structs.replace(
        standing,
        good=standing.good + (rules.agreement_counts if agreed else 0.0),
        bad=standing.bad + (rules.disagreement_counts if agreed is False else 0.0),
        questions=standing.questions + 1,
        changed=now,
    )


class TrustBook:
    """The standings of all workers that this device has met. Not thread-safe."""

    def __init__(
        self, standings: Mapping[tuple[str, str], Standing] | None = None, rules: Rules = DEFAULT_RULES
    ) -> None:
        self._standings: dict[str, dict[str, Standing]] = {}
        self._rules = rules
        for (node, model), standing in (standings or {}).items():
            self._keep(node, model, standing)

    def standing(self, node: str, model: str, now: int) -> Standing:
        """As it counts at this time."""
        return at(self._standings.get(node, {}).get(model, STRANGER), now)

    def models(self, node: str, now: int) -> dict[str, Standing]:
        """All standings of a worker, as they count at this time."""
        return {model: at(standing, now) for model, standing in self._standings.get(node, {}).items()}

    def quarantined(self, node: str, now: int) -> bool:
        """Whether it was caught with any of its models: it is the owner that cheats, not the model."""
        standings = self._standings.get(node, {}).values()
        return any(at(standing, now).quarantined is not None for standing in standings)

    def canary(
        self, node: str, model: str, now: int, *, passed: bool, usual_pass: float | None = None
    ) -> Standing:
        """Note the outcome of a canary."""
        standing = self.standing(node, model, now)
        standing = after_canary(standing, now, passed=passed, usual_pass=usual_pass, rules=self._rules)
        self._keep(node, model, standing)
        return standing

    def answer(self, node: str, model: str, now: int, *, agreed: bool | None) -> Standing:
        """Note an ordinary answer."""
        standing = after_answer(self.standing(node, model, now), now, agreed=agreed, rules=self._rules)
        self._keep(node, model, standing)
        return standing

    def canary_share(self, nodes: Iterable[str], model: str, now: int) -> float:
        """How many of the questions among these workers shall be canaries: more, the less they are known."""
        known = [self.standing(node, model, now).canaries for node in nodes]
        strangers = sum(canaries < self._rules.few_canaries for canaries in known)
        return self._rules.canary_share + self._rules.stranger_share * strangers / max(1, len(known))

    def least_tested(self, nodes: Iterable[str], model: str, count: int, draw: bytes, now: int) -> list[str]:
        """Whom to send a canary: suspects, then those with the fewest so far, strangers first.

        If canaries followed trust as questions do, a suspect would be starved before it was tested.
        """

        def order(node: str) -> tuple[float, bytes]:
            standing = self.standing(node, model, now)
            owed = standing.canaries - self._rules.suspect_first * max(0.0, standing.suspicion)
            return owed, hashlib.sha256(draw + node.encode()).digest()

        return sorted((node for node in nodes if not self.quarantined(node, now)), key=order)[:count]

    def forget(self, node: str) -> None:
        """The user gives a worker another chance, or does not want to be reminded of it."""
        self._standings.pop(node, None)

    def encode(self) -> bytes:
        """All of it, to be kept on this device only."""
        return msgspec.json.encode(
            [
                _Entry(node=node, model=model, standing=standing)
                for node, models in self._standings.items()
                for model, standing in models.items()
            ]
        )

    @classmethod
    def decode(cls, data: bytes, rules: Rules = DEFAULT_RULES) -> TrustBook:
        """Raises MessageInvalid."""
        try:
            entries = msgspec.json.decode(data, type=list[_Entry])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise MessageInvalid("the book of trust is damaged") from None
        return cls({(entry.node, entry.model): entry.standing for entry in entries}, rules)

    def _keep(self, node: str, model: str, standing: Standing) -> None:
        self._standings.setdefault(node, {})[model] = standing


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    node: NodeId
    model: ModelTag
    standing: Standing
