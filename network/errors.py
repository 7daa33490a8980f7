"""Everything that can go wrong between devices.

NetworkError
├── MessageError               what arrived cannot be used
│   ├── MessageTooLarge        carries `limit_bytes`
│   ├── MessageInvalid         no message of this protocol, or a value out of its range
│   ├── SignatureInvalid       not signed by whom it claims, or altered on its way
│   └── ProtocolTooNew         the other side speaks a later version; carries `version`
├── CardError                  a device's card cannot be used; carries `node`, `name`
│   ├── CardExpired            it is too old: the device has to publish another
│   ├── CardNotYetValid        it lies in the future: one of the two clocks is wrong
│   ├── CardOutdated           we know a later one: somebody may be showing an old key again
│   ├── SuiteUnsupported       it wants an encryption that this version does not have; carries `suite`
│   └── IdentityChanged        a known device shows another key: ask the user; carries `known`
├── PairingError               two devices could not be introduced to each other
│   ├── PairingCodeInvalid     what was scanned or typed is no pairing code
│   └── PairingMismatch        the card is not the one of the device that was scanned; carries `name`
├── KeyStoreError              this device's keys cannot be used
│   ├── KeysLocked             the passphrase is not the right one
│   ├── KeysDamaged            what is kept is not what was written
│   └── KeyStoreUnavailable    the keyring or the file does not let us read or write
├── QuestionError              a question on its way to a device; carries `job`
│   ├── QuestionTooLong        carries `size_bytes`, `limit_bytes`
│   ├── QuestionNotForUs       sealed for another device, or for a key that is gone
│   ├── QuestionAltered        it was changed on its way
│   ├── QuestionExpired        nobody waits for its answer any more
│   └── QuestionRepeated       it was answered already
├── AnswerError                an answer on its way back; carries `node`
│   ├── AnswerAltered          changed, repeated, or taken from elsewhere
│   ├── AnswerOutOfOrder       a part is missing; carries `expected`, `found`
│   ├── AnswerIncomplete       it ended without its end; what arrived stays valid
│   └── AnswerTooLong          more than anybody asked for
├── ReceiptInvalid             two signatures that do not belong together
├── NoWorkerFits               no device can take the question; carries `found`, `wanted`
├── LinkClosed                 the connection between two devices has ended
│   └── Goodbye                the router has ended it; carries `reason`, `retry_seconds`
├── RouterError                a router could not be asked; carries `host`
│   ├── RouterUnreachable      there is no connection to it, or it broke
│   ├── RouterRefused          it wants an invitation, or does not admit this device
│   ├── RouterBusy             too much to do, or about to restart; carries `wait_seconds`
│   ├── RouterFailed           it answers, but not as a router does
│   ├── RouterChanged          it shows another key than at the first visit: ask the user
│   └── JobUnknown             it does not know the question, or not any more
└── QueueError                 a router cannot keep a question for its workers
    ├── QueueFull              too many are waiting; carries `position`, `wait_seconds`
    ├── QueueConflict          another question has this number; carries `job`
    ├── QueueDamaged           the router's file of waiting questions cannot be read; carries `path`
    └── BrokerUnavailable      the server that keeps the questions of several routers does not answer

No error carries a key, a question or an answer; `details` are for diagnostics.
"""

from __future__ import annotations

from pathlib import Path


class NetworkError(Exception):
    """Base of all errors between devices. `details` is for diagnostics, never a sentence for users."""

    def __init__(self, details: str = "") -> None:
        super().__init__(details)
        self.details = details


class MessageError(NetworkError):
    """What arrived cannot be used."""


class MessageTooLarge(MessageError):
    """The message is longer than any of its kind may be."""

    def __init__(self, limit_bytes: int, details: str = "") -> None:
        super().__init__(details)
        self.limit_bytes = limit_bytes


class MessageInvalid(MessageError):
    """No message of this protocol, or a value out of its range."""


class SignatureInvalid(MessageError):
    """Not signed by whom it claims, or altered on its way."""


class ProtocolTooNew(MessageError):
    """The other side speaks a later version of the protocol."""

    def __init__(self, version: int, details: str = "") -> None:
        super().__init__(details)
        self.version = version


class CardError(NetworkError):
    """The card of the device `node`, which calls itself `name`, cannot be used."""

    def __init__(self, node: str, name: str = "", details: str = "") -> None:
        super().__init__(details)
        self.node = node
        self.name = name or node[:8]


class CardExpired(CardError):
    """The card is too old."""


class CardNotYetValid(CardError):
    """The card lies in the future: one of the two clocks is wrong."""


class CardOutdated(CardError):
    """A later card is known, or another one with the same number: an old key may be shown again."""


class SuiteUnsupported(CardError):
    """The card wants an encryption that this version does not have."""

    def __init__(self, node: str, name: str, suite: str, details: str = "") -> None:
        super().__init__(node, name, details)
        self.suite = suite


