"""Uploaded files: taken in chunks, kept in the database until their run is over, given to readers as a local file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import IMPORT
from chassis.database import Database, UnitOfWork
from chassis.errors import FieldInvalid, FieldViolation, NotPermitted
from chassis.ids import is_id, new_id
from imports.errors import ChecksumWrong, ChunkInvalid, ChunkMissing, FileComplete, FileNotFound, FileTooLarge
from imports.tables import file, file_chunk

CHUNK_BYTES = 1_048_576  # one message and one row: far below the limits of gRPC and of a TOAST value
MAX_NAME = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def create_file(work: UnitOfWork, name: str, size_bytes: int, max_bytes: int) -> sa.Row[Any]:
    """Begin an upload. Errors: FileTooLarge, FieldInvalid, NotPermitted for who may import nowhere."""
    if not work.access.allows_somewhere(IMPORT):
        raise NotPermitted("your positions do not allow to import; ask a data steward")
    plain = PureWindowsPath(PurePosixPath(name).name).name  # browsers and scripts send folders of either kind
    if not plain or len(plain) > MAX_NAME or _CONTROL.search(plain):
        raise FieldInvalid(
            FieldViolation("name", f"must be a file name of 1 to {MAX_NAME} characters without control signs")
        )
    if size_bytes < 0:
        raise FieldInvalid(FieldViolation("size_bytes", "must not be negative"))
    if size_bytes > max_bytes:
        raise FileTooLarge(
            f"the file has {size_bytes:,} bytes; at most {max_bytes:,} are taken. Split it into several files",
            metadata={"most": str(max_bytes)},
        )
    values = {
        "id": new_id(),
        "name": plain,
        "size_bytes": size_bytes,
        "user_id": work.access.user_id,
        "create_time": work.now,
    }
    return work.execute(sa.insert(file).values(values).returning(file)).one()


def store_chunk(work: UnitOfWork, file_id: str, position: int, data: bytes) -> sa.Row[Any]:
    """Store one chunk; the same one may come again. Errors: FileNotFound, FileComplete, ChunkInvalid."""
    found = get_file(work, file_id, lock=True)
    if found.complete:
        raise FileComplete("the upload has ended; begin a new file to send other content")
    expected = min(CHUNK_BYTES, found.size_bytes - position)
    if position < 0 or position % CHUNK_BYTES or position >= found.size_bytes or len(data) != expected:
        raise ChunkInvalid(
            f"{len(data)} bytes at {position} do not fit a file of {found.size_bytes}: chunks begin at multiples of "
            f"{CHUNK_BYTES} and are as long, but for the last",
        )
    statement = insert(file_chunk).values(file_id=file_id, position=position, data=data)
    fresh = work.execute(statement.on_conflict_do_nothing()).rowcount
    if not fresh:
        work.execute(
            sa.update(file_chunk)
            .where(file_chunk.c.file_id == file_id, file_chunk.c.position == position)
            .values(data=data)
        )
    more = file.c.received_bytes + (len(data) if fresh else 0)
    return work.execute(sa.update(file).where(file.c.id == file_id).values(received_bytes=more).returning(file)).one()


def complete_file(work: UnitOfWork, file_id: str, sha256: str) -> sa.Row[Any]:
    """End an upload whose bytes are all there. Errors: FileNotFound, ChunkMissing, ChecksumWrong."""
    found = get_file(work, file_id, lock=True)
    if found.received_bytes != found.size_bytes:
        have = set(work.execute(sa.select(file_chunk.c.position).where(file_chunk.c.file_id == file_id)).scalars())
        first = next(at for at in range(0, found.size_bytes, CHUNK_BYTES) if at not in have)
        raise ChunkMissing(f"the chunk at {first} has not arrived; send it", metadata={"offset": str(first)})
    digest = hashlib.sha256()
    for piece in _pieces(work, file_id):
        digest.update(piece)
    if sha256 and sha256.lower() != digest.hexdigest():
        raise ChecksumWrong(
            "the content is not what was sent; send the chunks again", metadata={"sha256": digest.hexdigest()}
        )
    done = sa.update(file).where(file.c.id == file_id).values(complete=True, sha256=digest.hexdigest())
    return work.execute(done.returning(file)).one()


def get_file(work: UnitOfWork, file_id: str, lock: bool = False) -> sa.Row[Any]:
    """A file of the caller's own. Errors: FileNotFound."""
    question = sa.select(file).where(file.c.id == file_id)
    if not work.access.service:
        question = question.where(file.c.user_id == work.access.user_id)
    row = work.execute(question.with_for_update() if lock else question).one_or_none() if is_id(file_id) else None
    if row is None:
        raise FileNotFound(f"there is no file {file_id!r} of yours", metadata={"file": file_id})
    return row


def _pieces(work: UnitOfWork, file_id: str) -> Iterator[bytes]:
    question = sa.select(file_chunk.c.data).where(file_chunk.c.file_id == file_id).order_by(file_chunk.c.position)
    for row in work.execute(question.execution_options(yield_per=4)):
        yield bytes(row.data)


@contextmanager
def local_copy(database: Database, file_id: str, name: str) -> Iterator[Path]:
    """The content as a file on this machine, for as long as the block lasts. Memory: a few chunks."""
    with TemporaryDirectory(prefix="branchline-import-") as folder:
        path = Path(folder) / ("content" + Path(name).suffix[:10])
        with path.open("wb") as out, database.transaction() as work:
            for piece in _pieces(work, file_id):
                out.write(piece)
        yield path
