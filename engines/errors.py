"""Everything that can go wrong in an engine.

EngineError
├── ModelFileError             the file cannot be used; carries `path`
│   ├── ModelFileMissing       moved or deleted
│   ├── ModelFileUnreadable    there, but the system does not let this app read it
│   ├── NotAModel              something else than GGUF, or empty
│   ├── ModelFileDamaged       truncated or corrupted: download it again
│   ├── ModelFileAltered       not the content any more that was downloaded: download it again
│   ├── ModelPartMissing       one of several files that only work together, and another one is not there
│   ├── UnsupportedModel       sound, but of an architecture this engine does not run
│   ├── NotAChatModel          an adapter, projector or embedding model
│   └── AdapterUnusable        missing, or no LoRA adapter for the loaded model
├── NoChatTemplate             a base model: offer plain completion or another model
├── TemplateFailed             the model's template is broken or refuses these messages
├── NotEnoughMemory            carries `needed_bytes`, `available_bytes`
├── NotEnoughDiskSpace         carries `needed_bytes`, `available_bytes`
├── CompressionError           a smaller copy of a model cannot be made; carries `name`, `target`
│   ├── CompressionUnknown     there is no such format, or none that works without training data
│   ├── CompressionPointless   the copy would be no smaller than the model
│   └── CompressionFailed      llama.cpp gave up, or the copy did not pass its checks
├── DownloadError              a model cannot be got from the hub
│   ├── Offline                this device has no network
│   ├── HubError               the hub does not give what was asked for; carries `host`
│   │   ├── HubUnreachable     nothing answers there, or not in time
│   │   ├── HubUntrusted       its certificate is not valid: somebody may stand in between
│   │   ├── HubBusy            overloaded, or too many requests: later again
│   │   ├── HubAnswerBroken    something else answers in its place, such as the login page of a network
│   │   ├── HubRefused         it does not let this device have the file
│   │   ├── HubTokenRejected   it does not accept the access token
│   │   ├── HubGated           its owners want to be asked first; carries `repository`, `url`
│   │   └── HubFileMissing     there is no such model or file (any more); carries `name`
│   ├── HubAddressInvalid      what was typed names no model, hub or proxy; carries `name`
│   ├── QuantisationMissing    the model has no such file; carries `name`, `wanted`
│   ├── HubFileChanged         not the file any more that was chosen; carries `name`
│   ├── TransferDamaged        what arrived is not what the hub has; carries `name`
│   ├── DownloadNeedsSpace     the disk is full; carries `missing_bytes`
│   ├── DownloadInProgress     another window or terminal is downloading it; carries `name`
│   └── CatalogueInvalid       the list of recommended models cannot be read
├── EmbedderFaulty             gives wrong vectors: no search can be trusted; carries `model`
├── OptionRejected             a setting the engine cannot work with; carries `option`
├── PromptTooLong              carries `prompt_tokens`, `context_tokens`
├── EngineUnavailable          the engine's library is not installed; carries `package`
├── RemoteError                a model on another computer does not answer; carries `host`
│   ├── RemoteAddressInvalid   what was typed is not the address of a server
│   ├── RemoteUnreachable      nothing answers there, or not in time
│   ├── RemoteUntrusted        its certificate is not valid: somebody may stand in between
│   ├── RemoteRefused          it wants another key, or none of ours
│   ├── RemoteModelMissing     it does not have this model any more; carries `model`
│   ├── RemoteBusy             overloaded, still loading, or a limit is used up: later again
│   ├── RemoteIncompatible     it does not speak the protocol, or not for this model
│   └── RemoteAnswerBroken     the answer broke off or was not one; its beginning stays valid
├── EngineNotLoaded            closed, or never opened
├── EngineStuck                gave no sign of life for too long and was ended
├── EngineCrashed              its process died; carries `signal` where known
└── EngineKeepsCrashing        died twice in a row with one model; carries `model`: ask before trying again
"""

from __future__ import annotations

from pathlib import Path


