"""The model store: what is recommended, what the hub has, and under which terms."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import httpx

from app.core.download import Order, OrderPart
from app.core.errors import LicenceNotAccepted
from app.core.licences import terms_of
from app.core.offers import PREFERRED
from app.core.readme import ReadmeText, readable
from app.core.secrets import Secrets, may_be_sent
from app.core.settings import SettingsStore
from engines.errors import CatalogueInvalid, HubFileChanged, HubFileMissing, HubUntrusted, QuantisationMissing
from engines.model_name import model_name
from engines.store.catalogue import Catalogue, CatalogueModel, Licence
from engines.store.connection import HubAccess
from engines.store.hub import Hub, HubFile, HubModel, HubModelDetails, HubOrder
from engines.store.reference import Reference, read_reference

_LONGEST_SEARCH = 200


class Store:
    """Asks the hub of the settings, only when one of its methods is called."""

    def __init__(
        self,
        settings: SettingsStore,
        secrets: Secrets,
        open_client: Callable[..., httpx.AsyncClient] = httpx.AsyncClient,
    ) -> None:
        """`open_client` makes HTTP clients, as `httpx.AsyncClient` does."""
        self._settings = settings
        self._open_client = open_client
        self._secrets = secrets

    @cached_property
    def catalogue(self) -> Catalogue:
        """The recommended models; nobody is asked for them.

        Raises:
            CatalogueInvalid: the file that came with the app cannot be read.
        """
        return Catalogue.load()

    def recommended(self, repository: str) -> CatalogueModel | None:
        """The recommended model of this repository; a list that cannot be read recommends none."""
        return self._models.of_repository(repository)

    @cached_property
    def _models(self) -> Catalogue:
        try:
            return self.catalogue
        except CatalogueInvalid:
            return Catalogue(())

    @property
    def host(self) -> str:
        """The computer that is asked, for the user to know before it is."""
        return _host(self._settings.current.hub_endpoint)

    def page_of(self, repository: str) -> str:
        """The address of a model's own page."""
        return f"{self._settings.current.hub_endpoint.rstrip('/')}/{repository}"

    async def account(self, token: str | None = None) -> str:
        """Ask the hub whose token this is, or the one that is kept; it is sent there and nowhere else.

        Raises:
            HubUntrusted: the way there is not encrypted, so no token is sent.
            HubTokenRejected: the hub does not know it, or there is none.
            DownloadError: the hub does not tell.
        """
        settings = self._settings.current
        if not may_be_sent(settings.hub_endpoint):
            raise HubUntrusted(self.host, "not encrypted")
        if token is None:
            token = await asyncio.to_thread(self._secrets.hub_token, settings.hub_endpoint)
        hub = Hub(self._access(settings.hub_endpoint, lambda: token))
        try:
            return await hub.account()
        finally:
            await hub.close()

    async def search(
        self,
        text: str,
        limit: int = 20,
        language: str | None = None,
        order: HubOrder = HubOrder.DOWNLOADS,
    ) -> list[HubModel]:
        """Models of the hub with GGUF files, for one language if wanted; raises `DownloadError`s.

        Digits of any script are searched as the hub writes them.
        """
        async with self._hub() as hub:
            return await hub.search(_searchable(text), limit, language, order)

    async def details(self, reference: str) -> HubModelDetails:
        """One model with its files, exact sizes and hashes.

        Args:
            reference: an id of the catalogue, or what `read_reference` understands.

        Raises:
            HubAddressInvalid: it names no model.
            DownloadError: the hub does not tell.
        """
        found = self._reference(reference)
        async with self._hub() as hub:
            return await hub.model(found.repository, found.revision)

    async def readme(self, repository: str, revision: str = "main") -> ReadmeText:
        """What a model's makers say of it, without pictures and HTML.

        Raises:
            HubFileMissing: they say nothing.
            DownloadError: the hub does not tell.
        """
        async with self._hub() as hub:
            readme = await hub.readme(repository, revision)
        return await asyncio.to_thread(readable, readme)

    async def order(
        self, reference: str, *, file: str | None = None, quantisation: str | None = None
    ) -> Order:
        """What to give to `Downloads.add` for a model that somebody has named.

        Without a file or a quantisation the recommended one is taken.

        Raises:
            QuantisationMissing, HubFileMissing: the model has no such file, or none at all.
            LicenceNotAccepted, HubFileChanged: see `order_of`.
            HubAddressInvalid, DownloadError: see `details`.
        """
        named = self._reference(reference)
        details = await self.details(reference)
        file = file or named.file
        if file is not None:
            chosen = next((one for one in details.files if one.is_called(file)), None)
            if chosen is None:
                raise QuantisationMissing(details.model.repository, file)
        else:
            chosen = self._choose(details, quantisation or named.quantisation)
        return self.order_of(details, chosen, named.revision)

    def order_of(self, details: HubModelDetails, file: HubFile, branch: str = "main") -> Order:
        """What to give to `Downloads.add` for a file of `details`.

        Raises:
            LicenceNotAccepted: its terms have to be accepted first: see `licence_to_accept`.
            HubFileMissing: it is split into several files, of which the hub lacks one.
            HubFileChanged: it is not the file that the catalogue recommends.
        """
        repository = details.model.repository
        if not file.complete:
            raise HubFileMissing(self.host, f"{_file_name(file)} ({len(file.pieces)}/{file.parts})")
        if (licence := self.licence_to_accept(repository, details.model.licence)) is not None:
            raise LicenceNotAccepted(licence.name, licence.url)
        recommended = self.recommended(repository)
        pinned = (
            next((one.sha256 for one in recommended.files if one.name == file.name), None)
            if recommended
            else None
        )
        if pinned is not None and file.sha256 not in (None, pinned):
            raise HubFileChanged(_file_name(file))
        return Order(
            repository=repository,
            branch=branch,
            commit=details.commit,
            file=file.name,
            bytes=file.bytes,
            sha256=pinned or file.sha256,
            parts=tuple(OrderPart(part.name, part.bytes, part.sha256) for part in file.pieces),
            name=recommended.name if recommended else model_name("", PurePosixPath(file.name).stem),
        )

    def licence_to_accept(self, repository: str, tag: str = "") -> Licence | None:
        """The terms that the user has to agree to before this model is downloaded, and has not yet.

        `tag` is the licence's short name on the hub, for models that are not in the catalogue.
        """
        model = self.recommended(repository)
        licence = terms_of(tag)
        if model is not None:
            licence = model.licence if model.needs_acceptance else None
        if licence is None or licence.url in self._settings.current.licences_accepted:
            return None
        return licence

    def accept(self, licence: Licence) -> None:
        """The user has agreed to these terms; for all models that have them."""
        accepted = self._settings.current.licences_accepted
        if licence.url not in accepted:
            self._settings.change(licences_accepted=(*accepted, licence.url))

    def open_hub(self) -> Hub:
        """The hub of the settings, for one event loop; close it. Asks for the token when it needs it.

        Raises:
            HubAddressInvalid: the settings' address of the hub or of the proxy is none.
        """
        endpoint = self._settings.current.hub_endpoint
        return Hub(self._access(endpoint, lambda: self._secrets.hub_token(endpoint)))

    @asynccontextmanager
    async def _hub(self) -> AsyncIterator[Hub]:
        settings = self._settings.current
        # In a thread: a keyring may ask the user to unlock it.
        token = await asyncio.to_thread(self._secrets.hub_token, settings.hub_endpoint)
        hub = Hub(self._access(settings.hub_endpoint, lambda: token))
        try:
            yield hub
        finally:
            await hub.close()

    def _access(self, endpoint: str, token: Callable[[], str | None]) -> HubAccess:
        return HubAccess(endpoint, token, self._settings.current.proxy, open_client=self._open_client)

    def _reference(self, text: str) -> Reference:
        model = self._models.get(text.strip().lower())
        return Reference(model.repository, model.revision) if model else read_reference(text)

    def _choose(self, details: HubModelDetails, quantisation: str | None) -> HubFile:
        repository = details.model.repository
        if quantisation is not None:
            wanted = quantisation.upper().replace("-", "_")
            for file in details.files:
                if file.quantisation == wanted:
                    return file
            raise QuantisationMissing(repository, quantisation)
        if not details.files:
            raise HubFileMissing(_host(self._settings.current.hub_endpoint), f"{repository}/*.gguf")
        recommended = self.recommended(repository)
        return _recommended(details.files, recommended)


def _recommended(files: Sequence[HubFile], model: CatalogueModel | None) -> HubFile:
    """The catalogue's first choice, else the usual one, else the smallest."""
    names = [file.name for file in model.files] if model else []
    labels = [file.quantisation for file in model.files] if model else []
    whole = [file for file in files if file.parts == 1] or list(files)
    for name in names:
        for file in whole:
            if file.name == name:
                return file
    for label in (*labels, *PREFERRED):
        for file in whole:
            if file.quantisation == label:
                return file
    return whole[0]


def _searchable(text: str) -> str:
    """What the hub can look for: its names have Latin digits, and half a character cannot be sent."""
    digits = (str(unicodedata.digit(one)) if one.isdecimal() else one for one in text[:_LONGEST_SEARCH])
    return "".join(digits).encode("utf-8", "replace").decode()


def _file_name(file: HubFile) -> str:
    return PurePosixPath(file.name).name


def _host(endpoint: str) -> str:
    return urlsplit(endpoint).netloc.rpartition("@")[2] or endpoint
