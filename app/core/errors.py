"""What the use cases refuse, beside the errors of engines and knowledge base.

AppError
├── NoModelInstalled       there is no model that can chat on this device
├── ModelMissing           the chosen model was removed
├── LicenceNotAccepted     the model's terms have not been accepted; carries `name`, `url`
├── OptionError            an option cannot be set so; carries `option`
│   ├── OptionUnknown      there is no such option here
│   ├── OptionInvalid      the value is of the wrong kind, or too long
│   ├── OptionOutOfRange   the number is not possible; carries `least`, `most`
│   └── OptionsConflict    it does not go together with another one; carries `other`
├── ServerExists           a model of a server already has this name
├── OtherProcess           another window or terminal of the app uses the models
├── OfflineChosen          the user wants nothing to leave this device; carries `host`
├── RouterAddressInvalid   what was typed is no address of a router; carries `typed`
├── RouterExists           this router is there already; carries `name`
├── RouterMissing          the router was removed
├── GroupExists            this device belongs to the group already; carries `name`
├── OwnDevicesExist        there is a group of the user's own devices already
├── TooManyGroups          more than a device may belong to; carries `most`
├── GroupMissing           this device has left the group
├── DeviceNameInvalid      the name of this device is too long, or could mislead
├── RecordsLost            whom the user does not trust cannot be read any more; carries `name`
├── DeviceMissing          no device of this number was seen yet
├── DataFolderUnusable     the app cannot keep its data where it was told to; carries `folder`
├── ModelsMoving           the models are on their way to another folder
├── ModelsFolderError      the models cannot be moved there; carries `folder`
│   ├── FolderInvalid      it is no folder, or not written from its root on
│   ├── FolderTaken        it is the present one, lies inside it, or is full of other things
│   ├── FolderUnwritable   nothing can be written there
│   └── FolderMissing      the present one is not there: its disk is not connected
├── ConversationMissing    the conversation or message was deleted meanwhile
├── AttachmentFailed       a file cannot go along with a question; carries `name`, `reason`
├── AttachmentsTooLong     the files of a conversation no longer fit the context window; carries `name`
├── EmptyQuestion          nothing but white space was asked
├── AlreadyCompressing     one model at a time is compressed
├── AlreadyBenchmarking    one benchmark at a time: two would measure each other
├── BenchmarkMissing       there is no result with this id any more
├── NoRouter               no router is set up, so that no other device can be asked
├── ConsentNeeded          the user has not agreed to what would leave this device
├── NobodyAnswered         other devices were asked, and none has answered in time
├── ModelNotOffered        no other device offers the wished model now; carries `model`
├── AnswersTooLong         several answers do not fit the context window together
├── NobodyElse             no other device than those that have answered is there
├── ChosenHere             the user did not want to wait for other devices
├── AlreadyAnswering       one answer at a time in a conversation
└── NothingToAnswer        there is no question to answer again, or no answer to continue
"""

from __future__ import annotations


class AppError(Exception):
    """Base of what the use cases refuse."""


class NoModelInstalled(AppError):
    """There is no model that can chat on this device."""


class ModelMissing(AppError):
    """The chosen model was removed."""


class LicenceNotAccepted(AppError):
    """The terms of the model `name`, which stand at `url`, have to be accepted before it is downloaded."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name)
        self.name = name
        self.url = url


class OptionError(AppError):
    """The option `option` cannot be set so; nothing was changed."""

    def __init__(self, option: str) -> None:
        super().__init__(option)
        self.option = option


class OptionUnknown(OptionError):
    """There is no option of this name, or none that can be set there."""


class OptionInvalid(OptionError):
    """The value is of the wrong kind, or too long."""


class OptionOutOfRange(OptionError):
    """The number is not between `least` and `most`."""

    def __init__(self, option: str, least: float, most: float) -> None:
        super().__init__(option)
        self.least = least
        self.most = most


class OptionsConflict(OptionError):
    """The value does not go together with that of `other`."""

    def __init__(self, option: str, other: str) -> None:
        super().__init__(option)
        self.other = other


class ServerExists(AppError):
    """A model of a server already has the name `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class OtherProcess(AppError):
    """Another window or terminal of the app uses the models at the moment."""


class OfflineChosen(AppError):
    """The user has turned on the offline switch: nothing was sent to `host`."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


class RouterAddressInvalid(AppError):
    """What was typed is no address of a router; `typed` shows it without a password."""

    def __init__(self, typed: str) -> None:
        super().__init__(typed)
        self.typed = typed


class RouterExists(AppError):
    """This router is there already, under the name `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class RouterMissing(AppError):
    """The router was removed."""


class GroupExists(AppError):
    """This device belongs to the group already, under the name `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class OwnDevicesExist(AppError):
    """There is a group of the user's own devices already: leave that one first."""


class TooManyGroups(AppError):
    """A device belongs to `most` groups at most."""

    def __init__(self, most: int) -> None:
        super().__init__(str(most))
        self.most = most


class GroupMissing(AppError):
    """This device has left the group."""


class DeviceNameInvalid(AppError):
    """The name of this device is too long, or has characters that could mislead."""


class RecordsLost(AppError):
    """The file `name` and its copy are damaged: it is not known any more whom the user does not trust."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class DeviceMissing(AppError):
    """No device of this number was seen yet."""


class DataFolderUnusable(AppError):
    """The app cannot keep its data in `folder`: it is a file, or the system does not let us."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.folder = folder


class ModelsMoving(AppError):
    """The models are on their way to another folder; wait for that, or cancel it."""


class ModelsFolderError(AppError):
    """The models cannot be moved; `folder` is the one that stands in the way."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.folder = folder


class FolderInvalid(ModelsFolderError):
    """It is no folder, or not written from its root on."""


class FolderTaken(ModelsFolderError):
    """It is the present folder, lies inside it, or is full of other things."""


class FolderUnwritable(ModelsFolderError):
    """Nothing can be written there."""


class FolderMissing(ModelsFolderError):
    """The present folder is not there: its disk is not connected."""


class ConversationMissing(AppError):
    """The conversation or message was deleted meanwhile."""


class AttachmentFailed(AppError):
    """The file `name` cannot be searched; `reason` is the name of a leaf of `rag.errors.DocumentError`."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name)
        self.name = name
        self.reason = reason


class AttachmentsTooLong(AppError):
    """The model that answers now has a smaller context window than `name` and the other files need."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class EmptyQuestion(AppError):
    """Nothing but white space was asked."""


class NoRouter(AppError):
    """No router is set up, so that no other device can be asked."""


class ConsentNeeded(AppError):
    """The user has not seen, or not agreed to, what would leave this device."""


class NobodyAnswered(AppError):
    """Other devices were asked, and none has answered in time, or to the end."""


class ModelNotOffered(AppError):
    """No device that may be asked offers the wished `model` now."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model


class AnswersTooLong(AppError):
    """The answers of other devices do not fit into this model's context window together."""


class NobodyElse(AppError):
    """Other devices than those that have answered were to be asked, and there is none."""


class ChosenHere(AppError):
    """The user did not want to wait for other devices any longer: this one answers."""


class AlreadyAnswering(AppError):
    """An answer is being written in this conversation; stop it first."""


class AlreadyCompressing(AppError):
    """A model is being compressed; wait for it, or cancel it."""


class AlreadyBenchmarking(AppError):
    """A benchmark is running; wait for it, or cancel it."""


class BenchmarkMissing(AppError):
    """There is no benchmark result with this id any more."""


class NothingToAnswer(AppError):
    """There is no question to answer again, or no answer to continue."""