class EngineError(Exception):
    """Base of all engine errors. `details` is for diagnostics, never a sentence for users."""

    def __init__(self, details: str = "") -> None:
        super().__init__(details)
        self.details = details


class ModelFileError(EngineError):
    """The model file cannot be used."""

    def __init__(self, path: Path, details: str = "") -> None:
        super().__init__(details)
        self.path = path
        self.name = path.name


class ModelFileMissing(ModelFileError):
    """There is no such file any more."""


class ModelFileUnreadable(ModelFileError):
    """The file is there, but the system does not let this app read it."""


class NotAModel(ModelFileError):
    """The file is empty or is not GGUF."""


class ModelFileDamaged(ModelFileError):
    """The file is GGUF, but truncated or corrupted."""


class ModelPartMissing(ModelFileError):
    """The model is split into several files, and this one is not beside the others under its own name."""


class ModelFileAltered(ModelFileError):
    """The file looks sound, but its content is not what was downloaded."""


class UnsupportedModel(ModelFileError):
    """The file is sound, but this engine does not run its architecture."""


class NotAChatModel(ModelFileError):
    """The file holds an adapter, a projector or an embedding model."""


class AdapterUnusable(ModelFileError):
    """The file is missing, or is no LoRA adapter for the loaded model."""


class NoChatTemplate(EngineError):
    """The model is a base model: it continues text, but cannot hold a conversation."""


class TemplateFailed(EngineError):
    """The model's own chat template is broken or refuses these messages."""


class NotEnoughMemory(EngineError):
    """The model would not fit into the memory that is free now."""

    def __init__(self, needed_bytes: int, available_bytes: int, details: str = "") -> None:
        super().__init__(details)
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes


class NotEnoughDiskSpace(EngineError):
    """The disk has no room for a copy of the model."""

    def __init__(self, needed_bytes: int, available_bytes: int, details: str = "") -> None:
        super().__init__(details)
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes


class CompressionError(EngineError):
    """A smaller copy of the model `name` in the format `target` cannot be made."""

    def __init__(self, name: str, target: str, details: str = "") -> None:
        super().__init__(details)
        self.name = name
        self.target = target


class CompressionUnknown(CompressionError):
    """There is no such format, or it would need data to train with."""


class CompressionPointless(CompressionError):
    """The copy would be no smaller than the model is."""


class CompressionFailed(CompressionError):
    """llama.cpp gave up, or what it made did not pass the checks; nothing was kept."""


class DownloadError(EngineError):
    """A model cannot be got from the hub. `details` never quote a server, an address or a token."""


class Offline(DownloadError):
    """This device has no network."""


class HubError(DownloadError):
    """The hub does not give what was asked for. `host` is the computer that did not."""

    def __init__(self, host: str, details: str = "") -> None:
        super().__init__(details)
        self.host = host


class HubUnreachable(HubError):
    """Nothing answers at this address, or not in time."""


class HubUntrusted(HubError):
    """Its certificate is not valid; nothing was sent."""


class HubBusy(HubError):
    """The hub is overloaded, or wants fewer requests; `wait_seconds` is what it asked for, if it did."""

    def __init__(self, host: str, details: str = "", wait_seconds: float | None = None) -> None:
        super().__init__(host, details)
        self.wait_seconds = wait_seconds


class HubAnswerBroken(HubError):
    """Something else answers in place of the hub, such as the login page of a network."""


class HubRefused(HubError):
    """The hub does not let this device have the file."""


class HubTokenRejected(HubError):
    """The hub does not accept the access token, which may have expired."""


class HubGated(HubError):
    """Whoever wants the model has to accept the terms on its page first, and to send a token."""

    def __init__(self, host: str, repository: str, url: str, details: str = "") -> None:
        super().__init__(host, details)
        self.repository = repository
        self.url = url


class HubFileMissing(HubError):
    """There is no such model or file, or it is private; `name` says which."""

    def __init__(self, host: str, name: str, details: str = "") -> None:
        super().__init__(host, details)
        self.name = name


