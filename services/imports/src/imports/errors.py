"""Every refusal of the imports service, one class a reason."""

from __future__ import annotations

from chassis.errors import DomainError, Kind


class FileNotFound(DomainError):
    """No such file, or not the caller's."""

    kind = Kind.NOT_FOUND
    reason = "FILE_NOT_FOUND"


class FileTooLarge(DomainError):
    """More bytes than allowed."""

    kind = Kind.INVALID
    reason = "FILE_TOO_LARGE"


class ChunkInvalid(DomainError):
    """The chunk's offset or length does not fit."""

    kind = Kind.INVALID
    reason = "CHUNK_INVALID"


class ChunkMissing(DomainError):
    """Bytes are missing; metadata names the first."""

    kind = Kind.PRECONDITION
    reason = "CHUNK_MISSING"


class ChecksumWrong(DomainError):
    """The content is not what the sender worked out."""

    kind = Kind.INVALID
    reason = "CHECKSUM_WRONG"


class FileComplete(DomainError):
    """The upload has ended."""

    kind = Kind.PRECONDITION
    reason = "FILE_COMPLETE"


class RunNotFound(DomainError):
    """No such run, or not visible to the caller."""

    kind = Kind.NOT_FOUND
    reason = "RUN_NOT_FOUND"


class RunNotWaiting(DomainError):
    """The run does not wait for this."""

    kind = Kind.PRECONDITION
    reason = "RUN_NOT_WAITING"


class RunBlocked(DomainError):
    """Findings forbid the load; mend the file or the mapping."""

    kind = Kind.PRECONDITION
    reason = "RUN_BLOCKED"


class RunEnded(DomainError):
    """The run has ended."""

    kind = Kind.PRECONDITION
    reason = "RUN_ENDED"


class RunNotUndoable(DomainError):
    """The run has not finished, was undone, or is of a kind that cannot be undone; the message says which."""

    kind = Kind.PRECONDITION
    reason = "RUN_NOT_UNDOABLE"


class TemplateNotFound(DomainError):
    """No such template."""

    kind = Kind.NOT_FOUND
    reason = "TEMPLATE_NOT_FOUND"


class MappingInvalid(DomainError):
    """A column or field of the mapping does not exist, or a field is used twice."""

    kind = Kind.INVALID
    reason = "MAPPING_INVALID"


class ExportNotFound(DomainError):
    """No such export, or neither the caller's nor for the caller to decide."""

    kind = Kind.NOT_FOUND
    reason = "EXPORT_NOT_FOUND"

    def __init__(self, export_id: str) -> None:
        super().__init__(f"there is no export {export_id!r} of yours", metadata={"export": export_id})


class ExportNotAsked(DomainError):
    """Nobody is asked about the export, or it is decided."""

    kind = Kind.PRECONDITION
    reason = "EXPORT_NOT_ASKED"


class ExportEnded(DomainError):
    """The export has ended."""

    kind = Kind.PRECONDITION
    reason = "EXPORT_ENDED"


class ExportNotReady(DomainError):
    """There is no file to download, not yet or no longer."""

    kind = Kind.PRECONDITION
    reason = "EXPORT_NOT_READY"


class ExportTooLarge(DomainError):
    """The list has more rows than one file may have; narrow it."""

    kind = Kind.PRECONDITION
    reason = "EXPORT_TOO_LARGE"