class IdentityChanged(CardError):
    """The device known as `name` had the identity `known`, and now shows another: `node`."""

    def __init__(self, node: str, name: str, known: str, details: str = "") -> None:
        super().__init__(node, name, details)
        self.known = known


class PairingError(NetworkError):
    """Two devices could not be introduced to each other."""


class PairingCodeInvalid(PairingError):
    """What was scanned or typed is no pairing code, or has a mistake in it."""


class PairingMismatch(PairingError):
    """The card that arrived is not the one of the device that was scanned."""

    def __init__(self, name: str, details: str = "") -> None:
        super().__init__(details)
        self.name = name


class KeyStoreError(NetworkError):
    """This device's own keys cannot be used."""


class KeysLocked(KeyStoreError):
    """The passphrase is not the right one."""


class KeysDamaged(KeyStoreError):
    """What is kept is not what was written."""


class KeyStoreUnavailable(KeyStoreError):
    """The system's keyring, or the file, does not let us read or write."""


class QuestionError(NetworkError):
    """A question cannot be sent to, or taken by, a device. `job` is its number."""

    def __init__(self, job: str, details: str = "") -> None:
        super().__init__(details)
        self.job = job


class QuestionTooLong(QuestionError):
    """The question with all that belongs to it is longer than a message may be."""

    def __init__(self, job: str, size_bytes: int, limit_bytes: int, details: str = "") -> None:
        super().__init__(job, details)
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class QuestionNotForUs(QuestionError):
    """Sealed for another device, or for a key of ours that is gone."""


class QuestionAltered(QuestionError):
    """The question, or what it is bound to, was changed on its way."""


class QuestionExpired(QuestionError):
    """Nobody waits for the answer any more, or the clocks differ too much."""


class QuestionRepeated(QuestionError):
    """This device has answered the question already."""


class AnswerError(NetworkError):
    """The answer of the device `node` cannot be used, or not to its end."""

    def __init__(self, node: str, details: str = "") -> None:
        super().__init__(details)
        self.node = node


class AnswerAltered(AnswerError):
    """A part was changed, repeated, or taken from another answer."""


class AnswerOutOfOrder(AnswerError):
    """Part number `expected` was due, and `found` arrived."""

    def __init__(self, node: str, expected: int, found: int, details: str = "") -> None:
        super().__init__(node, details)
        self.expected = expected
        self.found = found


class AnswerIncomplete(AnswerError):
    """The answer stopped without its end; what arrived until then is authentic."""


class AnswerTooLong(AnswerError):
    """The answer goes on beyond every limit."""


class ReceiptInvalid(NetworkError):
    """The two signatures under an answer do not belong together, or not to this answer."""


class NoWorkerFits(NetworkError):
    """Fewer devices fit than were wanted: none of them has the model, the languages and a free slot."""

    def __init__(self, found: int, wanted: int, details: str = "") -> None:
        super().__init__(details)
        self.found = found
        self.wanted = wanted


class LinkClosed(NetworkError):
    """The connection between two devices has ended; what was sent last may not have arrived."""


class Goodbye(LinkClosed):
    """The router has ended the connection, for the `reason` of its `bye`; come back in `retry_seconds`."""

    def __init__(self, reason: str, retry_seconds: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_seconds = retry_seconds


class RouterError(NetworkError):
    """The router at `host` could not be asked."""

    def __init__(self, host: str, details: str = "") -> None:
        super().__init__(details)
        self.host = host


class RouterUnreachable(RouterError):
    """There is no connection to the router, or it broke and did not come back."""


class RouterRefused(RouterError):
    """The router wants an invitation, or does not admit this device."""


class RouterBusy(RouterError):
    """The router has too much to do, or is about to restart. Ask again in `wait_seconds`."""

    def __init__(self, host: str, wait_seconds: int, details: str = "") -> None:
        super().__init__(host, details)
        self.wait_seconds = wait_seconds


class RouterFailed(RouterError):
    """What answers at this address does not answer as a router does."""


class RouterChanged(RouterError):
    """The router shows another key than at the first visit: it was set up anew, or is another one."""


class JobUnknown(RouterError):
    """The router does not know the question, or not any more."""


class QueueError(NetworkError):
    """A router cannot keep a question for its workers."""


class QueueFull(QueueError):
    """Too many questions are waiting: `position` of them. Ask again in `wait_seconds`."""

    def __init__(self, position: int, wait_seconds: int, details: str = "") -> None:
        super().__init__(details)
        self.position = position
        self.wait_seconds = wait_seconds


class QueueConflict(QueueError):
    """Another question with the number `job` was sent before."""

    def __init__(self, job: str, details: str = "") -> None:
        super().__init__(details)
        self.job = job


class QueueDamaged(QueueError):
    """The router's file of waiting questions cannot be read, or a newer version has written it."""

    def __init__(self, path: Path, details: str = "") -> None:
        super().__init__(details)
        self.path = path


class BrokerUnavailable(QueueError):
    """The server that keeps the questions of several routers does not answer, or does not let us in."""