class HubAddressInvalid(DownloadError):
    """What was typed is no name of a model, and no address of a hub or a proxy."""

    def __init__(self, name: str, details: str = "") -> None:
        super().__init__(details)
        self.name = name


class QuantisationMissing(DownloadError):
    """The model `name` has no file like `wanted`."""

    def __init__(self, name: str, wanted: str, details: str = "") -> None:
        super().__init__(details)
        self.name = name
        self.wanted = wanted


class HubFileChanged(DownloadError):
    """The hub has another file under this name than when it was chosen."""

    def __init__(self, name: str, details: str = "") -> None:
        super().__init__(details)
        self.name = name


class TransferDamaged(DownloadError):
    """What arrived is not what the hub has; nothing of it is kept."""

    def __init__(self, name: str, details: str = "") -> None:
        super().__init__(details)
        self.name = name


class DownloadNeedsSpace(DownloadError):
    """The disk is full; what has arrived is kept."""

    def __init__(self, missing_bytes: int) -> None:
        super().__init__(f"{missing_bytes} bytes too few")
        self.missing_bytes = missing_bytes


class DownloadInProgress(DownloadError):
    """Another process of the app is downloading this file at the moment."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class CatalogueInvalid(DownloadError):
    """The list of recommended models contradicts itself or cannot be read."""


class EmbedderFaulty(EngineError):
    """The embedding model loads, but gives other vectors than it should."""

    def __init__(self, model: str, details: str = "") -> None:
        super().__init__(details)
        self.model = model


class OptionRejected(EngineError):
    """A setting that the engine cannot work with."""

    def __init__(self, option: str, details: str = "") -> None:
        super().__init__(details)
        self.option = option


class PromptTooLong(EngineError):
    """The prompt alone is longer than the context window."""

    def __init__(self, prompt_tokens: int, context_tokens: int) -> None:
        super().__init__(f"{prompt_tokens} tokens, the context window has {context_tokens}")
        self.prompt_tokens = prompt_tokens
        self.context_tokens = context_tokens


class EngineUnavailable(EngineError):
    """The library behind this engine is not installed."""

    def __init__(self, package: str, details: str = "") -> None:
        super().__init__(details)
        self.package = package


class RemoteError(EngineError):
    """A model on another computer does not answer. `host` is the name of that computer.

    `details` never quote the server: what it says may repeat the prompt.
    """

    def __init__(self, host: str, details: str = "") -> None:
        super().__init__(details)
        self.host = host


class RemoteAddressInvalid(RemoteError):
    """What was typed is not the address of a server; `host` is what was typed, as far as it can be shown."""


class RemoteUnreachable(RemoteError):
    """Nothing answers at this address, or not in time."""


class RemoteUntrusted(RemoteError):
    """The server's certificate is not valid; nothing was sent."""


class RemoteRefused(RemoteError):
    """The server wants a key, and not this one."""


class RemoteModelMissing(RemoteError):
    """The server does not have the model."""

    def __init__(self, host: str, model: str, details: str = "") -> None:
        super().__init__(host, details)
        self.model = model


class RemoteBusy(RemoteError):
    """The server is overloaded or still loading the model, or a limit of the account is used up."""


class RemoteIncompatible(RemoteError):
    """The server does not speak the OpenAI protocol, or does not accept such a request for this model."""


class RemoteAnswerBroken(RemoteError):
    """The answer broke off, or is not one; what was streamed before stays valid."""


class EngineNotLoaded(EngineError):
    """The engine has been closed."""


class EngineStuck(EngineError):
    """The engine gave no sign of life for too long and was ended."""


class EngineCrashed(EngineError):
    """The engine's process died."""

    def __init__(self, details: str = "", signal: int | None = None) -> None:
        super().__init__(details)
        self.signal = signal


class EngineKeepsCrashing(EngineError):
    """The engine died twice in a row with one model, without an answer in between."""

    def __init__(self, model: str, details: str = "") -> None:
        super().__init__(details)
        self.model = model
